// Everything that cpp-httplib 0.11.4 alone lets pass, one row each, over real sockets. After every row the server still
// answers, and nothing that followed the attack was taken for a request.
#include <fstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "server/http_server.h"
#include "tests/server/hostile/all_rows.h"
#include "tests/server/memory_sources.h"
#include "tests/server/raw_client.h"

namespace lacquer::server {
namespace {

using test::Ending;
using test::RawClient;

std::size_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::size_t total = 0;
    std::size_t resident = 0;
    file >> total >> resident;
    return resident * 4096;
}

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
    }

    test::MemorySources sources;
    HttpServer http{sources.all(), impatient()};
};

TEST_F(HostileClientTest, EveryRowGetsItsAnswerAndNothingElseHappens) {
    for (const auto& [table, rows] : test::hostile_tables()) {
        const std::size_t before = resident_bytes();
        for (const test::Row& row : rows) {
            sources.renders.cancelled = 0;
            test::play(row, http.port());
            EXPECT_NE(sources.renders.cancelled, 13) << row.name << ": a smuggled request was obeyed";
        }
        EXPECT_LT(resident_bytes(), before + 20'000'000) << table;
        RecordProperty(table, static_cast<int>(rows.size()));
    }
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

TEST_F(HostileClientTest, EndlessEmptyLinesAreCutOff) {
    RawClient client(http.port());
    const std::string piece = test::repeated("\r\n", 32'768);
    std::size_t sent = 0;
    while (sent < 64'000'000 && client.send(piece)) sent += piece.size();
    EXPECT_LT(sent, 64'000'000U);
    expect_alive();
}

TEST_F(HostileClientTest, AFloodOfPipelinedRequestsIsAnsweredInBoundedMemory) {
    constexpr int requests = 20'000;
    const std::size_t before = resident_bytes();
    RawClient client(http.port());
    std::jthread sender([&] { client.send(test::repeated(test::head_of("GET", "/healthz"), requests)); });
    int answered = 0;
    while (answered < requests && client.response()) ++answered;
    EXPECT_EQ(answered, requests);
    EXPECT_LT(resident_bytes(), before + 20'000'000);
}

TEST_F(HostileClientTest, APipeliningClientThatNeverReadsHoldsNoMoreThanItsSocket) {
    const std::size_t before = resident_bytes();
    RawClient client(http.port(), 4096);
    client.send_what_fits(test::repeated(test::head_of("GET", "/api/tracks"), 100'000));
    expect_alive();
    EXPECT_LT(resident_bytes(), before + 20'000'000);
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
