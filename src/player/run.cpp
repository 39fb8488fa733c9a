#include "src/player/run.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace lacquer::player {
namespace {

using dsp::Resampler;

constexpr std::size_t kBlockFrames = 2048;

// Mono on both sides; two channels in one as their mean.
void adapt(std::span<const float> in, std::size_t in_channels, std::span<float> out, std::size_t out_channels) {
    const std::size_t frames = in.size() / in_channels;
    if (in_channels == out_channels) {
        std::copy(in.begin(), in.end(), out.begin());
    } else if (in_channels == 1) {
        for (std::size_t i = 0; i < frames; ++i) out[2 * i] = out[2 * i + 1] = in[i];
    } else {
        for (std::size_t i = 0; i < frames; ++i) out[i] = 0.5f * (in[2 * i] + in[2 * i + 1]);
    }
}

Resampler::Rates rates_of(const RunFormat& format, const PlayableTrack& track) {
    return {track.input.media.sample_rate_hz, format.sample_rate_hz};
}

}  // namespace

std::int64_t length_in(const RunFormat& format, const PlayableTrack& track) {
    const std::int64_t frames = served_frames(track.input.media);
    const Resampler::Rates rates = rates_of(format, track);
    return rates.in_hz == rates.out_hz ? frames : Resampler::out_frames(frames, rates);
}

Run::Run(ChunkService& chunks, const RunFormat& format, const PlayableTrack& track, const Voice& voice,
         std::int64_t first_frame)
    : chunks_(chunks), format_(format), raw_(kBlockFrames * 2), block_(kBlockFrames * format.channels) {
    begin(track, voice, first_frame);
}

void Run::begin(const PlayableTrack& track, const Voice& voice, std::int64_t first_frame) {
    const Resampler::Rates rates = rates_of(format_, track);
    conversion_.reset();
    if (rates.in_hz == rates.out_hz) {
        reader_.emplace(chunks_, voice, first_frame);
        return;
    }
    const Resampler::Start start = Resampler::start_at(first_frame, format_.quality, rates);
    conversion_.emplace(Conversion{Resampler(format_.quality, rates, format_.channels), rates, start.skip_out});
    reader_.emplace(chunks_, voice, std::min(start.in_frame, served_frames(track.input.media)));
}

std::size_t Run::go_on_with(const PlayableTrack& track, const Voice& voice) {
    assert(ends_here());
    const bool same_rate = conversion_ && conversion_->rates.in_hz == track.input.media.sample_rate_hz;
    const std::size_t to_come = conversion_ ? conversion_->frames_to_come() : 0;
    if (same_rate) {
        reader_.emplace(chunks_, voice, 0);
    } else {
        ending_ = std::exchange(conversion_, std::nullopt);
        begin(track, voice, 0);
    }
    return to_come;
}

std::size_t Run::read(std::span<float> out, const std::function<bool()>& go_on) {
    if (ending_) {
        if (const std::size_t frames = read_tail(*ending_, out)) return frames;
        ending_.reset();
    }
    if (finishing_ && reader_->at_end() && input_.empty()) {
        const std::size_t frames = conversion_ ? read_tail(*conversion_, out) : 0;
        drained_ = frames == 0;
        return frames;
    }
    return conversion_ ? read_converted(out, go_on) : read_plain(out, go_on);
}

std::size_t Run::read_plain(std::span<float> out, const std::function<bool()>& go_on) {
    if (reader_->channels() == format_.channels) return reader_->read(out, go_on);
    const std::size_t frames = std::min(kBlockFrames, out.size() / format_.channels);
    const std::size_t got = reader_->read(std::span(raw_).first(frames * reader_->channels()), go_on);
    adapt(std::span(raw_).first(got * reader_->channels()), reader_->channels(), out, format_.channels);
    return got;
}

bool Run::read_input(const std::function<bool()>& go_on) {
    const std::size_t channels = reader_->channels();
    const std::size_t got = reader_->read(std::span(raw_).first(kBlockFrames * channels), go_on);
    adapt(std::span(raw_).first(got * channels), channels, block_, format_.channels);
    input_ = std::span(block_).first(got * format_.channels);
    return got > 0;
}

std::size_t Run::read_converted(std::span<float> out, const std::function<bool()>& go_on) {
    while (true) {
        if (input_.empty() && !read_input(go_on)) return 0;
        const Resampler::Progress done = conversion_->resampler.process(input_, out);
        input_ = input_.subspan(done.consumed * format_.channels);
        conversion_->consumed_frames += static_cast<std::int64_t>(done.consumed);
        const std::size_t frames = without_skipped(*conversion_, out, done.produced);
        if (frames > 0 || ends_here()) return frames;
    }
}

std::size_t Run::read_tail(Conversion& conversion, std::span<float> out) {
    while (true) {
        const std::size_t produced = conversion.resampler.finish(out);
        const std::size_t frames = without_skipped(conversion, out, produced);
        if (frames > 0 || produced == 0) return frames;
    }
}

std::size_t Run::without_skipped(Conversion& conversion, std::span<float> out, std::size_t frames) const {
    conversion.produced_frames += static_cast<std::int64_t>(frames);
    const std::size_t skipped = std::min(frames, conversion.skip_frames);
    conversion.skip_frames -= skipped;
    const auto begin = out.begin() + static_cast<std::ptrdiff_t>(skipped * format_.channels);
    if (skipped > 0)
        std::copy(begin, out.begin() + static_cast<std::ptrdiff_t>(frames * format_.channels), out.begin());
    return frames - skipped;
}

}  // namespace lacquer::player
