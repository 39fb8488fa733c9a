// Server-sent events (WHATWG HTML, 9.2): one block per event, a comment now and then.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "server/connection.h"
#include "server/request.h"

namespace lacquer::server {

std::string event_block(const Event& event);  // "id: 7\nevent: chunkComplete\ndata: {...}\n\n"

// `events` may be null for HEAD.
Response event_response(std::unique_ptr<EventSubscription> events);

// Until the client leaves or `is_stopping`; both are noticed within about 200 ms.
void write_events(Connection& connection, EventSubscription& events, std::chrono::milliseconds comment_period,
                  const std::function<bool()>& is_stopping);

}  // namespace lacquer::server
