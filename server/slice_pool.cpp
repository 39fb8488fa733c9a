#include "server/slice_pool.h"

#include <utility>

namespace lacquer::server {

std::unique_ptr<std::byte[]> SlicePool::take() {
    {
        const thread::MutexLock lock(mutex_);
        if (!free_.empty()) {
            auto bytes = std::move(free_.back());
            free_.pop_back();
            return bytes;
        }
    }
    return std::unique_ptr<std::byte[]>(new std::byte[slice_bytes]);  // not cleared: untouched, it takes no memory
}

void SlicePool::give_back(std::unique_ptr<std::byte[]> bytes) noexcept {
    const thread::MutexLock lock(mutex_);
    if (free_.size() < kept_) free_.push_back(std::move(bytes));
}

}  // namespace lacquer::server
