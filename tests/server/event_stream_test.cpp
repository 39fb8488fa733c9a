#include "server/event_stream.h"

#include <gtest/gtest.h>

#include "server/http_server.h"
#include "tests/server/memory_sources.h"
#include "tests/server/raw_client.h"

namespace lacquer::server {
namespace {

using test::RawClient;

class EventStreamTest : public testing::Test {
protected:
    static ServerOptions chatty() {
        ServerOptions options = test::any_port();
        options.event_comment_period = std::chrono::milliseconds(50);
        return options;
    }
    test::MemorySources sources;
    HttpServer http{sources.all(), chatty()};
};

TEST(EventBlock, IsOneBlockWhateverTheEventHolds) {
    EXPECT_EQ(event_block({7, "chunkComplete", {{"trackId", 1}}}),
              "id: 7\nevent: chunkComplete\ndata: {\"trackId\":1}\n\n");
    EXPECT_EQ(event_block({8, "a\nb", {{"t", "x\ny\xFF"}}}),
              "id: 8\nevent: a b\ndata: {\"t\":\"x\\ny\xEF\xBF\xBD\"}\n\n");
}

TEST_F(EventStreamTest, EventsArriveInOrderWithComments) {
    RawClient client(http.port());
    client.request("GET", "/api/events?track=1");
    ASSERT_TRUE(client.receive_text(": here\n\n"));
    EXPECT_NE(client.received().find("Content-Type: text/event-stream\r\n"), std::string::npos);
    EXPECT_NE(client.received().find("X-Accel-Buffering: no\r\n"), std::string::npos);
    EXPECT_EQ(client.received().find("Content-Length"), std::string::npos);
    sources.events.send({5, "one", {{"trackId", 1}}});
    sources.events.send({6, "two", {{"trackId", 1}}});
    ASSERT_TRUE(client.receive_text("id: 6\nevent: two\ndata: {\"trackId\":1}\n\n"));
    EXPECT_LT(client.received().find("id: 5\n"), client.received().find("id: 6\n"));
    const std::size_t so_far = client.received().size();
    ASSERT_TRUE(client.receive_bytes(so_far + 30)) << "comments go on";
}

TEST_F(EventStreamTest, AClientThatLeavesIsUnsubscribed) {
    RawClient client(http.port());
    client.request("GET", "/api/events");
    ASSERT_TRUE(client.receive_text(": here"));
    client.close();
    EXPECT_TRUE(sources.events.unsubscribed.wait(std::chrono::seconds(3)));
}

TEST_F(EventStreamTest, HeadHasTheSameHeadersAndEnds) {
    RawClient client(http.port());
    client.request("HEAD", "/api/events");
    const auto head = client.response(true);
    ASSERT_TRUE(head);
    EXPECT_EQ(head->header("content-type"), "text/event-stream");
    EXPECT_FALSE(head->has("content-length"));
    EXPECT_EQ(head->header("connection"), "close");
}

TEST_F(EventStreamTest, StoppingEndsEventStreamsAtOnce) {
    RawClient client(http.port());
    client.request("GET", "/api/events");
    ASSERT_TRUE(client.receive_text(": here"));
    http.stop(std::chrono::hours(1));  // would wait an hour for a running response
    EXPECT_EQ(client.ending(), test::Ending::closed);
}

}  // namespace
}  // namespace lacquer::server
