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
// the filter bank's history. With a preroll they are right but for the last bit: the filter bank sums in an order that
// depends on how many frames it has seen since the seek, and frames without their reservoir do not reach it.
constexpr std::int64_t kPrerollFrames = 24;
constexpr long kSilentPrerollFrames = 8;  // decoded by libmpg123 itself before those
constexpr std::int64_t kRestartFrames = 256;
constexpr long kIndexFrames = 1000;  // it grows coarser instead of longer
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
        check(mpg123_param(handle_.get(), MPG123_PREFRAMES, kSilentPrerollFrames, 0));
        check(mpg123_param(handle_.get(), MPG123_INDEX_SIZE, kIndexFrames, 0));
        check(mpg123_replace_reader_handle(handle_.get(), read_bytes, seek_bytes, nullptr));
        file_->seek(0);
        check(mpg123_open_handle(handle_.get(), file_.get()));
        index_.reserve(kIndexFrames);
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
        const std::int64_t start = std::max<std::int64_t>(0, target / frame_samples_ - kPrerollFrames);
        reopen();
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
        file_->throw_if_failed();
        return done / format_.channels;
    }

private:
    void check(int status) const {
        file_->throw_if_failed();
        if (status != MPG123_OK) throw DecodeError(mpg123_strerror(handle_.get()));
    }

    // mpg123_seek_frame() alone keeps the filter bank's place in its ring, and with it the rounding, of what was
    // decoded before.
    void reopen() {
        off_t* offsets = nullptr;
        off_t step = 0;
        std::size_t count = 0;
        check(mpg123_index(handle_.get(), &offsets, &step, &count));
        index_.assign(offsets, offsets + count);
        file_->seek(0);
        check(mpg123_open_handle(handle_.get(), file_.get()));
        if (count > 0) check(mpg123_set_index(handle_.get(), index_.data(), step, count));
    }

    // Of the audio, as the tag has it; beyond any count when it says nothing.
    std::int64_t tagged_samples() const noexcept {
        if (tag_.frames < 0) return std::numeric_limits<std::int64_t>::max() / 2;
        return tag_.frames * frame_samples_ - tag_.delay_samples - tag_.padding_samples;
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
        frame_samples_ = mpg123_spf(handle_.get());
        format_.sample_rate_hz = static_cast<std::uint32_t>(rate);
        format_.channels = static_cast<std::uint32_t>(channels);
        format_.layout = wave_layout(format_.channels);
        format_.format = "mp" + std::to_string(info.layer);
        format_.decoder = std::string("libmpg123-" LACQUER_MPG123_VERSION " ") + mpg123_current_decoder(handle_.get());
        format_.restart_frames = kRestartFrames * frame_samples_;
        format_.claimed_frames = std::max<std::int64_t>(0, tag_.frames >= 0 ? tagged_samples() : 0);
        format_.promised_frames = tag_.frames >= 0 ? format_.claimed_frames : -1;
    }

    std::unique_ptr<FileReader> file_;  // outlives handle_, which reads from it
    Mpg123Handle handle_;
    MpegInfoTag tag_;
    SourceFormat format_;
    std::int64_t frame_samples_ = 0;
    bool at_end_ = false;
    std::vector<off_t> index_;    // where frames start in the file, kept over reopen()
    std::vector<float> dropped_;  // one block of preroll
};

}  // namespace

std::unique_ptr<Source> open_mpg123_source(std::unique_ptr<FileReader> file) {
    return std::make_unique<Mpg123Source>(std::move(file));
}

}  // namespace lacquer::media
