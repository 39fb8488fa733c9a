// A mutex that clang's -Wthread-safety understands (libstdc++'s carries no annotations), and the words for saying
// what it guards. g++ ignores them. To wait: std::condition_variable_any::wait(mutex) inside a while loop; a predicate
// lambda would be analysed as if it held nothing.
#pragma once

#include <mutex>

#if defined(__clang__)
#define LACQUER_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define LACQUER_THREAD_ATTRIBUTE(x)
#endif
#define LOCKABLE LACQUER_THREAD_ATTRIBUTE(capability("mutex"))
#define SCOPED_LOCKABLE LACQUER_THREAD_ATTRIBUTE(scoped_lockable)
#define GUARDED_BY(mutex) LACQUER_THREAD_ATTRIBUTE(guarded_by(mutex))
#define REQUIRES_LOCK(...) LACQUER_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define EXCLUDES_LOCK(...) LACQUER_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define ACQUIRES_LOCK(...) LACQUER_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define RELEASES_LOCK(...) LACQUER_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))

namespace lacquer::thread {

class LOCKABLE Mutex {
public:
    void lock() ACQUIRES_LOCK() { mutex_.lock(); }
    void unlock() RELEASES_LOCK() { mutex_.unlock(); }

private:
    std::mutex mutex_;
};

class SCOPED_LOCKABLE MutexLock {
public:
    explicit MutexLock(Mutex& mutex) ACQUIRES_LOCK(mutex) : mutex_(mutex) { mutex_.lock(); }
    ~MutexLock() RELEASES_LOCK() { mutex_.unlock(); }
    MutexLock(const MutexLock&) = delete;
    MutexLock& operator=(const MutexLock&) = delete;

private:
    Mutex& mutex_;
};

}  // namespace lacquer::thread
