#include "cache/lock_file.h"

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "cache/chunk_cache.h"

namespace lacquer::cache {
namespace {

std::filesystem::path lock_path(const std::filesystem::path& directory) {
    return directory / "lock";
}

[[noreturn]] void refuse(const std::filesystem::path& directory, const std::string& reason) {
    throw std::runtime_error("cache directory " + directory.string() + ": " + reason);
}

int pid_in(int file) noexcept {
    char text[16] = {};
    if (::pread(file, text, sizeof text - 1, 0) <= 0) return 0;
    return static_cast<int>(std::strtol(text, nullptr, 10));
}

// cache_owner() of another process holds a shared lock for an instant; that is no reason to give up.
bool lock_soon(int file) {
    for (int attempt = 0; attempt < 10; ++attempt) {
        if (::flock(file, LOCK_EX | LOCK_NB) == 0) return true;
        if (errno != EWOULDBLOCK && errno != EINTR) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    errno = EWOULDBLOCK;
    return false;
}

}  // namespace

LockFile::LockFile(const std::filesystem::path& directory)
    : file_(::open(lock_path(directory).c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) {
    if (!file_) refuse(directory, "not writable: " + last_error().message());
    if (::faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
        refuse(directory, "not writable: " + last_error().message());
    if (!lock_soon(file_.get())) {
        if (errno != EWOULDBLOCK) refuse(directory, "cannot be locked: " + last_error().message());
        const int pid = pid_in(file_.get());
        refuse(directory, "owned by another daemon (pid " + (pid > 0 ? std::to_string(pid) : "unknown") + ")");
    }
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(file_.get(), 0) != 0 || ::pwrite(file_.get(), pid.data(), pid.size(), 0) < 0)
        refuse(directory, "not writable: " + last_error().message());
}

LockFile::~LockFile() {
    // A stale pid would be harmless; this only keeps the file honest.
    [[maybe_unused]] const int ignored = ::ftruncate(file_.get(), 0);
}

std::optional<int> cache_owner(const std::filesystem::path& directory) {
    const FileDescriptor file(::open(lock_path(directory).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file || ::flock(file.get(), LOCK_SH | LOCK_NB) == 0) return std::nullopt;
    return pid_in(file.get());
}

}  // namespace lacquer::cache
