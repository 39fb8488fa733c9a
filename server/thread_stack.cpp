#include "server/thread_stack.h"

#include <cstdint>

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

namespace lacquer::server {
namespace {

constexpr std::uintptr_t own_frames_bytes = 1024;  // of this function and the system call's wrapper

}  // namespace

void release_unused_stack() noexcept {
    pthread_attr_t attributes;
    if (::pthread_getattr_np(::pthread_self(), &attributes) != 0) return;
    void* lowest = nullptr;
    std::size_t bytes = 0;
    const bool is_known = ::pthread_attr_getstack(&attributes, &lowest, &bytes) == 0;
    ::pthread_attr_destroy(&attributes);
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto begin = reinterpret_cast<std::uintptr_t>(lowest);
    const auto end = (reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) - own_frames_bytes) & ~(page - 1);
    if (is_known && end > begin && end < begin + bytes) ::madvise(lowest, end - begin, MADV_DONTNEED);
}

}  // namespace lacquer::server
