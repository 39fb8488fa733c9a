// The bytes of a chunk while they are made: one writer, any number of readers that see them as they come.
//
//     worker --append--> [ ready bytes | not yet ] <--wait, copy-- listeners
//
// Memory: the whole chunk, touched as it grows (in pages of 2 MiB where the system has them), until release().
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "thread/mutex.h"

namespace lacquer {

class GrowingChunk {
public:
    explicit GrowingChunk(std::uint64_t total_bytes);

    // The writer's side. Bytes once appended never change.
    std::span<std::byte> room() noexcept;  // what is not yet written
    void appended(std::uint64_t bytes);    // the front of room() is now part of the chunk
    void complete(bool stored);            // everything is there; `stored`: the cache has it too
    void release();                        // the bytes are kept elsewhere: gives their memory back
    void fail(const std::string& reason);

    std::uint64_t size_bytes() const noexcept { return total_bytes_; }
    std::uint64_t ready_bytes() const;
    std::optional<bool> stored() const;          // nullopt until complete
    std::optional<std::string> failure() const;  // the reason, once failed

    // Waits until `least` bytes from `offset` on exist (all of `out` when it is smaller), the chunk failed or was
    // released, or `patience` is over. Copies what is ready of [offset, offset + out.size()); 0: nothing.
    std::size_t read(std::uint64_t offset, std::span<std::byte> out, std::chrono::milliseconds patience,
                     std::size_t least = 1);
    // The whole chunk, once complete and until release(); for the writer.
    std::span<const std::byte> bytes() const noexcept { return {bytes_.get(), total_bytes_}; }

private:
    struct Free {
        void operator()(std::byte* bytes) const noexcept;
    };
    static constexpr std::uint64_t kNobodyWaits = std::numeric_limits<std::uint64_t>::max();

    const std::uint64_t total_bytes_;
    std::unique_ptr<std::byte[], Free> bytes_;  // [0, ready_bytes_) is written; freed, and copied, under mutex_
    mutable thread::Mutex mutex_;
    std::condition_variable_any grown_;
    std::uint64_t ready_bytes_ GUARDED_BY(mutex_) = 0;
    std::uint64_t awaited_bytes_ GUARDED_BY(mutex_) = kNobodyWaits;  // the least that anybody waits for
    std::optional<bool> stored_ GUARDED_BY(mutex_);
    std::optional<std::string> failure_ GUARDED_BY(mutex_);
};

}  // namespace lacquer
