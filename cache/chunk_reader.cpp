#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "cache/chunk_cache_state.h"

namespace lacquer::cache {
namespace {

constexpr std::size_t kSmallReadBytes = kBlockBytes / 4;

}  // namespace

ChunkReader::State::State(ChunkCache::State& owner, ChunkIndex::Entry pinned, std::unique_ptr<OpenFile> opened)
    : cache(owner), entry(pinned), key(pinned->key), payload_bytes(pinned->payload_bytes), file(std::move(opened)) {}

ChunkReader::State::~State() {
    file.reset();  // first: its bytes are on the disk until it is closed
    cache.unpin(entry);
}

bool ChunkReader::State::load_header() {
    if (file->size_bytes() != file_bytes(payload_bytes)) return false;
    std::vector<std::byte> bytes(header_bytes(payload_bytes));
    if (!file->read(0, bytes)) return false;
    auto header = parse_header(bytes, file->size_bytes());
    if (!header || header->key != key) return false;
    header_ = std::move(*header);
    return true;
}

bool ChunkReader::State::read_block(std::size_t number, std::span<std::byte> out) {
    return file->read(header_bytes(payload_bytes) + number * kBlockBytes, out) && is_intact(header_, number, out);
}

std::span<const std::byte> ChunkReader::State::block(std::size_t number) {
    if (loaded_ == number) return buffer_;
    loaded_.reset();
    buffer_.resize(block_bytes(header_, number));
    if (!read_block(number, buffer_)) return {};
    loaded_ = number;
    return buffer_;
}

std::size_t ChunkReader::State::copy(std::uint64_t offset, std::span<std::byte> out) {
    const std::size_t number = offset / kBlockBytes;
    const std::size_t size = block_bytes(header_, number);
    if (offset % kBlockBytes == 0 && out.size() >= size && loaded_ != number) {
        return read_block(number, out.first(size)) ? size : 0;
    }
    const auto source = block(number);
    if (source.empty()) return 0;
    const auto wanted = source.subspan(offset % kBlockBytes);
    const std::size_t count = std::min(wanted.size(), out.size());
    std::memcpy(out.data(), wanted.data(), count);
    if (count == wanted.size()) let_go();
    return count;
}

void ChunkReader::State::let_go() {
    loaded_.reset();
    std::vector<std::byte>().swap(buffer_);
}

bool ChunkReader::State::all_blocks_intact() {
    for (std::size_t number = 0; number < header_.block_checksums.size(); ++number)
        if (block(number).empty()) return false;
    return true;
}

ChunkReader::ChunkReader(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
ChunkReader::ChunkReader(ChunkReader&&) noexcept = default;
ChunkReader& ChunkReader::operator=(ChunkReader&&) noexcept = default;
ChunkReader::~ChunkReader() = default;

std::uint64_t ChunkReader::size_bytes() const noexcept {
    return state_->payload_bytes;
}

bool ChunkReader::read(std::uint64_t offset, std::span<std::byte> out) {
    assert(offset <= size_bytes() && out.size() <= size_bytes() - offset);
    const bool is_small = out.size() < kSmallReadBytes;
    while (!out.empty()) {
        const std::size_t count = state_->copy(offset, out);
        if (count == 0) {
            state_->cache.drop_damaged(state_->entry);
            return false;
        }
        out = out.subspan(count);
        offset += count;
    }
    if (!is_small) state_->let_go();
    return true;
}

}  // namespace lacquer::cache
