#include "src/player/write_all.h"

#include <cerrno>
#include <cstddef>

#include <poll.h>
#include <unistd.h>

namespace lacquer::player {

bool write_all(int descriptor, std::string_view bytes) noexcept {
    while (!bytes.empty()) {
        const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
        if (count > 0) {
            bytes.remove_prefix(static_cast<std::size_t>(count));
        } else if (count < 0 && errno == EAGAIN) {  // another program made it non-blocking
            pollfd entry{descriptor, POLLOUT, 0};
            ::poll(&entry, 1, 1000);
        } else if (count == 0 || errno != EINTR) {
            return false;
        }
    }
    return true;
}

}  // namespace lacquer::player
