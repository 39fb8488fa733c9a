// libsndfile's formats. Integer sources are read as integers and scaled here, which is exact and faster than
// sf_readf_float; lossy codecs are positioned with a preroll, because their first blocks after a seek differ from what
// a straight decode gives.
#include <algorithm>
#include <cassert>
#include <cstdio>
#include <limits>
#include <utility>
#include <vector>

#include <sndfile.h>

#include "src/media/container_header.h"
#include "src/media/decoder.h"
#include "src/media/sndfile_format.h"
#include "src/media/source.h"

namespace lacquer::media {
namespace {

FileReader& reader(void* user) {
    return *static_cast<FileReader*>(user);
}
sf_count_t virtual_length(void* user) {
    return reader(user).size_bytes();
}
sf_count_t virtual_tell(void* user) {
    return reader(user).position();
}
sf_count_t virtual_seek(sf_count_t offset, int whence, void* user) {
    const sf_count_t base = whence == SEEK_CUR ? virtual_tell(user) : whence == SEEK_END ? virtual_length(user) : 0;
    reader(user).seek(base + offset);
    return virtual_tell(user);
}
sf_count_t virtual_read(void* bytes, sf_count_t count, void* user) {
    if (count <= 0) return 0;
    const std::span<std::byte> out(static_cast<std::byte*>(bytes), static_cast<std::size_t>(count));
    return static_cast<sf_count_t>(reader(user).read(out));
}
sf_count_t virtual_write(const void*, sf_count_t, void*) {
    return 0;
}

struct CloseSndfile {
    void operator()(SNDFILE* file) const noexcept { sf_close(file); }
};
using SndfileHandle = std::unique_ptr<SNDFILE, CloseSndfile>;

// The header's own count of frames, which libsndfile cuts to what the file can hold; -1 when there is none.
std::int64_t promised_frames(FileReader& file, const SF_INFO& info) {
    const int bytes_per_sample = bytes_per_pcm_sample(info.format);
    if (bytes_per_sample == 0 || info.channels <= 0) return -1;
    const auto bytes = promised_audio_bytes(file);
    return bytes ? *bytes / (std::int64_t{bytes_per_sample} * info.channels) : -1;
}

class SndfileSource final : public Source {
public:
    explicit SndfileSource(std::unique_ptr<FileReader> file) : file_(std::move(file)) {
        const SF_INFO info = open();
        codec_ = sndfile_codec(info.format);
        describe(info);
        const std::size_t block_samples = kSourceBlockFrames * format_.channels;
        shorts_.resize(format_.integer_bits >= 1 && format_.integer_bits <= 16 ? block_samples : 0);
        ints_.resize(format_.integer_bits > 16 ? block_samples : 0);
        dropped_.resize(codec_.preroll_frames > 0 ? block_samples : 0);
    }

    const SourceFormat& format() const noexcept override { return format_; }

    void seek(std::int64_t frame) override {
        at_end_ = frame >= format_.claimed_frames;
        if (at_end_) return;
        std::int64_t preroll = std::min(codec_.preroll_frames, frame);
        while (!try_seek(frame, preroll)) {
            assert(preroll < frame);  // from the start it always works
            preroll = std::min(frame, preroll * 8 + 65536);
        }
    }

    std::size_t read(std::span<float> interleaved) override {
        if (at_end_) return 0;
        const auto frames = static_cast<sf_count_t>(interleaved.size() / format_.channels);
        assert(frames <= static_cast<sf_count_t>(kSourceBlockFrames));
        sf_count_t count = 0;
        if (format_.integer_bits == 0) {
            count = sf_readf_float(handle_.get(), interleaved.data(), frames);
        } else if (format_.integer_bits <= 16) {
            count = read_integers(sf_readf_short, shorts_, interleaved.data(), frames);
        } else {
            count = read_integers(sf_readf_int, ints_, interleaved.data(), frames);
        }
        file_->throw_if_failed();
        return static_cast<std::size_t>(std::max<sf_count_t>(count, 0));
    }

private:
    SF_INFO open() {
        SF_VIRTUAL_IO io{virtual_length, virtual_seek, virtual_read, virtual_write, virtual_tell};
        SF_INFO info{};
        file_->seek(0);
        handle_.reset(sf_open_virtual(&io, SFM_READ, &info, file_.get()));
        file_->throw_if_failed();
        if (!handle_) throw DecodeError(sf_strerror(nullptr));
        return info;
    }

    void describe(const SF_INFO& info) {
        const char* const name = sndfile_format_name(info.format);
        if (name == nullptr || info.channels <= 0) throw DecodeError("not a supported audio format");
        format_.sample_rate_hz = static_cast<std::uint32_t>(info.samplerate);
        format_.channels = static_cast<std::uint32_t>(info.channels);
        format_.integer_bits = codec_.integer_bits;
        format_.layout = sndfile_layout(handle_.get(), info);
        format_.format = name;
        format_.decoder = sndfile_decoder_name(info.format);
        format_.restart_frames = codec_.restart_frames;
        format_.claimed_frames = info.frames;
        format_.promised_frames = promised_frames(*file_, info);
    }

    bool try_seek(std::int64_t frame, std::int64_t preroll) {
        const std::int64_t start = frame - preroll;
        if (sf_seek(handle_.get(), start, SEEK_SET) != start) {
            if (start > 0) return false;
            open();
        }
        if (preroll > 0 && dropped_.empty()) dropped_.resize(kSourceBlockFrames * format_.channels);
        while (preroll > 0) {
            const auto wanted = static_cast<std::size_t>(std::min<std::int64_t>(preroll, kSourceBlockFrames));
            const std::size_t count = read(std::span(dropped_).first(wanted * format_.channels));
            if (count == 0) return true;  // the audio ends before `frame`
            preroll -= static_cast<std::int64_t>(count);
        }
        return true;
    }

    // libsndfile scales every integer up to the full range of the type it is read as.
    template <typename Integer>
    sf_count_t read_integers(sf_count_t (*read_frames)(SNDFILE*, Integer*, sf_count_t), std::vector<Integer>& integers,
                             float* out, sf_count_t frames) {
        constexpr float kScale = 1.0f / -static_cast<float>(std::numeric_limits<Integer>::min());
        const sf_count_t count = read_frames(handle_.get(), integers.data(), frames);
        const auto samples = static_cast<std::size_t>(std::max<sf_count_t>(count, 0)) * format_.channels;
        for (std::size_t i = 0; i < samples; ++i) out[i] = static_cast<float>(integers[i]) * kScale;
        return count;
    }

    std::unique_ptr<FileReader> file_;  // outlives handle_, which reads from it
    SndfileHandle handle_;
    SndfileCodec codec_{};
    SourceFormat format_;
    bool at_end_ = false;
    std::vector<short> shorts_;   // one block of an 8- or 16-bit source
    std::vector<int> ints_;       // one block of a 24- or 32-bit source
    std::vector<float> dropped_;  // one block of preroll
};

}  // namespace

std::unique_ptr<Source> open_sndfile_source(std::unique_ptr<FileReader> file) {
    return std::make_unique<SndfileSource>(std::move(file));
}

}  // namespace lacquer::media
