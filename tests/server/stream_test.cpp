// The audio route over real sockets: what a player sees.
#include <atomic>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "server/http_server.h"
#include "tests/server/memory_sources.h"
#include "tests/server/raw_client.h"

namespace lacquer::server {
namespace {

using test::Ending;
using test::Happening;
using test::RawClient;
using test::RawResponse;

class StreamTest : public testing::Test {
protected:
    RawResponse get(const std::string& target, const std::string& further = "") {
        return RawClient(http.port()).get(target, further).value_or(RawResponse());
    }
    void serve(std::function<Representation(const StreamQuery&)> on_open) {
        const std::lock_guard lock(sources.streams.mutex);
        sources.streams.on_open = std::move(on_open);
    }
    void serve_bytes(std::uint64_t size_bytes, test::SyntheticBody::Hook hook = {}) {
        serve([=](const StreamQuery&) { return test::representation(size_bytes, hook); });
    }

    test::MemorySources sources;
    HttpServer http{sources.all(), test::any_port()};
};

TEST_F(StreamTest, WholeAnswerHasExactLengthAndSaysRangesAreOffered) {
    serve_bytes(300'000);
    const RawResponse answer = get("/api/player/stream/7");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("content-length"), "300000");
    EXPECT_EQ(answer.header("accept-ranges"), "bytes");
    EXPECT_EQ(answer.header("content-type"), "audio/wav");
    EXPECT_EQ(answer.header("etag"), "\"one\"");
    EXPECT_EQ(answer.header("x-accel-buffering"), "no");
    EXPECT_EQ(answer.header("x-audio-status"), "partial");
    EXPECT_EQ(answer.header("cache-control"), "private, no-cache");
    EXPECT_FALSE(answer.has("content-encoding"));
    EXPECT_EQ(answer.body, test::bytes_at(0, 300'000));
    EXPECT_EQ(sources.streams.last.track_id, 7);
}

TEST_F(StreamTest, NeverClaimsRangesItDoesNotHave) {
    serve([](const StreamQuery&) {
        Representation prefix = test::representation(1000);
        prefix.ranges = false;
        return prefix;
    });
    const RawResponse answer = get("/api/player/stream/1", "Range: bytes=5-9\r\n");
    EXPECT_EQ(answer.status, 200);
    EXPECT_FALSE(answer.has("accept-ranges"));
    EXPECT_EQ(answer.body.size(), 1000U);
}

TEST_F(StreamTest, SingleRangesEqualSlicesOfTheWhole) {
    constexpr std::uint64_t size = 400'000;
    serve_bytes(size);
    const std::string whole = test::bytes_at(0, size);
    std::mt19937_64 random(3);
    RawClient client(http.port());
    for (int round = 0; round < 200; ++round) {
        const std::uint64_t first = random() % size;
        const std::uint64_t last = first + random() % size;
        const std::uint64_t end = std::min(last, size - 1);
        const auto answer = client.get("/api/player/stream/1",
                                       "Range: bytes=" + std::to_string(first) + "-" + std::to_string(last) + "\r\n");
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->status, 206);
        EXPECT_EQ(answer->header("content-range"),
                  "bytes " + std::to_string(first) + "-" + std::to_string(end) + "/" + std::to_string(size));
        ASSERT_TRUE(answer->body == whole.substr(first, end - first + 1)) << first << "-" << last;
    }
}

TEST_F(StreamTest, SeveralRangesComeAsMultipart) {
    serve_bytes(1000);
    const RawResponse answer = get("/api/player/stream/1", "Range: bytes=0-9,500-509,-5\r\n");
    EXPECT_EQ(answer.status, 206);
    const std::string type = answer.header("content-type");
    const std::string lead = "multipart/byteranges; boundary=";
    ASSERT_TRUE(type.starts_with(lead)) << type;
    const std::string boundary = type.substr(lead.size());
    std::string expected;
    const auto part = [&](std::uint64_t offset, std::size_t count) {
        expected += (expected.empty() ? "--" : "\r\n--") + boundary +
                    "\r\nContent-Type: audio/wav\r\nContent-Range: bytes " + std::to_string(offset) + "-" +
                    std::to_string(offset + count - 1) + "/1000\r\n\r\n" + test::bytes_at(offset, count);
    };
    part(0, 10);
    part(500, 10);
    part(995, 5);
    expected += "\r\n--" + boundary + "--\r\n";
    EXPECT_EQ(answer.body, expected);
    EXPECT_FALSE(answer.has("content-range"));
}

TEST_F(StreamTest, RangesThatCannotOrNeedNotBeServed) {
    serve_bytes(1000);
    const RawResponse beyond = get("/api/player/stream/1", "Range: bytes=1000-\r\n");
    EXPECT_EQ(beyond.status, 416);
    EXPECT_EQ(beyond.header("content-range"), "bytes */1000");
    EXPECT_EQ(beyond.header("content-type"), "application/problem+json");
    for (const char* header :
         {"Range: items=0-5", "Range: bytes=x", "Range: bytes=0-,0-,0-,0-", "Range: bytes=0-1\r\nRange: bytes=2-3",
          "Range: bytes=0-5\r\nIf-Range: \"other\"", "Range: bytes=0-5\r\nIf-Range: W/\"one\""}) {
        const RawResponse answer = get("/api/player/stream/1", std::string(header) + "\r\n");
        EXPECT_EQ(answer.status, 200) << header;
        EXPECT_EQ(answer.body.size(), 1000U) << header;
    }
    EXPECT_EQ(get("/api/player/stream/1", "Range: bytes=0-5\r\nIf-Range: \"one\"\r\n").status, 206);
}

TEST_F(StreamTest, ManyRangesNeitherCrashNorMultiply) {
    serve_bytes(1000);
    std::string header = "Range: bytes=0-1";
    while (header.size() < 7900) header += ",0-1";
    const RawResponse answer = get("/api/player/stream/1", header + "\r\n");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body.size(), 1000U);
}

TEST_F(StreamTest, TellsTheSourceWhetherTheFirstByteIsAskedFor) {
    for (const auto& [header, expected] : std::vector<std::pair<std::string, bool>>{{"", true},
                                                                                    {"Range: bytes=0-\r\n", true},
                                                                                    {"Range: bytes=9-9,0-0\r\n", true},
                                                                                    {"Range: bytes=1-\r\n", false},
                                                                                    {"Range: bytes=-5\r\n", false}}) {
        get("/api/player/stream/1", header);
        EXPECT_EQ(sources.streams.last.from_first_byte, expected) << header;
    }
}

TEST_F(StreamTest, HeadHasTheHeadersOfGetAndReadsNothing) {
    std::atomic<int> reads = 0;
    serve_bytes(5000, [&](auto, const auto&) { return ++reads > 0; });
    RawClient client(http.port());
    client.request("HEAD", "/api/player/stream/1.wav");
    auto head = client.response(true);
    ASSERT_TRUE(head);
    EXPECT_EQ(reads, 0);
    EXPECT_TRUE(sources.streams.last.head);
    auto get = client.get("/api/player/stream/1.wav");  // on the same connection: no stray body in between
    ASSERT_TRUE(get);
    head->headers.erase("date");
    get->headers.erase("date");
    EXPECT_EQ(head->headers, get->headers);
    EXPECT_EQ(head->status, 200);
    EXPECT_EQ(head->header("content-length"), "5000");
}

TEST_F(StreamTest, ConditionsAreAnswered) {
    EXPECT_EQ(get("/api/player/stream/1", "If-Match: \"other\"\r\n").status, 412);
    EXPECT_EQ(get("/api/player/stream/1", "If-Match: \"one\"\r\nRange: bytes=5-\r\n").status, 206);
    const RawResponse same = get("/api/player/stream/1", "If-None-Match: \"one\"\r\n");
    EXPECT_EQ(same.status, 304);
    EXPECT_EQ(same.header("etag"), "\"one\"");
    EXPECT_FALSE(same.has("content-length"));
}

TEST_F(StreamTest, EmptyBodiesAndMissingBodiesHaveLengthZero) {
    serve_bytes(0);
    RawClient client(http.port());
    const auto empty = client.get("/api/player/stream/1");
    ASSERT_TRUE(empty);
    EXPECT_EQ(empty->status, 200);
    EXPECT_EQ(empty->header("content-length"), "0");
    serve([](const StreamQuery&) {
        Representation later;
        later.status = 202;
        later.headers = {{"Retry-After", "1"}};
        later.cache_control = "no-store";
        return later;
    });
    const auto accepted = client.get("/api/player/stream/1?available=true");
    ASSERT_TRUE(accepted);
    EXPECT_EQ(accepted->status, 202);
    EXPECT_EQ(accepted->header("content-length"), "0");
    EXPECT_EQ(accepted->header("retry-after"), "1");
    EXPECT_FALSE(accepted->has("accept-ranges"));
}

TEST_F(StreamTest, OffsetsBeyondFourGigabytesAreExact) {
    constexpr std::uint64_t size = 9'000'000'000'000;
    serve_bytes(size);
    const RawResponse answer = get("/api/player/stream/1", "Range: bytes=8000000000001-8000000000100\r\n");
    EXPECT_EQ(answer.header("content-range"), "bytes 8000000000001-8000000000100/9000000000000");
    EXPECT_EQ(answer.body, test::bytes_at(8'000'000'000'001, 100));
    const RawResponse tail = get("/api/player/stream/1", "Range: bytes=-10\r\n");
    EXPECT_EQ(tail.body, test::bytes_at(size - 10, 10));
    RawClient client(http.port());
    client.request("GET", "/api/player/stream/1", "Range: bytes=2147483000-\r\n");
    EXPECT_TRUE(client.receive_bytes(200'000));
    EXPECT_NE(client.received().find("Content-Length: 8997852517000\r\n"), std::string::npos);
}

TEST_F(StreamTest, ABodyThatBreaksOffIsSeenAsAResetNotAsAnEnd) {
    serve_bytes(1'000'000, [](std::uint64_t offset, const auto&) {
        if (offset > 300'000) throw std::runtime_error("the disk is gone");
        return true;
    });
    RawClient client(http.port());
    client.request("GET", "/api/player/stream/1", "Connection: close\r\n");
    EXPECT_EQ(client.ending(), Ending::reset);
    EXPECT_LT(client.received().size(), 1'000'000U);
}

TEST_F(StreamTest, ABodyThatCannotBeginIsAnErrorStatus) {
    serve_bytes(1'000'000, [](auto, const auto&) -> bool { throw std::runtime_error("the secret disk is gone"); });
    const RawResponse answer = get("/api/player/stream/1");
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(answer.body.find("secret"), std::string::npos);
    serve_bytes(1'000'000, [](auto, const auto&) -> bool { throw HttpError(422, "not audio"); });
    EXPECT_EQ(get("/api/player/stream/1").status, 422);
}

TEST_F(StreamTest, AHalfClosedClientGetsTheWholeAnswer) {
    constexpr std::size_t size = 3'000'000;
    serve_bytes(size);
    RawClient client(http.port());
    client.request("GET", "/api/player/stream/1");
    client.half_close();
    const auto answer = client.response();
    ASSERT_TRUE(answer);
    EXPECT_TRUE(answer->body == test::bytes_at(0, size));
    EXPECT_EQ(client.ending(), Ending::closed);
}

// The first byte comes only after more than the second that a FIN is given the benefit of the doubt.
TEST_F(StreamTest, AHalfClosedClientMayWaitLongForTheFirstByte) {
    serve_bytes(1000, [](auto, const std::function<bool()>& listener_present) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1300);
        while (std::chrono::steady_clock::now() < until) {
            if (!listener_present()) return false;
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        return true;
    });
    RawClient client(http.port());
    client.request("GET", "/api/player/stream/1");
    client.half_close();
    const auto answer = client.response();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, test::bytes_at(0, 1000));
}

// Waits inside read, as a render does, until the listener is gone.
bool wait_for_departure(const std::function<bool()>& listener_present, Happening& left) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (listener_present() && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    if (!listener_present()) left.now();
    return false;
}

TEST_F(StreamTest, AListenerLeavingBeforeTheFirstByteIsNoticed) {
    Happening waiting;
    Happening left;
    serve_bytes(1000, [&](auto, const std::function<bool()>& listener_present) {
        waiting.now();
        return wait_for_departure(listener_present, left);
    });
    RawClient client(http.port());
    client.request("GET", "/api/player/stream/1");
    ASSERT_TRUE(waiting.wait());
    client.close();
    EXPECT_TRUE(left.wait(std::chrono::seconds(3)));
}

TEST_F(StreamTest, AListenerLeavingInTheMiddleIsNoticed) {
    Happening waiting;
    Happening left;
    serve_bytes(1'000'000, [&](std::uint64_t offset, const std::function<bool()>& listener_present) {
        if (offset == 0) return true;
        waiting.now();
        return wait_for_departure(listener_present, left);
    });
    RawClient client(http.port());
    client.request("GET", "/api/player/stream/1");
    ASSERT_TRUE(client.receive_bytes(50'000));
    ASSERT_TRUE(waiting.wait());
    client.close();
    EXPECT_TRUE(left.wait(std::chrono::seconds(3)));
}

TEST_F(StreamTest, AListenerThatStaysIsNeverReportedGone) {
    std::atomic<bool> was_present = true;
    serve_bytes(1000, [&](auto, const std::function<bool()>& listener_present) {
        for (int i = 0; i < 1000; ++i) was_present = was_present && listener_present();
        return true;
    });
    EXPECT_EQ(get("/api/player/stream/1").body.size(), 1000U);
    EXPECT_TRUE(was_present);
}

TEST_F(StreamTest, OldClientsAndCloseInAnySpellingAreClosedAfterAPlainAnswer) {
    serve_bytes(1000);
    for (const char* request :
         {"GET /api/player/stream/1 HTTP/1.0\r\n\r\n", "GET /api/player/stream/1 HTTP/1.0\r\nHost: localhost:1\r\n\r\n",
          "GET /api/player/stream/1 HTTP/1.1\r\nHost: localhost\r\nConnection: Close\r\n\r\n",
          "GET /api/player/stream/1 HTTP/1.1\r\nHost: localhost\r\nconnection: TE, CLOSE\r\n\r\n"}) {
        RawClient client(http.port());
        client.send(request);
        const auto answer = client.response();
        ASSERT_TRUE(answer) << request;
        EXPECT_EQ(answer->status, 200) << request;
        EXPECT_EQ(answer->body, test::bytes_at(0, 1000)) << request;
        EXPECT_FALSE(answer->has("transfer-encoding")) << request;
        EXPECT_EQ(answer->header("connection"), "close") << request;
        EXPECT_EQ(client.ending(), Ending::closed) << request;
    }
}

TEST_F(StreamTest, PipelinedRequestsAreAllAnsweredInOrder) {
    serve([](const StreamQuery& query) { return test::representation(static_cast<std::uint64_t>(query.track_id)); });
    RawClient client(http.port());
    std::string requests;
    for (int id = 1; id <= 50; ++id) {
        requests += "GET /api/player/stream/" + std::to_string(id) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    }
    client.send(requests);
    for (int id = 1; id <= 50; ++id) {
        const auto answer = client.response();
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->body.size(), static_cast<std::size_t>(id));
    }
}

TEST_F(StreamTest, ParametersReachTheSource) {
    get("/api/player/stream/"
        "9.wav?enhanced=false&preset=warm&intensity=0.5&depth=24&loudness=off&start=1.5&available=true"
        "&v=abc&scope=track&token=x");
    const StreamQuery query = sources.streams.last;
    EXPECT_EQ(query.track_id, 9);
    EXPECT_FALSE(query.enhanced);
    EXPECT_EQ(query.recipe.preset, "warm");
    EXPECT_EQ(query.recipe.intensity, 0.5);
    EXPECT_EQ(query.recipe.depth, "24");
    EXPECT_FALSE(query.recipe.loudness);
    EXPECT_EQ(query.start_seconds, 1.5);
    EXPECT_TRUE(query.available);
    EXPECT_EQ(query.recipe.recipe_id, "abc");
    get("/api/player/stream/9");
    EXPECT_TRUE(sources.streams.last.enhanced);
    EXPECT_EQ(sources.streams.last.recipe.preset, "adaptive");
    EXPECT_EQ(sources.streams.last.recipe.intensity, 1.0);
}

TEST_F(StreamTest, WhatIsNotOfferedIsRefusedByName) {
    for (const auto& [target, status] :
         std::vector<std::pair<std::string, int>>{{"/api/player/stream/1.flac", 400},
                                                  {"/api/player/stream/1.opus", 400},
                                                  {"/api/player/stream/1.mp3", 404},
                                                  {"/api/player/stream/0", 404},
                                                  {"/api/player/stream/-1", 404},
                                                  {"/api/player/stream/x.wav", 404},
                                                  {"/api/player/stream/1?scope=album", 400},
                                                  {"/api/player/stream/1?rate=48000", 400},
                                                  {"/api/player/stream/1?depth=32", 400},
                                                  {"/api/player/stream/1?intensity=2", 400},
                                                  {"/api/player/stream/1?start=-1", 400},
                                                  {"/api/player/stream/1?enhanced=maybe", 400},
                                                  {"/api/player/stream/1?presett=warm", 400},
                                                  {"/api/player/stream/99999999999999999999", 404}}) {
        const RawResponse answer = get(target);
        EXPECT_EQ(answer.status, status) << target;
        EXPECT_EQ(answer.header("content-type"), "application/problem+json") << target;
        EXPECT_EQ(Json::parse(answer.body)["status"], status) << target;
    }
}

}  // namespace
}  // namespace lacquer::server
