// libmpg123's formats. Gapless trimming is done here rather than by the library, whose own depends on whether it has
// scanned the file; the same bytes must mean the same frames for every instance.
#include <algorithm>
#include <cstdio>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <mpg123.h>

#include "src/media/decoder.h"
#include "src/media/mpeg_header.h"
#include "src/media/source.h"

namespace lacquer::media {
namespace {

// After a seek the first frames lack the bit reservoir (up to 511 bytes, 25 frames of the lowest rate), the overlap and
// the filter bank's history. The filter bank sums in an order that repeats every 8 frames, so decoding has to start on
// that grid for its rounding to be a straight decode's.
constexpr std::int64_t kGridFrames = 8;
constexpr std::int64_t kPrerollFrames = 32;
constexpr long kResyncLimitBytes = 64 * 1024;

FileReader& reader(void* user) {
    return *static_cast<FileReader*>(user);
}
ssize_t read_bytes(void* user, void* bytes, std::size_t count) {
    return static_cast<ssize_t>(reader(user).read({static_cast<std::byte*>(bytes), count}));
}
off_t seek_bytes(void* user, off_t offset, int whence) {
    FileReader& file = reader(user);
    const off_t base = whence == SEEK_CUR ? file.position() : whence == SEEK_END ? file.size_bytes() : 0;
    if (base + offset < 0) return -1;
    file.seek(base + offset);
    return file.position();
}

struct DeleteMpg123 {
    void operator()(mpg123_handle* handle) const noexcept { mpg123_delete(handle); }
};
using Mpg123Handle = std::unique_ptr<mpg123_handle, DeleteMpg123>;

Mpg123Handle new_handle() {
    static const int initialised = mpg123_init();
    int error = initialised;
    Mpg123Handle handle(error == MPG123_OK ? mpg123_new(nullptr, &error) : nullptr);
    if (!handle) throw DecodeError(mpg123_plain_strerror(error));
    return handle;
}

class Mpg123Source final : public Source {
public:
    explicit Mpg123Source(std::unique_ptr<FileReader> file) : file_(std::move(file)), handle_(new_handle()) {
        if (const auto tag = read_mpeg_info_tag(*file_)) tag_ = *tag;
        check(mpg123_param(handle_.get(), MPG123_ADD_FLAGS, MPG123_QUIET | MPG123_FORCE_FLOAT, 0));
        check(mpg123_param(handle_.get(), MPG123_REMOVE_FLAGS, MPG123_GAPLESS | MPG123_AUTO_RESAMPLE, 0));
        check(mpg123_param(handle_.get(), MPG123_RESYNC_LIMIT, kResyncLimitBytes, 0));
        check(mpg123_param(handle_.get(), MPG123_PREFRAMES, kGridFrames, 0));
        check(mpg123_replace_reader_handle(handle_.get(), read_bytes, seek_bytes, nullptr));
        check(mpg123_open_handle(handle_.get(), file_.get()));
        describe();
        dropped_.resize(kSourceBlockFrames * format_.channels);
        seek(0);
    }

    const SourceFormat& format() const noexcept override { return format_; }

    void scan() override {
        check(mpg123_scan(handle_.get()));
        const std::int64_t found = mpg123_length(handle_.get()) - tag_.delay_samples;
        const bool tag_is_short = found > tagged_samples() + tag_.padding_samples;
        format_.claimed_frames = std::max<std::int64_t>(0, tag_is_short ? found : std::min(found, tagged_samples()));
        seek(0);
    }

    void seek(std::int64_t frame) override {
        const std::int64_t target = frame + tag_.delay_samples;
        const std::int64_t start = std::max<std::int64_t>(0, grid_start(target / frame_samples_));
        const std::int64_t reached = mpg123_seek_frame(handle_.get(), start, SEEK_SET);
        at_end_ = reached < 0 || reached > start;
        std::int64_t left = target - start * frame_samples_;
        while (left > 0 && !at_end_) {
            const auto wanted = static_cast<std::size_t>(std::min<std::int64_t>(left, kSourceBlockFrames));
            left -= static_cast<std::int64_t>(read(std::span(dropped_).first(wanted * format_.channels)));
        }
    }

    std::size_t read(std::span<float> interleaved) override {
        std::size_t done = 0;
        while (done < interleaved.size() && !at_end_) {
            std::size_t bytes = 0;
            const auto out = std::as_writable_bytes(interleaved.subspan(done));
            const int status = mpg123_read(handle_.get(), out.data(), out.size(), &bytes);
            done += bytes / sizeof(float);
            at_end_ = status != MPG123_OK && status != MPG123_NEW_FORMAT;
        }
        if (file_->failed()) throw DecodeError("the file cannot be read");
        return done / format_.channels;
    }

private:
    void check(int status) const {
        if (status != MPG123_OK) throw DecodeError(mpg123_strerror(handle_.get()));
    }

    // Of the audio, as the tag has it; beyond any count when it says nothing.
    std::int64_t tagged_samples() const noexcept {
        if (tag_.frames < 0) return std::numeric_limits<std::int64_t>::max() / 2;
        return tag_.frames * frame_samples_ - tag_.delay_samples - tag_.padding_samples;
    }

    // libmpg123 decodes MPG123_PREFRAMES frames more in layer 3, but at most 2 in layers 1 and 2.
    std::int64_t grid_start(std::int64_t frame) const noexcept {
        const std::int64_t preframes = layer_ == 3 ? 0 : 2;
        return (frame - kPrerollFrames - preframes) / kGridFrames * kGridFrames + preframes;
    }

    void describe() {
        long rate = 0;
        int channels = 0;
        int encoding = 0;
        check(mpg123_getformat(handle_.get(), &rate, &channels, &encoding));
        if (encoding != MPG123_ENC_FLOAT_32) throw DecodeError("libmpg123 cannot decode to float");
        check(mpg123_format_none(handle_.get()));
        check(mpg123_format(handle_.get(), rate, channels, encoding));
        const long mixing = channels == 1 ? MPG123_MONO_MIX : MPG123_FORCE_STEREO;
        check(mpg123_param(handle_.get(), MPG123_ADD_FLAGS, mixing, 0));
        mpg123_frameinfo info{};
        check(mpg123_info(handle_.get(), &info));
        layer_ = info.layer;
        frame_samples_ = mpg123_spf(handle_.get());
        format_.sample_rate_hz = static_cast<std::uint32_t>(rate);
        format_.channels = static_cast<std::uint32_t>(channels);
        format_.layout = wave_layout(format_.channels);
        format_.format = "mp" + std::to_string(layer_);
        format_.decoder = std::string("libmpg123-" LACQUER_MPG123_VERSION " ") + mpg123_current_decoder(handle_.get());
        format_.claimed_frames = std::max<std::int64_t>(0, tag_.frames >= 0 ? tagged_samples() : 0);
        format_.promised_frames = tag_.frames >= 0 ? format_.claimed_frames : -1;
    }

    std::unique_ptr<FileReader> file_;  // outlives handle_, which reads from it
    Mpg123Handle handle_;
    MpegInfoTag tag_;
    SourceFormat format_;
    int layer_ = 0;
    std::int64_t frame_samples_ = 0;
    bool at_end_ = false;
    std::vector<float> dropped_;  // one block of preroll
};

}  // namespace

std::unique_ptr<Source> open_mpg123_source(std::unique_ptr<FileReader> file) {
    return std::make_unique<Mpg123Source>(std::move(file));
}

}  // namespace lacquer::media
