#include "server/request_body.h"

namespace lacquer::server {
namespace {

constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";

bool is_json(const Request& request) {
    const std::string_view type = request.header("Content-Type").value_or("");
    return equals_ignoring_case(trimmed(type.substr(0, type.find(';'))), "application/json");
}

}  // namespace

void read_json_body(Connection& connection, Request& request, std::uint64_t limit_bytes,
                    std::chrono::milliseconds patience) {
    if (request.body_bytes > limit_bytes) {
        throw HttpError(413, "the body has " + std::to_string(request.body_bytes) + " bytes; at most " +
                                 std::to_string(limit_bytes) + " are taken");
    }
    if (!is_json(request)) throw HttpError(415, "the body must be application/json", {{"field", "Content-Type"}});
    const bool asks_first = request.body_is_awaited && request.minor_version == 1;
    if (asks_first) connection.write(go_on);
    if (!connection.read_body(request.body, request.body_bytes, patience)) {
        request.body_is_lost = true;
        throw HttpError(408, "the request body did not arrive in time");
    }
    request.body_bytes = 0;
    request.body_is_awaited = false;
}

}  // namespace lacquer::server
