#include "server/httplib_parser.h"

#include <string>

#include <gtest/gtest.h>

namespace lacquer::server {
namespace {

std::optional<Request> parse(const std::string& lines) {
    static const HttplibParser parser;
    const GuardedHead guarded = guard_head(lines + "\r\n");
    EXPECT_EQ(guarded.refusal, 0) << guarded.reason;
    return parser.parse(guarded);
}

TEST(HttplibParser, KeepsTargetAndHeadersAsSent) {
    const auto request = parse(
        "GET /a%2Fb/c?x=%41&y=+ HTTP/1.1\r\nHost: localhost:1\r\nX-Odd:  50%25 and %41 \r\nRange: bytes=0-1,2-3\r\n");
    ASSERT_TRUE(request);
    EXPECT_EQ(request->method, "GET");
    EXPECT_EQ(request->path, "/a%2Fb/c");
    EXPECT_EQ(request->query, "x=%41&y=+");
    EXPECT_EQ(request->header("host"), "localhost:1");
    EXPECT_EQ(request->header("x-odd"), "50%25 and %41");
    EXPECT_EQ(request->range, "bytes=0-1,2-3");
    EXPECT_EQ(request->header("Range"), std::nullopt);
}

TEST(HttplibParser, ShowsNoForgedAddressAndNoSplitHeader) {
    const auto request = parse(
        "GET / HTTP/1.1\r\nHost: h\r\nREMOTE_ADDR: 6.6.6.6\r\nremote_addr: 6.6.6.6\r\nLocal_Port: 1\r\n"
        "X: %0d%0aHost: evil\r\nLacquer-Guarded-Range: bytes=0-\r\n");
    ASSERT_TRUE(request);
    EXPECT_EQ(request->headers, (Headers{{"Host", "h"}, {"X", "%0d%0aHost: evil"}}));
    EXPECT_EQ(request->range, std::nullopt);
}

TEST(HttplibParser, TakesEveryMethodAndVersionTheGuardLetsPass) {
    for (const std::string method : {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
        const auto request = parse(method + " /x HTTP/1.0\r\n");
        ASSERT_TRUE(request) << method;
        EXPECT_EQ(request->method, method);
        EXPECT_EQ(request->minor_version, 0);
    }
}

TEST(HttplibParser, FindsElementsOfListHeadersInAnySpelling) {
    const auto request = parse("GET / HTTP/1.1\r\nHost: h\r\nConnection: Keep-Alive, CLOSE\r\n");
    ASSERT_TRUE(request);
    EXPECT_TRUE(request->header_lists("connection", "close"));
    EXPECT_FALSE(request->header_lists("connection", "clos"));
}

}  // namespace
}  // namespace lacquer::server
