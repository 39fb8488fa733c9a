// One decoder interface over libsndfile (WAV, AIFF, FLAC, Ogg Vorbis, Opus) and libmpg123 (MP3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>

#include "dsp/audio_block.h"

namespace lacquer::media {

// What a file holds; exact, found by looking as far as it takes.
struct MediaInfo {
    std::uint32_t sample_rate_hz = 0;   // [8000, 192000]
    std::uint32_t source_channels = 0;  // in the file
    std::uint32_t channels = 0;         // served: 1 for mono, else 2
    std::int64_t frame_count = 0;       // what a listener gets: encoder delay and padding removed
    std::int64_t promised_frames = 0;   // what the header says, when it says more than there is; else frame_count
    int integer_bits = 0;               // bits of an integer source (8, 16, 24, 32), 0 for float and lossy ones
    std::string format;                 // "wav", "flac", "mp3", ...
    std::string decoder;                // name, version and CPU path: part of the engine id
};

// The file cannot be decoded; what() is the decoder's reason, fit for people, without a path. code(): what the system
// said when it was not the file's content that stood in the way; none otherwise.
class DecodeError : public std::runtime_error {
public:
    explicit DecodeError(const std::string& reason, std::error_code code = {})
        : std::runtime_error(code ? reason + ": " + code.message() : reason), code_(code) {}
    const std::error_code& code() const noexcept { return code_; }

private:
    std::error_code code_;
};

// Threads: one instance per run, not thread-safe. Memory: fixed after construction.
class Decoder {
public:
    virtual ~Decoder() = default;
    virtual const MediaInfo& info() const noexcept = 0;
    // The next read() starts exactly at `frame` of [0, frame_count], bit for bit what a straight decode gives there,
    // whatever was read before. MP3 and Opus are decoded afresh at every multiple of about 6.7 and 5 s, in a straight
    // decode too, and a seek decodes from the last such point: up to 7 ms for MP3, 30 ms for Opus; others under 1 ms.
    // Throws DecodeError when the file cannot be positioned.
    virtual void seek(std::int64_t frame) = 0;
    // Fills `out` (info().channels channels) and returns the frames written: fewer than asked only at the end of what
    // can be decoded, 0 from then on. Integers are integer / 2^(bits-1); floats pass as they are, NaN included; more
    // than two channels are mixed (see downmix.h). Throws DecodeError when the file cannot be read or positioned.
    virtual std::size_t read(dsp::AudioBlock out) = 0;
};

// Measures the length exactly; may have to walk the whole file (MP3 without a Xing header, truncated files). Here and
// below, no component of `file` may be a symbolic link: who means what it leads to resolves it before. Throws
// DecodeError.
MediaInfo probe(const std::filesystem::path& file);

// Opens for reading, trusting `info` (from an earlier probe of the same content) for the length. Throws DecodeError.
std::unique_ptr<Decoder> open_decoder(const std::filesystem::path& file, const MediaInfo& info);

// How sources are opened; tests use one that fails or blocks.
using OpenDecoder = std::function<std::unique_ptr<Decoder>(const std::filesystem::path&, const MediaInfo&)>;
inline OpenDecoder real_decoders() {
    return [](const std::filesystem::path& file, const MediaInfo& info) { return open_decoder(file, info); };
}

// probe() and open in one, for a file nobody has probed before. Throws DecodeError.
std::unique_ptr<Decoder> open_decoder(const std::filesystem::path& file);

// True when the file's name ends like something we may be able to decode.
bool has_audio_extension(const std::filesystem::path& file);

}  // namespace lacquer::media
