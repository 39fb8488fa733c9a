#include "src/media/open_file.h"

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace lacquer::media {
namespace {

constexpr int kAlways = O_CLOEXEC | O_NOFOLLOW;

int without_waiting(int flags) noexcept {
    return flags | kAlways | ((flags & O_PATH) == 0 ? O_NONBLOCK : 0);
}

void close_keeping_errno(int descriptor) noexcept {
    const int error = errno;
    ::close(descriptor);
    errno = error;
}

}  // namespace

int open_without_links(const std::filesystem::path& file, int flags) noexcept {
    open_how how{};
    how.flags = static_cast<unsigned long long>(without_waiting(flags));
    how.resolve = RESOLVE_NO_SYMLINKS;
    const long descriptor = ::syscall(SYS_openat2, AT_FDCWD, file.c_str(), &how, sizeof how);
    // EPERM: what sandboxes answer to system calls they do not know.
    if (descriptor < 0 && (errno == ENOSYS || errno == EPERM)) return open_by_components(file, flags);
    return static_cast<int>(descriptor);
}

int open_by_components(const std::filesystem::path& file, int flags) noexcept {
    std::string_view rest = file.native();
    int folder = ::open(rest.starts_with('/') ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    while (folder >= 0) {
        rest.remove_prefix(std::min(rest.find_first_not_of('/'), rest.size()));
        const auto slash = rest.find('/');
        const std::string name(rest.substr(0, slash));
        const bool is_last = slash == std::string_view::npos;
        const int step = is_last ? without_waiting(flags) : O_PATH | O_DIRECTORY | kAlways;
        const int next = ::openat(folder, name.c_str(), step);
        close_keeping_errno(folder);
        if (is_last) return next;
        rest.remove_prefix(slash);
        folder = next;
    }
    return folder;
}

}  // namespace lacquer::media
