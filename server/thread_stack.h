// The memory of a thread's stack.
#pragma once

namespace lacquer::server {

// Gives the pages below the caller's frame back to the system. Reading a head and finding its answer takes deeper calls
// than the streaming that follows, and a connection may stream for hours. Costs two system calls, and page faults when
// the stack grows again.
void release_unused_stack() noexcept;

}  // namespace lacquer::server
