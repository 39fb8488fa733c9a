#include "src/stream.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "cache/chunk_file.h"
#include "dsp/crossfade.h"
#include "dsp/dequantiser.h"

namespace lacquer {
namespace {

constexpr std::int64_t kFadeBlockFrames = 8192;

WavShape shape_of(const RenderPlan& plan, StreamSpan span) {
    WavShape shape = plan.wav_shape();
    shape.frame_count = span.end_frame - span.first_frame;
    return shape;
}

// Whole blocks of a stored chunk need no memory beside the reader's: once reads end where blocks do, they all are.
std::uint64_t end_of_whole_blocks(std::uint64_t begin, std::uint64_t end) {
    const std::uint64_t last_block = end - end % cache::kBlockBytes;
    return last_block > begin ? last_block : end;
}

}  // namespace

Stream::Stream(ChunkService& chunks, PlanPtr plan, StreamSpan span, TaskClass task_class,
               std::function<void(std::int64_t)> entered_chunk)
    : chunks_(chunks),
      plan_(std::move(plan)),
      span_(span),
      task_class_(task_class),
      entered_chunk_(std::move(entered_chunk)),
      header_(wav_header(shape_of(*plan_, span))),
      frame_bytes_(plan_->wav_shape().frame_bytes()),
      data_bytes_(shape_of(*plan_, span).data_bytes()),
      pad_bytes_(shape_of(*plan_, span).pad_bytes()) {
    assert(span.first_frame >= 0 && span.first_frame <= span.end_frame && span.end_frame <= plan_->grid.frame_count());
}

std::size_t Stream::read(std::uint64_t offset, std::span<std::byte> out,
                         const std::function<bool()>& listener_present) {
    assert(offset < size_bytes());
    if (offset < header_.size()) {
        const std::size_t count = std::min<std::uint64_t>(out.size(), header_.size() - offset);
        std::memcpy(out.data(), header_.data() + offset, count);
        return count;
    }
    const std::uint64_t data_offset = offset - header_.size();
    if (data_offset >= data_bytes_) {
        out[0] = std::byte{0};
        return 1;
    }
    const std::size_t count = read_frames(
        data_offset, out.first(std::min<std::uint64_t>(out.size(), data_bytes_ - data_offset)), listener_present);
    delivered_ = delivered_ || count > 0;
    return count;
}

std::size_t Stream::read_frames(std::uint64_t data_offset, std::span<std::byte> out,
                                const std::function<bool()>& listener_present) {
    const std::int64_t frame = span_.first_frame + static_cast<std::int64_t>(data_offset / frame_bytes_);
    const std::uint64_t skip_bytes = data_offset % frame_bytes_;
    const std::int64_t index = plan_->grid.chunk_at(frame);
    enter(index, frame);
    const ChunkLayout& layout = chunk(index).layout();
    if (frame < layout.span.middle_begin) return read_fade(frame, skip_bytes, out, listener_present);
    const std::uint64_t into_middle =
        static_cast<std::uint64_t>(frame - layout.span.middle_begin) * frame_bytes_ + skip_bytes;
    const std::uint64_t begin = layout.head_bytes() + into_middle;
    const std::uint64_t end = begin + std::min<std::uint64_t>(out.size(), layout.middle_bytes() - into_middle);
    return chunk(index).read(begin, out.first(end_of_whole_blocks(begin, end) - begin), listener_present, least_bytes_);
}

std::size_t Stream::read_fade(std::int64_t frame, std::uint64_t skip_bytes, std::span<std::byte> out,
                              const std::function<bool()>& listener_present) {
    ChunkService::Access& incoming = chunk(current_);
    ChunkService::Access& outgoing = chunk(current_ - 1);
    const dsp::ChunkSpan& span = incoming.layout().span;
    const std::int64_t wanted = static_cast<std::int64_t>((skip_bytes + out.size() + frame_bytes_ - 1) / frame_bytes_);
    const std::int64_t frames = std::min({wanted, kFadeBlockFrames, span.middle_begin - frame});
    const auto count = static_cast<std::size_t>(frames);
    const std::uint64_t float_bytes = incoming.layout().float_frame_bytes;
    const std::uint64_t into_fade = static_cast<std::uint64_t>(frame - span.begin) * float_bytes;

    dsp::AudioBuffer from(plan_->channels(), count);
    dsp::AudioBuffer to(plan_->channels(), count);
    std::vector<std::byte> bytes(count * float_bytes);
    if (!outgoing.read_all(outgoing.layout().tail_offset() + into_fade, bytes, listener_present)) return 0;
    dsp::dequantise(bytes, dsp::SampleFormat::f32, from.block());
    if (!incoming.read_all(into_fade, bytes, listener_present)) return 0;
    dsp::dequantise(bytes, dsp::SampleFormat::f32, to.block());
    dsp::crossfade(from.block(), to.block(), frame - span.begin, span.head_frames(), to.block());

    bytes.resize(count * frame_bytes_);
    dsp::quantise(to.block(), frame, plan_->format, plan_->dither(), bytes);
    const std::size_t wanted_bytes = std::min<std::uint64_t>(out.size(), bytes.size() - skip_bytes);
    std::memcpy(out.data(), bytes.data() + skip_bytes, wanted_bytes);
    return wanted_bytes;
}

Urgency Stream::urgency(std::int64_t index, TaskClass task_class) const {
    const double seconds = static_cast<double>(plan_->grid.span(index).begin - first_read_frame_) /
                           static_cast<double>(plan_->media.sample_rate_hz);
    return {task_class, first_read_ + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                          std::chrono::duration<double>(seconds))};
}

// Opens what the reader needs now, and interest in what it needs next; lets go of everything else.
void Stream::enter(std::int64_t index, std::int64_t frame) {
    if (!started_) {
        started_ = true;
        first_read_ = std::chrono::steady_clock::now();
        first_read_frame_ = frame;
    }
    const bool fading = frame < plan_->grid.span(index).middle_begin;
    const std::int64_t first = fading ? index - 1 : index;
    // What comes next may wait until the listener hears something: until then it would only take a core away.
    const std::int64_t ahead = delivered_ ? look_ahead_ : 0;
    const std::int64_t last = std::min(index + ahead, plan_->grid.chunk_at(span_.end_frame - 1));
    if (index == current_ && held_.begin()->first == first && held_.rbegin()->first == last) return;
    std::erase_if(held_, [&](const auto& held) { return held.first < first || held.first > last; });
    for (std::int64_t n = first; n <= last; ++n) {
        const Urgency wanted = urgency(n, n <= index ? task_class_ : std::max(task_class_, TaskClass::look_ahead));
        const auto held = held_.find(n);
        // What failed as look-ahead may be had by now, or else be made up for.
        const bool is_lost = held != held_.end() && held->second->failed();
        if (is_lost) held_.erase(held);
        if (held != held_.end() && !is_lost) {
            held->second->hasten(wanted);
        } else {
            held_.emplace(n, chunks_.open(plan_, n, wanted));
        }
    }
    const bool entered = index != current_;
    current_ = index;
    if (entered && entered_chunk_) entered_chunk_(index);
}

ChunkService::Access& Stream::chunk(std::int64_t index) {
    return *held_.at(index);
}

}  // namespace lacquer
