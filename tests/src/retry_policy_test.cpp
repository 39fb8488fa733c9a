#include "src/retry_policy.h"

#include <SQLiteCpp/Exception.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "src/media/decoder.h"

namespace lacquer {
namespace {

using namespace std::chrono_literals;

std::error_code system_code(int value) {
    return {value, std::generic_category()};
}

TEST(RetryPolicy, WhatTheSystemMayGetOverCanPass) {
    for (const int passes : {EAGAIN, EIO, EMFILE, ENOSPC, ESTALE, ETIMEDOUT}) {
        EXPECT_TRUE(can_pass(media::DecodeError("reading", system_code(passes)))) << passes;
        EXPECT_TRUE(can_pass(std::system_error(system_code(passes)))) << passes;
    }
    for (const int stays : {0, EACCES, EPERM, ELOOP, ENOENT, EINVAL}) {
        EXPECT_FALSE(can_pass(media::DecodeError("reading", system_code(stays)))) << stays;
    }
}

TEST(RetryPolicy, WhatTheContentIsToBlameForCannotPass) {
    EXPECT_FALSE(can_pass(media::DecodeError("lost sync")));
    EXPECT_FALSE(can_pass(std::invalid_argument("attack")));
    EXPECT_FALSE(can_pass(std::error_code(5, std::iostream_category()))) << "5 is EIO elsewhere";
}

TEST(RetryPolicy, ABusyDatabaseCanPassADamagedOneCannot) {
    EXPECT_TRUE(can_pass(SQLite::Exception("busy", SQLITE_BUSY)));
    EXPECT_TRUE(can_pass(SQLite::Exception("locked", SQLITE_LOCKED)));
    EXPECT_FALSE(can_pass(SQLite::Exception("corrupt", SQLITE_CORRUPT)));
}

TEST(RetryPolicy, OfHttpOnlyTooManyAndServerErrorsCanPass) {
    for (const int passes : {429, 500, 502, 503, 504, 599}) EXPECT_TRUE(can_pass_http(passes)) << passes;
    for (const int stays : {200, 301, 400, 401, 404, 410, 416, 600}) EXPECT_FALSE(can_pass_http(stays)) << stays;
}

TEST(RetryPolicy, DelaysDoubleWithinAQuarterEitherWay) {
    for (int retry = 1; retry <= kRetries; ++retry) {
        const auto middle = 1000ms * (1 << (retry - 1));
        EXPECT_EQ(retry_delay({.retry = retry, .jitter = 0.0}), middle * 3 / 4);
        EXPECT_EQ(retry_delay({.retry = retry, .jitter = 0.5}), middle);
        EXPECT_LT(retry_delay({.retry = retry, .jitter = 0.999}), middle * 5 / 4);
    }
}

TEST(RetryPolicy, WithAListenerWaitingAllDelaysTogetherStayBelowTwoSeconds) {
    auto sum = 0ms;
    for (int retry = 1; retry <= kRetries; ++retry) {
        sum += retry_delay({.retry = retry, .listener_waits = true, .jitter = 0.999});
    }
    EXPECT_LT(sum, 2s);
}

TEST(RetryPolicy, RetryAfterIsNeverWaitedLessThanAskedFor) {
    EXPECT_EQ(retry_delay({.retry = 1, .listener_waits = true, .retry_after = 30s}), 30s);
    EXPECT_GT(retry_delay({.retry = 3, .retry_after = 1s}), 2s);
}

}  // namespace
}  // namespace lacquer
