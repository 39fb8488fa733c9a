#include "server/event_stream.h"

#include <atomic>
#include <thread>

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

// Events as fast as they are taken, to each subscriber.
class EndlessEvents : public EventSource {
public:
    std::unique_ptr<EventSubscription> subscribe(std::vector<std::int64_t>, std::vector<std::int64_t>,
                                                 std::optional<std::uint64_t>) override {
        return std::make_unique<Subscription>(++subscribers == 1 ? taken_by_first : taken_by_others);
    }
    std::atomic<int> subscribers = 0;
    std::atomic<std::uint64_t> taken_by_first = 0;
    std::atomic<std::uint64_t> taken_by_others = 0;

private:
    class Subscription : public EventSubscription {
    public:
        explicit Subscription(std::atomic<std::uint64_t>& taken) : taken_(taken) {}
        std::optional<Event> next(std::chrono::milliseconds) override {
            return Event{++taken_, "chunkComplete", {{"trackId", 1}, {"padding", std::string(200, 'x')}}};
        }

    private:
        std::atomic<std::uint64_t>& taken_;
    };
};

TEST(EventStream, ASubscriberThatNeverReadsTakesWhatItsSocketHoldsAndHoldsUpNobody) {
    test::MemorySources sources;
    EndlessEvents events;
    Sources all{sources.tracks, sources.presets, sources.streams, sources.renders, events, sources.status};
    HttpServer http(all, test::any_port());
    RawClient deaf(http.port(), 4096);
    deaf.request("GET", "/api/events");
    std::uint64_t taken = 0;
    do {  // until it is held up by its socket
        taken = events.taken_by_first;
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
    } while (taken == 0 || events.taken_by_first != taken);
    EXPECT_LT(taken, 10'000U) << "a few hundred kilobytes";
    for (int i = 0; i < 20; ++i) {
        RawClient other(http.port());
        other.request("GET", "/api/events");
        EXPECT_TRUE(other.receive_bytes(100'000));
    }
    EXPECT_EQ(events.taken_by_first, taken);
    http.stop(std::chrono::milliseconds(0));
    EXPECT_NE(deaf.ending(), test::Ending::open);
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
