#include "server/routes.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/server/memory_sources.h"

namespace lacquer::server {
namespace {

class RoutesTest : public testing::Test {
protected:
    Response ask(const std::string& method, const std::string& target, const Headers& headers = {{"Host", "box:1"}}) {
        Request request;
        request.method = method;
        request.headers = headers;
        const auto mark = std::min(target.find('?'), target.size());
        request.path = target.substr(0, mark);
        request.query = mark < target.size() ? target.substr(mark + 1) : "";
        return routes.answer(request);
    }
    int status_of(const std::string& method, const std::string& target) {
        try {
            return ask(method, target).status;
        } catch (const HttpError& error) {
            return error.status;
        }
    }
    static std::string text(const Response& response) {
        std::string all;
        for (const Segment& segment : response.segments) all += segment.text;
        return all;
    }
    static std::string header(const Response& response, const std::string& name) {
        for (const auto& [key, value] : response.headers)
            if (key == name) return value;
        return "";
    }

    test::MemorySources sources;
    Routes routes{sources.all(), "http://127.0.0.1:4747", ""};
};

TEST_F(RoutesTest, EveryRouteOfTheTableAnswersGetAndHead) {
    for (const char* target :
         {"/api/player/stream/1", "/api/player/stream/1.wav", "/api/presets", "/api/tracks", "/api/tracks/1",
          "/api/tracks/1/profile", "/api/tracks/1/render", "/api/tracks/1/render/chunks/0", "/api/events",
          "/playlist.m3u8", "/healthz", "/readyz", "http://localhost/healthz"}) {
        EXPECT_EQ(status_of("GET", target), 200) << target;
        EXPECT_EQ(status_of("HEAD", target), 200) << target;
        EXPECT_EQ(status_of("OPTIONS", target), 204) << target;
        EXPECT_EQ(status_of("PATCH", target), 405) << target;
        EXPECT_EQ(status_of("GET", std::string(target) + "?unknown=1"), 400) << target;
    }
    EXPECT_EQ(status_of("POST", "/api/tracks/1/render"), 202);
    EXPECT_EQ(status_of("DELETE", "/api/tracks/1/render"), 204);
    EXPECT_EQ(status_of("OPTIONS", "*"), 204);
}

TEST_F(RoutesTest, SaysWhatIsAllowed) {
    EXPECT_EQ(header(ask("PUT", "/api/tracks/1/render"), "Allow"), "GET, HEAD, POST, DELETE, OPTIONS");
    EXPECT_EQ(header(ask("POST", "/healthz"), "Allow"), "GET, HEAD, OPTIONS");
}

TEST_F(RoutesTest, NumbersInPathsAreNamedWhenTheyAreNone) {
    for (const char* target : {"/api/tracks/x", "/api/tracks/0", "/api/tracks/-1", "/api/tracks/1.5/profile",
                               "/api/tracks/1/render/chunks/x", "/api/tracks/99999999999999999999"}) {
        try {
            ask("GET", target);
            ADD_FAILURE() << target;
        } catch (const HttpError& error) {
            EXPECT_EQ(error.status, 404) << target;
            EXPECT_EQ(error.members.size(), 1U) << target;
        }
    }
}

TEST_F(RoutesTest, ListParametersReachTheSource) {
    ask("GET", "/api/tracks?query=so+what&origin=upload&startIndex=200&limit=50");
    EXPECT_EQ(sources.tracks.last_list.query, "so what");
    EXPECT_EQ(sources.tracks.last_list.origin, "upload");
    EXPECT_EQ(sources.tracks.last_list.start_index, 200);
    EXPECT_EQ(sources.tracks.last_list.limit, 50);
    EXPECT_EQ(status_of("GET", "/api/tracks?limit=1001"), 400);
    EXPECT_EQ(status_of("GET", "/api/tracks?limit=0"), 400);
    EXPECT_EQ(status_of("GET", "/api/tracks?startIndex=-1"), 400);
}

TEST_F(RoutesTest, BadTagsBecomeValidJson) {
    const Json document = Json::parse(text(ask("GET", "/api/tracks/3")));
    EXPECT_EQ(document["title"], "bad \xEF\xBF\xBD byte");
}

TEST_F(RoutesTest, ReadinessIs503WhileNotReady) {
    sources.status.is_ready = false;
    EXPECT_EQ(status_of("GET", "/readyz"), 503);
    EXPECT_EQ(status_of("GET", "/healthz"), 200);
}

TEST_F(RoutesTest, PlaylistsCarryAbsoluteUrlsWithWhatWasAsked) {
    const Response response = ask("GET", "/playlist.m3u8?preset=warm&intensity=0.5&query=a%20b");
    EXPECT_EQ(header(response, "Content-Type"), "audio/x-mpegurl");
    EXPECT_EQ(text(response),
              "#EXTM3U\n"
              "#EXTINF:61,Artist - Title\n"
              "http://box:1/api/player/stream/1.wav?preset=warm&intensity=0.5&v=r1\n"
              "#EXTINF:2,Two Lines\n"
              "http://box:1/api/player/stream/2.wav?preset=warm&intensity=0.5\n");
    EXPECT_EQ(sources.tracks.last_playlist_query, "a b");
    EXPECT_NE(text(ask("GET", "/playlist.m3u8", {})).find("\nhttp://127.0.0.1:4747/api/player/stream/2.wav\n"),
              std::string::npos);
    const Routes guarded(sources.all(), "http://10.0.0.1:1", "streamtoken");
    Request request;
    request.method = "GET";
    request.path = "/playlist.m3u8";
    EXPECT_NE(text(guarded.answer(request)).find("1.wav?token=streamtoken&v=r1\n"), std::string::npos);
}

TEST_F(RoutesTest, SubjectsOfEventsAndTheLastIdReachTheSource) {
    ask("GET", "/api/events?track=1,2&track=3&job=4", {{"Last-Event-ID", "17"}});
    EXPECT_EQ(sources.events.tracks, (std::vector<std::int64_t>{1, 2, 3}));
    EXPECT_EQ(sources.events.jobs, (std::vector<std::int64_t>{4}));
    EXPECT_EQ(sources.events.last_id, 17U);
    ask("GET", "/api/events", {{"Last-Event-ID", "none of ours"}});
    EXPECT_EQ(sources.events.last_id, std::nullopt);
}

}  // namespace
}  // namespace lacquer::server
