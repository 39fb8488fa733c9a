#include "server/event_stream.h"

#include <algorithm>
#include <utility>

namespace lacquer::server {
namespace {

constexpr std::chrono::milliseconds patience{200};

}  // namespace

std::string event_block(const Event& event) {
    std::string type = event.type;
    std::replace_if(
        type.begin(), type.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    return "id: " + std::to_string(event.id) + "\nevent: " + type +
           "\ndata: " + event.data.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n\n";
}

Response event_response(std::unique_ptr<EventSubscription> events) {
    Response response;
    response.headers = {
        {"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
    response.events = std::move(events);
    response.is_endless = true;
    return response;
}

void write_events(Connection& connection, EventSubscription& events, std::chrono::milliseconds comment_period,
                  const std::function<bool()>& is_stopping) {
    using Clock = std::chrono::steady_clock;
    auto next_comment = Clock::now();
    while (!is_stopping() && connection.peer_is_present()) {
        const auto event = events.next(std::min(patience, comment_period));
        if (event) {
            if (!connection.write(event_block(*event))) return;
        } else if (Clock::now() >= next_comment) {
            if (!connection.write(std::string_view(": here\n\n"))) return;
            next_comment = Clock::now() + comment_period;
        }
    }
}

}  // namespace lacquer::server
