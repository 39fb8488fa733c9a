#include "src/growing_chunk.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <new>

#include <sys/mman.h>

namespace lacquer {

namespace {

constexpr std::uint64_t kLargePageBytes = 2 * 1024 * 1024;
constexpr std::align_val_t kAlignment{kLargePageBytes};

// The bytes are left untouched, so that memory is used only as the chunk grows; in large pages where the system has
// them, because 1,500 page faults for a chunk take longer than rendering a second of it.
std::byte* reserve(std::uint64_t bytes) {
    auto* const memory = static_cast<std::byte*>(::operator new[](bytes, kAlignment));
    if (bytes > kLargePageBytes) ::madvise(memory, bytes, MADV_HUGEPAGE);
    return memory;
}

}  // namespace

void GrowingChunk::Free::operator()(std::byte* bytes) const noexcept {
    ::operator delete[](bytes, kAlignment);
}

GrowingChunk::GrowingChunk(std::uint64_t total_bytes) : total_bytes_(total_bytes), bytes_(reserve(total_bytes)) {}

std::span<std::byte> GrowingChunk::room() noexcept {
    const thread::MutexLock lock(mutex_);
    return {bytes_.get() + ready_bytes_, total_bytes_ - ready_bytes_};
}

void GrowingChunk::appended(std::uint64_t bytes) {
    {
        const thread::MutexLock lock(mutex_);
        assert(ready_bytes_ + bytes <= total_bytes_);
        ready_bytes_ += bytes;
        if (ready_bytes_ < awaited_bytes_) return;
        awaited_bytes_ = kNobodyWaits;
    }
    grown_.notify_all();
}

void GrowingChunk::complete(bool stored) {
    {
        const thread::MutexLock lock(mutex_);
        assert(ready_bytes_ == total_bytes_);
        stored_ = stored;
    }
    grown_.notify_all();
}

void GrowingChunk::fail(const std::string& reason) {
    {
        const thread::MutexLock lock(mutex_);
        failure_ = reason;
    }
    grown_.notify_all();
}

std::uint64_t GrowingChunk::ready_bytes() const {
    const thread::MutexLock lock(mutex_);
    return ready_bytes_;
}

std::optional<bool> GrowingChunk::stored() const {
    const thread::MutexLock lock(mutex_);
    return stored_;
}

std::optional<std::string> GrowingChunk::failure() const {
    const thread::MutexLock lock(mutex_);
    return failure_;
}

void GrowingChunk::release() {
    {
        const thread::MutexLock lock(mutex_);
        bytes_.reset();
    }
    grown_.notify_all();
}

std::size_t GrowingChunk::read(std::uint64_t offset, std::span<std::byte> out, std::chrono::milliseconds patience,
                               std::size_t least) {
    assert(offset + out.size() <= total_bytes_);
    const auto deadline = std::chrono::steady_clock::now() + patience;
    const std::uint64_t enough = offset + std::max<std::size_t>(1, std::min(least, out.size()));
    const thread::MutexLock lock(mutex_);
    while (ready_bytes_ < enough && !failure_) {
        awaited_bytes_ = std::min(awaited_bytes_, enough);
        if (grown_.wait_until(mutex_, deadline) == std::cv_status::timeout) break;
    }
    if (ready_bytes_ <= offset || !bytes_) return 0;
    const std::size_t count = std::min<std::uint64_t>(out.size(), ready_bytes_ - offset);
    std::memcpy(out.data(), bytes_.get() + offset, count);
    return count;
}

}  // namespace lacquer
