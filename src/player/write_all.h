#pragma once

#include <functional>
#include <string_view>

namespace lacquer::player {

// False: there is no use in waiting any longer.
using GoOn = std::function<bool()>;
inline bool go_on_for_ever() {
    return true;
}

// All of it, in one write(2) where the other end takes it. While that does not read, `go_on` is asked about every
// 50 ms. False: it said no, or nobody reads any more. SIGPIPE is expected to be ignored.
bool write_all(int descriptor, std::string_view bytes, const GoOn& go_on);

}  // namespace lacquer::player
