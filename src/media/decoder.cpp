#include "src/media/decoder.h"

#include <algorithm>
#include <cassert>
#include <utility>
#include <vector>

#include "src/media/downmix.h"
#include "src/media/measure_length.h"
#include "src/media/source.h"

namespace lacquer::media {
namespace {

constexpr std::uint32_t kMinRateHz = 8000;
constexpr std::uint32_t kMaxRateHz = 192000;
constexpr std::uint32_t kMaxSourceChannels = 64;

MediaInfo describe(const SourceFormat& format) {
    if (format.sample_rate_hz < kMinRateHz || format.sample_rate_hz > kMaxRateHz) {
        throw DecodeError("sample rate " + std::to_string(format.sample_rate_hz) + " Hz is outside 8000-192000 Hz");
    }
    if (format.channels == 0 || format.channels > kMaxSourceChannels) {
        throw DecodeError(std::to_string(format.channels) + " channels, but 1 to 64 can be played");
    }
    MediaInfo info;
    info.sample_rate_hz = format.sample_rate_hz;
    info.source_channels = format.channels;
    info.channels = format.channels == 1 ? 1 : 2;
    info.integer_bits = format.channels <= 2 ? format.integer_bits : 0;
    info.format = format.format;
    info.decoder = format.decoder;
    return info;
}

class SourceDecoder final : public Decoder {
public:
    SourceDecoder(std::unique_ptr<Source> source, const MediaInfo& info)
        : source_(std::move(source)),
          info_(describe(source_->format())),
          downmix_(source_->format().layout),
          interleaved_(kSourceBlockFrames * info_.source_channels) {
        info_.frame_count = info.frame_count;
        info_.promised_frames = info.promised_frames;
    }

    const MediaInfo& info() const noexcept override { return info_; }

    void seek(std::int64_t frame) override {
        assert(frame >= 0 && frame <= info_.frame_count);
        if (frame < info_.frame_count) source_->seek(frame);
        position_ = frame;
    }

    std::size_t read(dsp::AudioBlock out) override {
        assert(out.channel_count == info_.channels);
        std::size_t done = 0;
        while (done < out.frame_count && position_ < info_.frame_count) {
            const std::size_t wanted = std::min({out.frame_count - done, kSourceBlockFrames, frames_left()});
            const std::size_t count = source_->read(std::span(interleaved_).first(wanted * info_.source_channels));
            downmix_.process(std::span<const float>(interleaved_).first(count * info_.source_channels),
                             out.slice(done, count));
            done += count;
            position_ = count < wanted ? info_.frame_count : position_ + static_cast<std::int64_t>(count);
        }
        return done;
    }

private:
    std::size_t frames_left() const noexcept { return static_cast<std::size_t>(info_.frame_count - position_); }

    std::unique_ptr<Source> source_;
    MediaInfo info_;
    Downmix downmix_;
    std::int64_t position_ = 0;
    std::vector<float> interleaved_;  // one block
};

}  // namespace

MediaInfo probe(const std::filesystem::path& file) {
    const std::unique_ptr<Source> source = open_source(file);
    MediaInfo info = describe(source->format());
    source->scan();
    info.frame_count = measure_frames(*source);
    info.promised_frames = believable_promise(source->format(), info.frame_count);
    return info;
}

std::unique_ptr<Decoder> open_decoder(const std::filesystem::path& file, const MediaInfo& info) {
    return std::make_unique<SourceDecoder>(restarting_on_grid(open_source(file)), info);
}

std::unique_ptr<Decoder> open_decoder(const std::filesystem::path& file) {
    return open_decoder(file, probe(file));
}

}  // namespace lacquer::media
