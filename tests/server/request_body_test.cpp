// Request bodies over real sockets: what is taken, what is refused and how the connection goes on after each.
#include "server/request_body.h"

#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "server/http_server.h"
#include "tests/server/memory_sources.h"
#include "tests/server/raw_client.h"

namespace lacquer::server {
namespace {

using test::Ending;
using test::RawClient;
using test::RawResponse;

const std::string kGood = R"({"name":"mine","trackId":7})";

class RequestBodyTest : public testing::Test {
protected:
    static std::string head(std::size_t bytes, const std::string& further = "") {
        return "POST /api/presets HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
               std::to_string(bytes) + "\r\n" + further + "\r\n";
    }
    static std::string post(const std::string& body, const std::string& further = "") {
        return head(body.size(), further) + body;
    }
    RawResponse answer_to(const std::string& text) {
        RawClient client(http.port());
        client.send(text);
        const auto answer = client.response();
        EXPECT_TRUE(answer) << text.substr(0, 200);
        return answer.value_or(RawResponse{});
    }
    static void expect_goes_on(RawClient& client) {
        const auto next = client.get("/healthz");
        ASSERT_TRUE(next);
        EXPECT_EQ(next->status, 200);
    }

    test::MemorySources sources;
    HttpServer http{sources.all(), test::any_port()};
};

TEST_F(RequestBodyTest, ReachesTheRouteWhole) {
    RawClient client(http.port());
    client.send(post(kGood));
    const auto answer = client.response();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 201);
    ASSERT_EQ(sources.presets.orders.size(), 1u);
    EXPECT_EQ(sources.presets.orders[0].name, "mine");
    EXPECT_EQ(sources.presets.orders[0].track_id, 7);
    expect_goes_on(client);
}

TEST_F(RequestBodyTest, MayComeInPiecesAndBeFollowedByARequestAtOnce) {
    RawClient client(http.port());
    client.send(head(kGood.size()) + kGood.substr(0, 5));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // so that it is read in two pieces, most likely
    client.send(kGood.substr(5) + "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(client.response()->status, 201);
    EXPECT_EQ(client.response()->status, 200);
    EXPECT_EQ(sources.presets.orders.size(), 1u);
}

TEST_F(RequestBodyTest, IsSentAfterContinueToThoseWhoWaitForIt) {
    RawClient client(http.port());
    client.send(head(kGood.size(), "Expect: 100-continue\r\n"));
    ASSERT_TRUE(client.receive_text("HTTP/1.1 100 Continue\r\n\r\n"));
    client.send(kGood);
    EXPECT_EQ(client.response()->status, 201);
    expect_goes_on(client);
}

TEST_F(RequestBodyTest, WhatIsNotUnderstoodIs400AndNamesTheField) {
    struct Row {
        std::string body;
        std::string field;
    };
    const Row rows[] = {
        {"", ""},
        {"{", ""},
        {"[]", ""},
        {"null", ""},
        {R"({"name":"a","trackId":1} x)", ""},
        {std::string("{\"name\":\"\xFF\",\"trackId\":1}"), ""},
        {std::string(60'000, '['), ""},
        {R"({"name":"a"})", "trackId"},
        {R"({"trackId":1})", "name"},
        {R"({"name":1,"trackId":1})", "name"},
        {R"({"name":"a","trackId":"1"})", "trackId"},
        {R"({"name":"a","trackId":1.5})", "trackId"},
        {R"({"name":"a","trackId":0})", "trackId"},
        {R"({"name":"a","trackId":-1})", "trackId"},
        {R"({"name":"a","trackId":18446744073709551615})", "trackId"},
        {R"({"name":"a","trackId":true})", "trackId"},
        {R"({"name":"a","trackId":1,"colour":"red"})", "colour"},
        {R"({"name":"a","trackId":1,"name":"b"})", "name"},
    };
    for (const Row& row : rows) {
        RawClient client(http.port());
        client.send(post(row.body));
        const auto answer = client.response();
        ASSERT_TRUE(answer) << row.body.substr(0, 100);
        EXPECT_EQ(answer->status, 400) << row.body.substr(0, 100);
        EXPECT_EQ(answer->header("content-type"), "application/problem+json");
        const Json problem = Json::parse(answer->body);
        EXPECT_EQ(problem.value("field", ""), row.field) << row.body.substr(0, 100);
        EXPECT_FALSE(problem.at("detail").get<std::string>().empty());
        expect_goes_on(client);
    }
    EXPECT_TRUE(sources.presets.orders.empty());
    EXPECT_NE(answer_to(post("{\"name\": x}")).body.find("column 10"), std::string::npos) << "where it is wrong";
}

TEST_F(RequestBodyTest, OtherTypesAre415) {
    for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "application/jsonp", "", "json"}) {
        RawClient client(http.port());
        client.send("POST /api/presets HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + std::string(type) +
                    "\r\nContent-Length: " + std::to_string(kGood.size()) + "\r\n\r\n" + kGood);
        EXPECT_EQ(client.response()->status, 415) << type;
        expect_goes_on(client);
    }
    EXPECT_EQ(answer_to("POST /api/presets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n").status, 415);
    EXPECT_EQ(
        answer_to("POST /api/presets HTTP/1.1\r\nHost: localhost\r\ncontent-type: Application/JSON ; charset=utf-8\r\n"
                  "Content-Length: " +
                  std::to_string(kGood.size()) + "\r\n\r\n" + kGood)
            .status,
        201);
}

TEST_F(RequestBodyTest, MoreThan64KiBAre413BeforeTheyAreSent) {
    std::string body = kGood;
    body.insert(1, std::string(64 * 1024 - body.size(), ' '));
    EXPECT_EQ(answer_to(post(body)).status, 201);
    RawClient client(http.port());
    client.send(head(64 * 1024 + 1, "Expect: 100-continue\r\n"));
    EXPECT_EQ(client.response()->status, 413);
    EXPECT_EQ(client.ending(), Ending::closed);
    EXPECT_EQ(answer_to(post(body + " ")).status, 413);
}

TEST_F(RequestBodyTest, OneThatBreaksOffIs408AndEndsTheConnection) {
    ServerOptions impatient = test::any_port();
    impatient.body_timeout = std::chrono::milliseconds(300);
    const HttpServer hasty(sources.all(), impatient);
    for (const bool closes : {false, true}) {
        RawClient client(hasty.port());
        client.send(head(kGood.size()) + kGood.substr(0, 10));
        if (closes) client.half_close();
        const auto answer = client.response();
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->status, 408);
        EXPECT_EQ(answer->header("connection"), "close");
        EXPECT_EQ(client.ending(), Ending::closed);
    }
    EXPECT_TRUE(sources.presets.orders.empty());
}

TEST_F(RequestBodyTest, ABodyIsNeverTakenForARequest) {
    const std::string smuggled = "DELETE /api/presets/mine HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for (const std::string& text :
         {post(smuggled),
          "POST /api/presets HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
          "Transfer-Encoding: chunked\r\n\r\n" +
              smuggled,
          head(2, "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n" + smuggled,
          head(2, "Content-Length: 60\r\n") + "{}" + smuggled,
          head(smuggled.size(), "Origin: http://evil.example\r\n") + smuggled,
          head(70'000) + std::string(70'000 - smuggled.size(), ' ') + smuggled}) {
        const int status = answer_to(text).status;
        EXPECT_GE(status, 400) << text.substr(0, 200);
        EXPECT_LT(status, 500) << text.substr(0, 200);
        EXPECT_EQ(sources.presets.removed, "") << text.substr(0, 200);
    }
    EXPECT_TRUE(sources.presets.orders.empty());
}

TEST_F(RequestBodyTest, AnotherSiteMayNotPost) {
    EXPECT_EQ(answer_to(post(kGood, "Origin: http://evil.example\r\n")).status, 403);
    EXPECT_TRUE(sources.presets.orders.empty());
    EXPECT_EQ(answer_to(post(kGood, "Origin: http://localhost\r\n")).status, 201);
}

TEST_F(RequestBodyTest, ARetryNamesItsChunksOrMeansAllOfThem) {
    const auto retry = [&](const std::string& body) {
        return answer_to(
            "POST /api/tracks/7/render/retry HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            "Content-Length: " +
            std::to_string(body.size()) + "\r\n\r\n" + body);
    };
    EXPECT_EQ(retry(R"({"chunks":[0,12]})").status, 202);
    EXPECT_EQ(sources.renders.retried, (std::vector<std::int64_t>{0, 12}));
    EXPECT_EQ(retry("").status, 202);
    EXPECT_TRUE(sources.renders.retried.empty());
    EXPECT_EQ(answer_to("POST /api/tracks/7/render/retry HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 202);
    sources.renders.retried = {99};
    for (const char* wrong : {"{}", R"({"chunks":1})", R"({"chunks":[-1]})", R"({"chunks":[1.5]})",
                              R"({"chunks":["1"]})", R"({"chunks":[1],"all":true})", "[]"}) {
        EXPECT_EQ(retry(wrong).status, 400) << wrong;
    }
    EXPECT_EQ(sources.renders.retried, std::vector<std::int64_t>{99});
}

TEST_F(RequestBodyTest, DeleteNamesThePresetInThePath) {
    RawClient client(http.port());
    client.request("DELETE", "/api/presets/late%20night");
    EXPECT_EQ(client.response()->status, 204);
    EXPECT_EQ(sources.presets.removed, "late night");
    client.request("DELETE", "/api/presets/adaptive");
    EXPECT_EQ(client.response()->status, 409);
    client.request("GET", "/api/presets/late");
    EXPECT_EQ(client.response()->status, 405);
}

}  // namespace
}  // namespace lacquer::server
