#include "server/session.h"

#include <exception>

#include "server/problem.h"
#include "server/request_body.h"
#include "server/response_writer.h"

namespace lacquer::server {
namespace {

using Phase = ConnectionRegistry::Phase;

constexpr std::uint64_t max_skipped_body_bytes = 64 * 1024;

// A request body nobody asked for is skipped when it is small; otherwise the connection cannot be used again.
bool can_go_on(const Request& request) {
    const bool wants_close = request.minor_version == 0 || request.header_lists("Connection", "close");
    const bool is_skippable = !request.body_is_awaited && request.body_bytes <= max_skipped_body_bytes;
    return !wants_close && !request.body_is_lost && is_skippable;
}

}  // namespace

void Session::log(const std::string& text) const {
    if (options_.log) options_.log(text);
}

void Session::run(int descriptor, WorkerPool::Lane lane) const noexcept {
    Connection connection(descriptor, options_.write_timeout);
    try {
        serve(connection, descriptor, lane);
    } catch (const std::exception& error) {
        // The last boundary: a connection may end, the daemon may not.
        registry_.remove(descriptor, lane == WorkerPool::Lane::regular);
        log(std::string("a connection ended: ") + error.what());
    }
}

void Session::serve(Connection& connection, int descriptor, WorkerPool::Lane lane) const {
    Next next = Next::request;
    for (bool is_first = true; next == Next::request; is_first = false) {
        std::string head;
        next = next_head(connection, descriptor, is_first, head);
        if (next == Next::request) next = answer(connection, guard_head(head), lane);
    }
    if (next == Next::linger) connection.close_gently();
    registry_.remove(descriptor, lane == WorkerPool::Lane::regular);
    if (next == Next::reset) connection.reset();
}

Session::Next Session::next_head(Connection& connection, int descriptor, bool is_first, std::string& head) const {
    if (!registry_.enter(descriptor, is_first ? Phase::reading : Phase::idle)) return Next::close;
    if (!connection.wait_for_request(is_first ? options_.head_timeout : options_.keep_alive_timeout)) {
        return Next::close;
    }
    if (!is_first && !registry_.enter(descriptor, Phase::reading)) return Next::close;
    switch (connection.read_head(head, options_.head_timeout)) {
        case Connection::Head::complete:
            break;
        case Connection::Head::closed:
            return Next::close;
        case Connection::Head::too_slow:
            return refuse(connection, 408, "the request did not arrive in time");
        case Connection::Head::too_large:
            return refuse(connection, 431, "the request head is too large");
    }
    return registry_.enter(descriptor, Phase::responding) ? Next::request : Next::close;
}

Session::Next Session::refuse(Connection& connection, int status, const std::string& reason) const {
    Response response = problem_response(status, reason);
    WriteContext context;
    context.closes = true;
    write_response(connection, response, context, slices_);
    return Next::linger;
}

Session::Next Session::answer(Connection& connection, const GuardedHead& guarded, WorkerPool::Lane lane) const {
    if (guarded.refusal != 0) return refuse(connection, guarded.refusal, guarded.reason);
    auto request = parser_.parse(guarded);
    if (!request) return refuse(connection, 400, "malformed request");
    request->listener_present = [&] { return !registry_.is_stopping() && connection.peer_is_present(); };
    Response response = respond(connection, *request);
    WriteContext context;
    context.head_only = request->is_head();
    context.closes = !can_go_on(*request) || lane == WorkerPool::Lane::express || registry_.ends_the_idle();
    context.takes_interim = request->minor_version == 1;
    context.event_comment_period = options_.event_comment_period;
    context.is_stopping = [this] { return registry_.is_stopping(); };
    context.log = options_.log;
    Written written = Written::broken;
    try {
        written = write_response(connection, response, context, slices_);
    } catch (const std::exception& error) {
        Response apology = failure(error);
        written = write_response(connection, apology, context, slices_);
    }
    if (written == Written::broken) return Next::reset;
    if (context.closes || response.is_endless) return request->body_bytes > 0 ? Next::linger : Next::close;
    return connection.skip_body(request->body_bytes, options_.body_timeout) ? Next::request : Next::linger;
}

Response Session::respond(Connection& connection, Request& request) const {
    try {
        access_.check(request);
        const std::uint64_t limit_bytes = routes_.body_limit_bytes(request);
        if (limit_bytes > 0) read_json_body(connection, request, limit_bytes, options_.body_timeout);
        return routes_.answer(request);
    } catch (const std::exception& error) {
        return failure(error);
    }
}

Response Session::failure(const std::exception& error) const {
    if (const auto* known = dynamic_cast<const HttpError*>(&error)) return problem_response(*known);
    log(std::string("a request failed: ") + error.what());
    return problem_response(500, "something went wrong inside; the log says what");
}

}  // namespace lacquer::server
