// Buffers that go from hand to hand. A connection borrows one to read into and send from, and gives it back before it
// waits for its client, so that memory follows the responses under way in one moment, not the listeners.
//
// Threads: any. Memory: what is borrowed, and up to `kept` buffers of slice_bytes for the next ones.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "thread/mutex.h"

namespace lacquer::server {

inline constexpr std::size_t slice_bytes = 64 * 1024;

class SlicePool {
public:
    explicit SlicePool(std::size_t kept) : kept_(kept) { free_.reserve(kept); }

    class Slice {
    public:
        explicit Slice(SlicePool& pool) : pool_(pool), bytes_(pool.take()) {}
        ~Slice() { pool_.give_back(std::move(bytes_)); }
        Slice(const Slice&) = delete;
        Slice& operator=(const Slice&) = delete;

        std::span<std::byte> bytes() { return {bytes_.get(), slice_bytes}; }

    private:
        SlicePool& pool_;
        std::unique_ptr<std::byte[]> bytes_;
    };

private:
    std::unique_ptr<std::byte[]> take();
    void give_back(std::unique_ptr<std::byte[]> bytes) noexcept;

    const std::size_t kept_;
    thread::Mutex mutex_;
    std::vector<std::unique_ptr<std::byte[]>> free_ GUARDED_BY(mutex_);  // the last one given back is the next taken
};

}  // namespace lacquer::server
