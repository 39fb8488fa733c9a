// One request and its answer in our own types: what the routes see, whichever library parsed the bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/byte_range.h"
#include "server/sources.h"

namespace lacquer::server {

struct Request {
    std::string method;
    std::string path;   // as sent, still percent-encoded, perhaps with scheme and authority
    std::string query;  // as sent, without the '?'
    int minor_version = 1;
    Headers headers;                   // without Range
    std::optional<std::string> range;  // the Range header, when there was exactly one
    std::uint64_t body_bytes = 0;      // that are still to be read, of Content-Length
    bool body_is_awaited = false;      // Expect: 100-continue
    bool body_is_lost = false;         // it broke off: what follows on the connection cannot be told apart
    std::string body;                  // of the routes that take one (server/request_body.h)
    std::function<bool()> listener_present = [] { return true; };
    bool is_head() const { return method == "HEAD"; }
    // Of "http://authority/path" (absolute form, RFC 9112, 3.2.2), which rules over Host; else Host.
    std::optional<std::string_view> authority() const;
    std::string_view origin_form() const;  // the path without scheme and authority
    // The first header of that name, in any case spelling; nullopt when there is none.
    std::optional<std::string_view> header(std::string_view name) const;
    // True when a comma-separated header has this element, in any case spelling.
    bool header_lists(std::string_view name, std::string_view element) const;
};

// A piece of an answer: some text, followed by some bytes of the answer's Body.
struct Segment {
    std::string text;
    ByteRange range;
};

struct Response {
    int status = 200;
    Headers headers;
    std::vector<Segment> segments;
    std::unique_ptr<Body> body;                 // null: the segments are text only
    std::unique_ptr<EventSubscription> events;  // set: events instead of segments
    bool is_endless = false;                    // no Content-Length; ends with the connection

    std::uint64_t content_bytes() const;
};

bool equals_ignoring_case(std::string_view a, std::string_view b);
std::string_view trimmed(std::string_view text);  // of spaces and tabs

Response text_response(int status, const std::string& content_type, std::string text);
Response json_response(int status, const Json& document);

}  // namespace lacquer::server
