// What one decoding library makes of a file, before it becomes a Decoder: every channel, interleaved, in the file's
// own order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "src/media/downmix.h"
#include "src/media/file_reader.h"

namespace lacquer::media {

struct SourceFormat {
    std::uint32_t sample_rate_hz = 0;
    std::uint32_t channels = 0;
    int integer_bits = 0;  // 0 for float and lossy sources
    ChannelLayout layout;  // one speaker per channel
    std::string format;
    std::string decoder;
    std::int64_t restart_frames = 0;    // decoding has to start afresh at every multiple of it; 0: never
    std::int64_t claimed_frames = 0;    // what the library believes it can deliver, to be proven
    std::int64_t promised_frames = -1;  // what the file's own header says, -1 when it says nothing
};

// Threads: one instance per run, not thread-safe. Memory: fixed after construction.
class Source {
public:
    virtual ~Source() = default;
    virtual const SourceFormat& format() const noexcept = 0;
    // The next read() starts at `frame`; what it gives depends on `frame` alone. Unless format().restart_frames is set
    // it is also what a straight decode gives there, bit for bit. A seek to or past the end
    // is not an error: the next read() gives nothing. Throws DecodeError when the file cannot be positioned.
    virtual void seek(std::int64_t frame) = 0;
    // Whole frames into `interleaved`; fewer than fit only at the end, 0 from then on. Throws DecodeError when the
    // file cannot be read.
    virtual std::size_t read(std::span<float> interleaved) = 0;
    // Replaces claimed_frames by a count that looked at the whole file, where that is cheaper than decoding it.
    virtual void scan() {}
};

inline constexpr std::size_t kSourceBlockFrames = 4096;  // more are never asked of read() at once

// By content first (behind any ID3v2 tags), then by the file's extension. Throws DecodeError.
std::unique_ptr<Source> open_source(const std::filesystem::path& file);

// Makes seeks bit-exact where the codec's state keeps a trace of where decoding began: restarts `source` at every
// multiple of its restart_frames, in a straight decode too. Returns sources that need no restarts as they are.
std::unique_ptr<Source> restarting_on_grid(std::unique_ptr<Source> source);

std::unique_ptr<Source> open_sndfile_source(std::unique_ptr<FileReader> file);
std::unique_ptr<Source> open_mpg123_source(std::unique_ptr<FileReader> file);

}  // namespace lacquer::media
