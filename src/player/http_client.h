// One GET over HTTP/1.1 or HTTPS, from a server that is not trusted.
//
// Method:  cpp-httplib's client, over a stream of our own, because that library bounds neither heads nor chunk lines
// and
//          matches status lines by a regular expression that a long one overflows the stack of. Certificates are
//          checked against the system's. Bodies are taken as they are: compressed ones are refused.
// Threads: the caller's; nothing is shared.
// Memory:  64 KiB of head; what a server sends around the body is at most as much as the body, and 4 MB.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "src/player/url.h"

namespace lacquer::player {

struct HttpGet {
    Url url;
    std::uint64_t from_byte = 0;  // > 0: asks for the rest from there, if `if_range` still holds
    std::string if_range;         // a strong entity tag, quoted
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds silence_timeout{30'000};  // without a byte, while one is awaited
};

struct HttpHead {
    int status = 0;
    std::string content_type;
    std::string etag;
    std::string location;
    std::string content_range;
    std::string content_encoding;
    std::optional<std::uint64_t> content_bytes;  // nullopt: not told
    std::chrono::seconds retry_after{0};         // 0: not told, or told as a date
    bool has_audio_status = false;               // X-Audio-Status: what Lacquer enhanced
};

enum class HttpEnd {
    complete,     // the body ended where the server said it would, or with the connection where it said nothing
    given_up,     // by what was called: on_head, on_body, cancelled
    unreachable,  // no connection: refused, no such host
    untrusted,    // TLS: no agreement, or a certificate that is not the host's
    timed_out,    // connecting, or silence
    broken,       // the connection, or what came is no HTTP
    too_much,     // around the body
};

struct HttpCalls {
    std::function<bool(const HttpHead&)> on_head;             // false: give up
    std::function<bool(std::span<const std::byte>)> on_body;  // false: give up
    std::function<bool()> cancelled = [] { return false; };   // about every 50 ms, but not while connecting
};

HttpEnd http_get(const HttpGet& request, const HttpCalls& calls);

}  // namespace lacquer::player
