// Counts what the calling thread does that an audio thread must not do, while the guard lives: locking, waiting for or
// waking another thread, sleeping, system calls, memory from malloc() or the system. (operator new: AllocationGuard.)
// Replaces those functions, for the whole of any test program that is linked with it, by ones that note the call and
// make it. What libc does inside itself goes past it: printf() writes without being seen to call write().
//
// Not built in where a sanitizer replaces the same functions: kRealtimeGuardWorks is false and nothing is counted.
#pragma once

#include <cstddef>

namespace lacquer::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kRealtimeGuardWorks = false;
#else
inline constexpr bool kRealtimeGuardWorks = true;
#endif

// Guards of one thread nest.
class RealtimeGuard {
public:
    RealtimeGuard() noexcept;
    ~RealtimeGuard();
    RealtimeGuard(const RealtimeGuard&) = delete;
    RealtimeGuard& operator=(const RealtimeGuard&) = delete;

    std::size_t count() const noexcept;
    const char* first_offender() const noexcept;  // the function's name; "" when there is none

private:
    std::size_t counted_before_;
    const char* first_before_;
};

}  // namespace lacquer::test
