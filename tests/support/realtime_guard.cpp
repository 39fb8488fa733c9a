#include "tests/support/realtime_guard.h"

#include <atomic>
#include <cstdarg>
#include <ctime>
#include <utility>

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

// In the program itself: touching them never allocates.
thread_local int guards = 0;
thread_local std::size_t counted = 0;
thread_local const char* first = nullptr;

}  // namespace

namespace lacquer::test {

RealtimeGuard::RealtimeGuard() noexcept : counted_before_(counted), first_before_(first) {
    first = nullptr;
    ++guards;
}
RealtimeGuard::~RealtimeGuard() {
    --guards;
    if (first_before_ != nullptr) first = first_before_;
}
std::size_t RealtimeGuard::count() const noexcept {
    return counted - counted_before_;
}
const char* RealtimeGuard::first_offender() const noexcept {
    return first == nullptr ? "" : first;
}

}  // namespace lacquer::test

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {

void note(const char* name) noexcept {
    if (guards == 0) return;
    if (first == nullptr) first = name;
    ++counted;
}

// The condition variables of x86-64 have an older version, which dlsym() would find.
void* next_function(const char* name) noexcept {
    void* found = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
    return found != nullptr ? found : dlsym(RTLD_NEXT, name);
}

// What is passed on to, looked up once. No static with a guard: that calls syscall(), which is here. Looking up may
// allocate, and is not what is watched.
class Next {
public:
    template <typename Function>
    Function get(Function, const char* name) noexcept {
        void* known = function_.load(std::memory_order_acquire);
        if (known == nullptr) {
            const int watching = std::exchange(guards, 0);
            known = next_function(name);
            guards = watching;
            function_.store(known, std::memory_order_release);
        }
        return reinterpret_cast<Function>(known);
    }

private:
    std::atomic<void*> function_{nullptr};
};

}  // namespace

#define PASS_ON(result, name, parameters, arguments)  \
    result name parameters {                          \
        static constinit Next next;                   \
        const auto original = next.get(&name, #name); \
        note(#name);                                  \
        return original arguments;                    \
    }

extern "C" {

PASS_ON(int, pthread_mutex_lock, (pthread_mutex_t * m) noexcept, (m))
PASS_ON(int, pthread_mutex_trylock, (pthread_mutex_t * m) noexcept, (m))
PASS_ON(int, pthread_mutex_timedlock, (pthread_mutex_t * m, const timespec* t) noexcept, (m, t))
PASS_ON(int, pthread_mutex_unlock, (pthread_mutex_t * m) noexcept, (m))
PASS_ON(int, pthread_rwlock_rdlock, (pthread_rwlock_t * l) noexcept, (l))
PASS_ON(int, pthread_rwlock_tryrdlock, (pthread_rwlock_t * l) noexcept, (l))
PASS_ON(int, pthread_rwlock_wrlock, (pthread_rwlock_t * l) noexcept, (l))
PASS_ON(int, pthread_rwlock_trywrlock, (pthread_rwlock_t * l) noexcept, (l))
PASS_ON(int, pthread_rwlock_unlock, (pthread_rwlock_t * l) noexcept, (l))
PASS_ON(int, pthread_cond_wait, (pthread_cond_t * c, pthread_mutex_t* m), (c, m))
PASS_ON(int, pthread_cond_timedwait, (pthread_cond_t * c, pthread_mutex_t* m, const timespec* t), (c, m, t))
PASS_ON(int, pthread_cond_clockwait, (pthread_cond_t * c, pthread_mutex_t* m, clockid_t k, const timespec* t),
        (c, m, k, t))
PASS_ON(int, pthread_cond_signal, (pthread_cond_t * c) noexcept, (c))
PASS_ON(int, pthread_cond_broadcast, (pthread_cond_t * c) noexcept, (c))
PASS_ON(int, sem_wait, (sem_t * s), (s))
PASS_ON(int, sem_trywait, (sem_t * s) noexcept, (s))
PASS_ON(int, sem_timedwait, (sem_t * s, const timespec* t), (s, t))
PASS_ON(int, sem_post, (sem_t * s) noexcept, (s))
PASS_ON(int, nanosleep, (const timespec* t, timespec* left), (t, left))
PASS_ON(int, clock_nanosleep, (clockid_t k, int flags, const timespec* t, timespec* left), (k, flags, t, left))
PASS_ON(int, usleep, (useconds_t t), (t))
PASS_ON(int, sched_yield, () noexcept, ())
PASS_ON(ssize_t, read, (int file, void* to, size_t bytes), (file, to, bytes))
PASS_ON(ssize_t, write, (int file, const void* from, size_t bytes), (file, from, bytes))
PASS_ON(int, close, (int file), (file))
PASS_ON(int, poll, (pollfd * files, nfds_t count, int milliseconds), (files, count, milliseconds))
PASS_ON(void*, mmap, (void* at, size_t n, int protection, int flags, int file, off_t from) noexcept,
        (at, n, protection, flags, file, from))
PASS_ON(int, munmap, (void* at, size_t n) noexcept, (at, n))

int open(const char* path, int flags, ...) {
    static constinit Next next;
    const auto original = next.get(&open, "open");
    note("open");
    va_list more;
    va_start(more, flags);
    const mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
    va_end(more);
    return original(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
    static constinit Next next;
    const auto original = next.get(&open64, "open64");
    note("open64");
    va_list more;
    va_start(more, flags);
    const mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
    va_end(more);
    return original(path, flags, mode);
}

int ioctl(int file, unsigned long request, ...) noexcept {
    static constinit Next next;
    const auto original = next.get(&ioctl, "ioctl");
    note("ioctl");
    va_list more;
    va_start(more, request);
    void* const argument = va_arg(more, void*);
    va_end(more);
    return original(file, request, argument);
}

// futex(2) has no function of its own.
long syscall(long number, ...) noexcept {
    static constinit Next next;
    const auto original = next.get(&syscall, "syscall");
    note(number == SYS_futex ? "futex" : "syscall");
    long arguments[6];
    va_list more;
    va_start(more, number);
    for (long& argument : arguments) argument = va_arg(more, long);
    va_end(more);
    return original(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}

// dlsym() itself may call these.
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);

void* malloc(size_t bytes) noexcept {
    note("malloc");
    return __libc_malloc(bytes);
}
void* calloc(size_t count, size_t bytes) noexcept {
    note("calloc");
    return __libc_calloc(count, bytes);
}
void* realloc(void* memory, size_t bytes) noexcept {
    note("realloc");
    return __libc_realloc(memory, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) noexcept {
    note("aligned_alloc");
    return __libc_memalign(alignment, bytes);
}
void free(void* memory) noexcept {
    note("free");
    __libc_free(memory);
}

}  // extern "C"

#endif
