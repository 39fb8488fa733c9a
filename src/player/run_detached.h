// A call into a driver, on a thread of its own that nobody has to wait for: drivers hang.
#pragma once

#include <future>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

namespace lacquer::player {

// Begins `work`, which must own what it uses, for it may outlive whoever asked; the future gives what it returns or
// throws, and does not wait when it is destroyed. Where no thread can be had the work is done here.
template <class Work>
auto run_detached(Work work) -> std::future<decltype(work())> {
    using Result = decltype(work());
    // Shared, because a thread that cannot be started takes what it was given with it.
    const auto task = std::make_shared<std::packaged_task<Result()>>(std::move(work));
    std::future<Result> result = task->get_future();
    try {
        std::thread([task] { (*task)(); }).detach();
    } catch (const std::system_error&) {
        (*task)();
    }
    return result;
}

}  // namespace lacquer::player
