#include <algorithm>
#include <utility>
#include <vector>

#include "src/media/source.h"

namespace lacquer::media {
namespace {

class GridSource final : public Source {
public:
    explicit GridSource(std::unique_ptr<Source> source)
        : source_(std::move(source)), dropped_(kSourceBlockFrames * format().channels) {}

    const SourceFormat& format() const noexcept override { return source_->format(); }

    void scan() override {
        source_->scan();
        seek(0);
    }

    void seek(std::int64_t frame) override {
        restart(frame / format().restart_frames * format().restart_frames);
        while (position_ < frame) {
            const std::size_t wanted = std::min(kSourceBlockFrames, static_cast<std::size_t>(frame - position_));
            if (read(std::span(dropped_).first(wanted * format().channels)) == 0) break;
        }
    }

    std::size_t read(std::span<float> interleaved) override {
        const std::size_t wanted = interleaved.size() / format().channels;
        std::size_t done = 0;
        while (done < wanted) {
            if (position_ == next_restart_) restart(position_);
            const std::size_t part = std::min(wanted - done, static_cast<std::size_t>(next_restart_ - position_));
            const auto out = interleaved.subspan(done * format().channels, part * format().channels);
            const std::size_t count = source_->read(out);
            position_ += static_cast<std::int64_t>(count);
            done += count;
            if (count < part) break;
        }
        return done;
    }

private:
    void restart(std::int64_t frame) {
        source_->seek(frame);
        position_ = frame;
        next_restart_ = frame + format().restart_frames;
    }

    std::unique_ptr<Source> source_;
    std::int64_t position_ = 0;
    std::int64_t next_restart_ = 0;  // the first read() restarts at 0
    std::vector<float> dropped_;
};

}  // namespace

std::unique_ptr<Source> restarting_on_grid(std::unique_ptr<Source> source) {
    if (source->format().restart_frames == 0) return source;
    return std::make_unique<GridSource>(std::move(source));
}

}  // namespace lacquer::media
