// The virtual WAV file of one plan: every byte of header and samples can be had at any offset, computed from the chunks
// it touches. Nothing is rendered before a byte that needs it is read.
//
//     offset --> header | frame --> middle of chunk n:  the stored bytes as they are
//                               --> head of chunk n:    tail of n-1 faded into head of n, then quantised
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "src/chunk_service.h"
#include "src/render_plan.h"

namespace lacquer {

// What a stream serves: frames [first_frame, end_frame) of the plan's track.
struct StreamSpan {
    std::int64_t first_frame = 0;
    std::int64_t end_frame = 0;
};

// One reader's passage through the virtual file. Used by one thread. Memory: little between two reads, besides whatever
// chunks are being rendered for it; 256 KiB during one that is in a fade.
class Stream {
public:
    // `task_class` and the time of the first read set the deadlines: reading faster than real time earns nothing.
    // `entered_chunk` is told each chunk as the reader first touches it.
    Stream(ChunkService& chunks, PlanPtr plan, StreamSpan span, TaskClass task_class = TaskClass::listener,
           std::function<void(std::int64_t)> entered_chunk = {});

    std::uint64_t size_bytes() const noexcept { return header_.size() + data_bytes_ + pad_bytes_; }
    std::uint64_t header_bytes() const noexcept { return header_.size(); }
    // As server::Body::read: at least one byte, or 0 when the listener left. Throws ChunkError.
    std::size_t read(std::uint64_t offset, std::span<std::byte> out, const std::function<bool()>& listener_present);

    // Chunks rendered ahead of the reader, besides the one it is in; 1 unless set.
    void set_look_ahead(std::int64_t chunks) { look_ahead_ = chunks; }
    // What a read() of a chunk under way waits for, where the chunk has as many; 1 unless set. More saves a reader in
    // no hurry most of its wake-ups.
    void set_least_bytes(std::size_t bytes) { least_bytes_ = bytes; }

private:
    std::size_t read_frames(std::uint64_t data_offset, std::span<std::byte> out,
                            const std::function<bool()>& listener_present);
    std::size_t read_fade(std::int64_t frame, std::uint64_t skip_bytes, std::span<std::byte> out,
                          const std::function<bool()>& listener_present);
    void enter(std::int64_t index, std::int64_t frame);
    Urgency urgency(std::int64_t index, TaskClass task_class) const;
    ChunkService::Access& chunk(std::int64_t index);

    ChunkService& chunks_;
    const PlanPtr plan_;
    const StreamSpan span_;
    const TaskClass task_class_;
    const std::function<void(std::int64_t)> entered_chunk_;
    const std::vector<std::byte> header_;
    const std::uint64_t frame_bytes_;
    const std::uint64_t data_bytes_;
    const std::uint64_t pad_bytes_;
    std::int64_t look_ahead_ = 1;
    std::size_t least_bytes_ = 1;

    bool started_ = false;
    bool delivered_ = false;  // the listener got something
    std::chrono::steady_clock::time_point first_read_{};
    std::int64_t first_read_frame_ = 0;
    std::int64_t current_ = -1;  // the chunk the reader is in
    std::map<std::int64_t, std::unique_ptr<ChunkService::Access>>
        held_;  // around current_: the one before, it, and, once delivered_, those ahead
};

}  // namespace lacquer
