#include "tests/support/realtime_guard.h"

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <new>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace lacquer::test {
namespace {

struct Noticed {
    std::size_t count;
    std::string first;
};

template <typename What>
Noticed noticed(const What& what) {
    std::size_t count = 0;
    const char* first = "";
    {
        const RealtimeGuard guard;
        what();
        count = guard.count();
        first = guard.first_offender();
    }
    return {count, first};
}

class RealtimeGuardTest : public testing::Test {
protected:
    void SetUp() override {
        if (!kRealtimeGuardWorks) GTEST_SKIP() << "a sanitizer replaces the same functions";
    }
    void expect_first(const std::string& name, const std::function<void()>& what) {
        what();  // once unseen: what is resolved or allocated the first time is no part of it
        const Noticed seen = noticed(what);
        EXPECT_EQ(seen.first, name);
        EXPECT_GE(seen.count, 1u) << name;
    }
};

TEST_F(RealtimeGuardTest, NoticesLocks) {
    std::mutex mutex;
    std::shared_mutex shared;
    expect_first("pthread_mutex_lock", [&] { const std::lock_guard lock(mutex); });
    expect_first("pthread_mutex_trylock", [&] {
        if (mutex.try_lock()) mutex.unlock();
    });
    expect_first("pthread_rwlock_rdlock", [&] { const std::shared_lock lock(shared); });
    expect_first("pthread_rwlock_wrlock", [&] { const std::unique_lock lock(shared); });
    expect_first("pthread_rwlock_trywrlock", [&] {
        if (shared.try_lock()) shared.unlock();
    });
    mutex.lock();
    expect_first("pthread_mutex_unlock", [&] {
        mutex.unlock();
        mutex.lock();
    });
    mutex.unlock();
}

TEST_F(RealtimeGuardTest, NoticesWaitingAndWaking) {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    const timespec past{};
    pthread_mutex_lock(&mutex);
    expect_first("pthread_cond_timedwait", [&] { pthread_cond_timedwait(&condition, &mutex, &past); });
    expect_first("pthread_cond_clockwait", [&] { pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &past); });
    pthread_mutex_unlock(&mutex);
    expect_first("pthread_cond_signal", [&] { pthread_cond_signal(&condition); });
    expect_first("pthread_cond_broadcast", [&] { pthread_cond_broadcast(&condition); });
    sem_t semaphore;
    sem_init(&semaphore, 0, 4);
    expect_first("sem_post", [&] { sem_post(&semaphore); });
    expect_first("sem_wait", [&] { sem_wait(&semaphore); });
    expect_first("sem_trywait", [&] { sem_trywait(&semaphore); });
    expect_first("sem_timedwait", [&] { sem_timedwait(&semaphore, &past); });
}

TEST_F(RealtimeGuardTest, AWaitingConditionVariableStillWakesUp) {
    std::mutex mutex;
    std::condition_variable changed;
    bool ready = false;
    Noticed seen{};
    std::thread waiter([&] {
        std::unique_lock lock(mutex);
        seen = noticed([&] {
            while (!ready) changed.wait(lock);
        });
    });
    for (bool waits = false; !waits;) {
        const std::lock_guard lock(mutex);
        waits = ready = true;
    }
    changed.notify_all();
    waiter.join();
    EXPECT_TRUE(seen.count == 0 || seen.first == "pthread_cond_wait") << seen.first;
}

TEST_F(RealtimeGuardTest, NoticesSleeping) {
    const timespec moment{0, 1};
    expect_first("nanosleep", [&] { nanosleep(&moment, nullptr); });
    expect_first("clock_nanosleep", [&] { clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, nullptr); });
    expect_first("usleep", [] { usleep(1); });
    expect_first("sched_yield", [] { std::this_thread::yield(); });
}

TEST_F(RealtimeGuardTest, NoticesSystemCalls) {
    char byte = 0;
    const int zero = open("/dev/zero", O_RDWR);
    expect_first("open", [] { close(open("/dev/null", O_RDONLY)); });
    expect_first("open64", [] { close(open64("/dev/null", O_RDONLY)); });
    expect_first("close", [] { close(-1); });
    expect_first("read", [&] { EXPECT_EQ(read(zero, &byte, 1), 1); });
    expect_first("write", [&] { EXPECT_EQ(write(zero, &byte, 1), 1); });
    expect_first("ioctl", [&] { ioctl(-1, FIONREAD, &byte); });
    expect_first("poll", [] { poll(nullptr, 0, 0); });
    expect_first("syscall", [] { syscall(SYS_getpid); });
    std::atomic<int> word = 0;
    expect_first("futex", [&] { syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0); });
    EXPECT_EQ(syscall(SYS_getpid), getpid());
    close(zero);
}

TEST_F(RealtimeGuardTest, NoticesMemory) {
    void* volatile memory = nullptr;  // volatile: the compiler leaves out what nobody looks at
    expect_first("malloc", [&] { memory = std::malloc(10); });
    expect_first("realloc", [&] { memory = std::realloc(memory, 1'000); });
    expect_first("free", [&] {
        std::free(memory);
        memory = nullptr;
    });
    expect_first("calloc", [&] { memory = std::calloc(3, 10); });
    std::free(memory);
    expect_first("aligned_alloc", [&] { memory = std::aligned_alloc(64, 64); });
    std::free(memory);
    expect_first("malloc", [&] { memory = ::operator new(10); });
    ::operator delete(memory);
    expect_first("mmap", [&] { memory = mmap(nullptr, 1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); });
    expect_first("munmap", [&] { munmap(memory, 1); });
}

TEST_F(RealtimeGuardTest, LeavesOtherThreadsAndOtherTimesAlone) {
    std::atomic<bool> go = false, done = false;
    std::thread other([&] {
        while (!go) {}
        std::vector<int> numbers(1'000);
        std::this_thread::yield();
        done = true;
    });
    const Noticed seen = noticed([&] {
        go = true;
        while (!done) {}
    });
    other.join();
    EXPECT_EQ(seen.count, 0u) << seen.first;
    std::vector<int> afterwards(1'000);
    EXPECT_EQ(noticed([] {}).count, 0u);
}

TEST_F(RealtimeGuardTest, GuardsNest) {
    const RealtimeGuard outer;
    sched_yield();
    {
        const RealtimeGuard inner;
        usleep(1);
        ASSERT_EQ(inner.count(), 1u);
        ASSERT_STREQ(inner.first_offender(), "usleep");
    }
    EXPECT_STREQ(outer.first_offender(), "sched_yield");
}

}  // namespace
}  // namespace lacquer::test
