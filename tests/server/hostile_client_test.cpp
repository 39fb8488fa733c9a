// Everything that cpp-httplib 0.11.4 alone lets pass, one row each, over real sockets. After every row the server still
// answers, and nothing that followed the attack was taken for a request.
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "server/http_server.h"
#include "tests/server/memory_sources.h"
#include "tests/server/raw_client.h"

namespace lacquer::server {
namespace {

using test::Ending;
using test::RawClient;

const std::string smuggled = "DELETE /api/tracks/13/render HTTP/1.1\r\nHost: localhost\r\n\r\n";

class HostileClientTest : public testing::Test {
protected:
    static ServerOptions impatient() {
        ServerOptions options = test::any_port();
        options.head_timeout = std::chrono::milliseconds(400);
        return options;
    }
    void expect_alive() {
        RawClient client(http.port());
        const auto answer = client.get("/healthz");
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->status, 200);
        EXPECT_EQ(sources.renders.cancelled, 0) << "a smuggled request was obeyed";
    }

    test::MemorySources sources;
    HttpServer http{sources.all(), impatient()};
};

TEST_F(HostileClientTest, MalformedOrSmugglingHeadsAreRefusedAndTheConnectionEnds) {
    const std::string get = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n";
    const std::string post = "POST /api/tracks/1/render HTTP/1.1\r\nHost: localhost\r\n";
    struct Row {
        std::string request;
        int status;
    };
    const Row rows[] = {
        {post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {post + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400},
        {post + "Content-Length: 0\r\ncontent-length: 40\r\n\r\n", 400},
        {post + "Content-Length: abc\r\n\r\n", 400},
        {post + "Content-Length: +3\r\n\r\nabc", 400},
        {post + "Content-Length: 3, 3\r\n\r\nabc", 400},
        {post + "Content-Length: 99999999999999999999999\r\n\r\n", 400},
        {post + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 411},
        {post + "Transfer-Encoding: xchunked\r\n\r\n", 411},
        {post + "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 415},
        {get + "Content-Length : 3\r\n\r\nabc", 400},
        {get + " folded: 1\r\n\r\n", 400},
        {get + "NoColon\r\n\r\n", 400},
        {get + ": empty name\r\n\r\n", 400},
        {get + "Bad\x01: 1\r\n\r\n", 400},
        {get + "Ok: a\x02z\r\n\r\n", 400},
        {get + "Lone: line\nfeed: 1\r\n\r\n", 400},
        {get + "Host: evil.example\r\n\r\n", 400},
        {"GET /healthz HTTP/1.1\r\n\r\n", 400},
        {"GET /healthz HTTP/2.0\r\nHost: localhost\r\n\r\n", 505},
        {"GET /healthz\r\n\r\n", 400},
        {"GET  /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
        {"get /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 501},
        {"BREW /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 501},
        {"\x16\x03\x01\r\n\r\n", 400},
        {"GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 414},
        {get + "Long: " + std::string(9000, 'a') + "\r\n\r\n", 431},
    };
    for (const Row& row : rows) {
        RawClient client(http.port());
        client.send(row.request + smuggled);
        const auto answer = client.response();
        ASSERT_TRUE(answer) << row.request.substr(0, 200);
        EXPECT_EQ(answer->status, row.status) << row.request.substr(0, 200);
        EXPECT_EQ(answer->header("content-type"), "application/problem+json");
        EXPECT_EQ(client.ending(), Ending::closed) << row.request.substr(0, 200);
        EXPECT_TRUE(client.received().empty()) << "a second answer: " << client.received();
        expect_alive();
    }
}

std::size_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::size_t total = 0;
    std::size_t resident = 0;
    file >> total >> resident;
    return resident * 4096;
}

TEST_F(HostileClientTest, EndlessHeadersAreCutOffAndNotBuffered) {
    const std::size_t before = resident_bytes();
    for (const std::string& piece : {std::string(65536, 'a'), std::string("A: b\r\n") + std::string("C: d\r\n")}) {
        RawClient client(http.port());
        client.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ");
        std::size_t sent = 0;
        while (sent < 64'000'000 && client.send(piece)) sent += piece.size();
        EXPECT_LT(sent, 64'000'000U);
        expect_alive();
    }
    EXPECT_LT(resident_bytes(), before + 20'000'000);
    RawClient polite(http.port());
    polite.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(17'000, 'a'));
    const auto answer = polite.response();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 431);
}

TEST_F(HostileClientTest, ABodyFloodEndsTheConnection) {
    for (const char* header : {"Transfer-Encoding: chunked\r\n\r\n", "Content-Length: 300000000\r\n\r\n"}) {
        RawClient client(http.port());
        client.send(std::string("POST /api/tracks/1/render HTTP/1.1\r\nHost: localhost\r\n") + header);
        const std::string piece = "10000\r\n" + std::string(65536, 'x') + "\r\n";
        std::size_t sent = 0;
        while (sent < 300'000'000 && client.send(piece)) sent += piece.size();
        EXPECT_LT(sent, 300'000'000U) << header;
        expect_alive();
    }
}

TEST_F(HostileClientTest, ASmallBodyIsSkippedAndTheConnectionGoesOn) {
    for (const char* method : {"POST", "GET", "HEAD"}) {
        RawClient client(http.port());
        client.send(std::string(method) + " /api/tracks/1/render HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
                    std::to_string(smuggled.size()) + "\r\n\r\n" + smuggled);
        ASSERT_TRUE(client.response(std::string(method) == "HEAD")) << method;
        const auto next = client.get("/healthz");
        ASSERT_TRUE(next) << method;
        EXPECT_EQ(next->status, 200) << method;
        EXPECT_EQ(sources.renders.cancelled, 0) << method;
    }
}

TEST_F(HostileClientTest, AnAnswerSurvivesABodyThatIsNotRead) {
    RawClient client(http.port());
    client.send("POST /api/tracks/1/render HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n" +
                std::string(200'000, 'x'));
    const auto answer = client.response();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 202);
    EXPECT_EQ(answer->header("connection"), "close");
    EXPECT_EQ(client.ending(), Ending::closed);
}

TEST_F(HostileClientTest, RequestsWithoutContentLengthDoNotWaitForABody) {
    RawClient client(http.port());
    client.request("DELETE", "/api/tracks/5/render");
    const auto answer = client.response(false, 2000);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 204);
    EXPECT_EQ(sources.renders.cancelled, 5);
    EXPECT_TRUE(client.get("/healthz"));
}

TEST_F(HostileClientTest, SlowHeadsAreCutOffAsAWhole) {
    RawClient client(http.port());
    const std::string head = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(500, 'a');
    bool taken = true;
    for (const char c : head) {  // 20 ms a byte: never idle, 11 s in all
        taken = taken && client.send(std::string(1, c));
        if (client.receive_text("408", 20)) break;
    }
    EXPECT_NE(client.received().find("HTTP/1.1 408 "), std::string::npos);
    RawClient silent(http.port());
    EXPECT_EQ(silent.ending(5000), Ending::closed);
    EXPECT_TRUE(silent.received().empty());
    expect_alive();
}

TEST_F(HostileClientTest, WhatIsThrownInsideStaysInside) {
    RawClient client(http.port());
    const auto answer = client.get("/api/tracks/500");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 500);
    EXPECT_EQ((answer->head + answer->body).find("secret"), std::string::npos);
    EXPECT_EQ(client.get("/healthz")->status, 200) << "the connection goes on";
}

TEST_F(HostileClientTest, OddPathsAreSimplyNotThere) {
    for (const char* target :
         {"/..", "/../../etc/passwd", "/%2e%2e/", "/a.txt%00.png", "/healthz%00", "//healthz", "/healthz/",
          "/api/tracks/1%2fprofile", "/api/tracks/%ff", "/api/tracks/", "/%", "nothing", "/api"}) {
        RawClient client(http.port());
        const auto answer = client.get(target);
        ASSERT_TRUE(answer) << target;
        EXPECT_EQ(answer->status, 404) << target;
    }
    std::string deep = "/s";
    while (deep.size() < 7900) deep += "/a";
    EXPECT_EQ(RawClient(http.port()).get(deep)->status, 404);
}

TEST_F(HostileClientTest, RandomBytesNeverEndTheServer) {
    std::uint64_t state = 1;
    for (int round = 0; round < 200; ++round) {
        std::string noise = round % 2 == 0 ? "GET /healthz HTTP/1.1\r\nHost: localhost\r\n" : "";
        for (int i = 0; i < 300; ++i) {
            state = state * 6364136223846793005U + 1442695040888963407U;
            noise += static_cast<char>(state >> 56U);
        }
        RawClient client(http.port());
        client.send(noise + "\r\n\r\n");
        client.half_close();
        EXPECT_NE(client.ending(), Ending::open);
    }
    expect_alive();
}

}  // namespace
}  // namespace lacquer::server
