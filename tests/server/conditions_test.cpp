#include "server/conditions.h"

#include <gtest/gtest.h>

namespace lacquer::server {
namespace {

Request request_with(const Headers& headers, const std::string& method = "GET") {
    Request request;
    request.method = method;
    request.headers = headers;
    return request;
}

TEST(Conditions, FollowTheMatrixOfRfc9110) {
    struct Row {
        Headers headers;
        const char* etag;
        Condition condition;
    };
    const Row rows[] = {
        {{}, "\"a\"", Condition::proceed},
        {{{"If-Match", "\"a\""}}, "\"a\"", Condition::proceed},
        {{{"If-Match", "\"b\", \"a\""}}, "\"a\"", Condition::proceed},
        {{{"if-match", "\"b\""}}, "\"a\"", Condition::failed},
        {{{"If-Match", "W/\"a\""}}, "\"a\"", Condition::failed},
        {{{"If-Match", "W/\"a\""}}, "W/\"a\"", Condition::failed},
        {{{"If-Match", "*"}}, "\"a\"", Condition::proceed},
        {{{"If-Match", "\"a\""}}, "", Condition::failed},
        {{{"If-Match", "\"b\""}, {"If-Match", "\"a\""}}, "\"a\"", Condition::proceed},
        {{{"If-None-Match", "\"a\""}}, "\"a\"", Condition::not_modified},
        {{{"If-None-Match", "W/\"a\""}}, "\"a\"", Condition::not_modified},
        {{{"If-None-Match", "\"b\",\"a\""}}, "\"a\"", Condition::not_modified},
        {{{"If-None-Match", "\"b\""}}, "\"a\"", Condition::proceed},
        {{{"If-None-Match", "\"a,b\""}}, "\"a\"", Condition::proceed},
        {{{"If-None-Match", "\"a,b\""}}, "\"a,b\"", Condition::not_modified},
        {{{"If-None-Match", "*"}}, "\"a\"", Condition::not_modified},
        {{{"If-None-Match", "\"a\""}}, "", Condition::proceed},
        {{{"If-Match", "\"a\""}, {"If-None-Match", "\"a\""}}, "\"a\"", Condition::not_modified},
        {{{"If-Match", "\"b\""}, {"If-None-Match", "\"a\""}}, "\"a\"", Condition::failed},
        {{{"If-None-Match", "\"unfinished"}}, "\"a\"", Condition::proceed},
    };
    for (const Row& row : rows) {
        const std::string told = row.headers.empty() ? "none" : row.headers.front().second;
        EXPECT_EQ(check_conditions(request_with(row.headers), row.etag), row.condition) << told << " / " << row.etag;
    }
    EXPECT_EQ(check_conditions(request_with({{"If-None-Match", "\"a\""}}, "HEAD"), "\"a\""), Condition::not_modified);
    EXPECT_EQ(check_conditions(request_with({{"If-None-Match", "\"a\""}}, "POST"), "\"a\""), Condition::failed);
}

TEST(Conditions, ARangeNeedsTheSameStrongTag) {
    EXPECT_TRUE(range_applies(request_with({}), "\"a\""));
    EXPECT_TRUE(range_applies(request_with({}), ""));
    EXPECT_TRUE(range_applies(request_with({{"If-Range", "\"a\""}}), "\"a\""));
    EXPECT_FALSE(range_applies(request_with({{"If-Range", "\"b\""}}), "\"a\""));
    EXPECT_FALSE(range_applies(request_with({{"If-Range", "W/\"a\""}}), "W/\"a\""));
    EXPECT_FALSE(range_applies(request_with({{"If-Range", "\"a\""}}), ""));
    EXPECT_FALSE(range_applies(request_with({{"If-Range", "Sat, 29 Oct 1994 19:43:31 GMT"}}), "\"a\""));
}

}  // namespace
}  // namespace lacquer::server
