#include "src/player/write_all.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>

#include <poll.h>
#include <unistd.h>

namespace lacquer::player {

bool write_all(int descriptor, std::string_view bytes, const GoOn& go_on) {
    constexpr int kLookMs = 50;
    while (!bytes.empty()) {
        pollfd entry{descriptor, POLLOUT, 0};
        const int ready = ::poll(&entry, 1, kLookMs);
        if (ready == 0 && !go_on()) return false;
        if (ready <= 0) continue;
        // What a pipe that is ready takes without waiting.
        const ssize_t count = ::write(descriptor, bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF));
        if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
        if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)) return false;
    }
    return true;
}

}  // namespace lacquer::player
