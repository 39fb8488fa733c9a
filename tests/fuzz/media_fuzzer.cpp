// Whatever a file of music holds: a reason why it cannot be decoded, or exactly as many frames as were promised, from
// wherever it is read. The first byte chooses the file's name, which TagLib goes by.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "dsp/audio_block.h"
#include "src/library/examine.h"
#include "src/media/decoder.h"

namespace {

using namespace lacquer;
namespace fs = std::filesystem;

constexpr std::size_t kBlockFrames = 4096;
constexpr std::int64_t kMostFrames = 200'000;
constexpr std::array<const char*, 8> kExtensions{".wav", ".flac", ".mp3", ".ogg", ".opus", ".aiff", ".caf", ".au"};

// One file per name, in memory where there is /dev/shm.
class Scratch {
public:
    Scratch() {
        std::string name =
            (fs::is_directory("/dev/shm") ? "/dev/shm" : fs::temp_directory_path().string()) + "/fuzz-XXXXXX";
        folder_ = ::mkdtemp(name.data());
    }
    ~Scratch() { fs::remove_all(folder_); }
    fs::path write(std::size_t kind, const std::uint8_t* data, std::size_t size) const {
        const fs::path file = folder_ / (std::string("a") + kExtensions[kind % kExtensions.size()]);
        const int descriptor = ::open(file.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
        const ssize_t written = ::write(descriptor, data, size);
        ::close(descriptor);
        if (written != static_cast<ssize_t>(size)) std::abort();
        return file;
    }

private:
    fs::path folder_;
};

std::int64_t frames_from(media::Decoder& decoder, std::int64_t start) {
    dsp::AudioBuffer buffer(decoder.info().channels, kBlockFrames);
    decoder.seek(start);
    std::int64_t frames = 0;
    while (frames < kMostFrames) {
        const std::size_t count = decoder.read(buffer.block());
        if (count > kBlockFrames) std::abort();
        if (count == 0) break;
        frames += static_cast<std::int64_t>(count);
    }
    return frames;
}

}  // namespace

// libsndfile 1.2 forgets what it had set up for Vorbis when the headers turn out to be damaged: 6 KiB per such file.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
    return "leak:vorbis_info_init\nleak:libsndfile.so\nleak:libvorbis.so\n";
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Scratch scratch;
    if (size == 0) return 0;
    const fs::path file = scratch.write(data[0], data + 1, size - 1);
    const library::Track track = library::examine(file);
    if (!track.error.empty()) return 0;
    const media::MediaInfo& info = track.media;
    if (info.channels < 1 || info.channels > 2 || info.frame_count < 0) std::abort();
    if (info.sample_rate_hz < 8000 || info.sample_rate_hz > 192'000) std::abort();
    if (info.promised_frames < info.frame_count) std::abort();
    try {
        const auto decoder = media::open_decoder(file, info);
        if (frames_from(*decoder, 0) > info.frame_count) std::abort();
        frames_from(*decoder, info.frame_count / 2);
        frames_from(*decoder, info.frame_count);
    } catch (const media::DecodeError&) {  // damaged further on
    }
    return 0;
}
