// Judges the bytes of a request head before any parser sees them, and rewrites the few things that the parser behind
// it would misread. A pure function: what may smuggle a second request, forge an address or grow without bound ends
// here, with a status.
//
// Rewritten: Range becomes guarded_range_header (the parser's own reading of it can exhaust the stack), percent signs
// in values are escaped once more (the parser decodes values), REMOTE_* and LOCAL_* are dropped (the parser sets them
// itself), as are Expect, Content-Length and Transfer-Encoding (bodies are counted by the connection).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lacquer::server {

inline constexpr std::size_t max_head_bytes = 16 * 1024;
inline constexpr std::size_t max_line_bytes = 8000;
inline constexpr std::size_t max_header_lines = 100;
inline constexpr std::string_view guarded_range_header = "Lacquer-Guarded-Range";

struct GuardedHead {
    int refusal = 0;     // 0: fine; else the status to answer before closing
    std::string reason;  // of the refusal
    std::string head;    // to be parsed
    std::uint64_t body_bytes = 0;
    bool body_is_awaited = false;  // the client waits for "100 Continue" before it sends the body
};

// `head` ends with the empty line.
GuardedHead guard_head(std::string_view head);

}  // namespace lacquer::server
