#pragma once

#include <string_view>

namespace lacquer::player {

// All of it, in one write(2) where the other end takes it. False: nobody reads it any more. SIGPIPE is expected to be
// ignored.
bool write_all(int descriptor, std::string_view bytes) noexcept;

}  // namespace lacquer::player
