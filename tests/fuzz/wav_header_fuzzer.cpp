// Whatever the shape of a WAV file we write: libsndfile reads the same shape back, and every size field holds.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <sndfile.h>

#include "src/wav_header.h"

namespace {

using namespace lacquer;

// A file of which only the header exists; the samples are zeros.
struct SparseFile {
    std::vector<std::byte> header;
    sf_count_t size_bytes = 0;
    sf_count_t position = 0;
};

SF_VIRTUAL_IO sparse_io() {
    SF_VIRTUAL_IO io{};
    io.get_filelen = [](void* file) { return static_cast<SparseFile*>(file)->size_bytes; };
    io.seek = [](sf_count_t offset, int whence, void* data) {
        auto& file = *static_cast<SparseFile*>(data);
        const sf_count_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file.position : file.size_bytes;
        return file.position = from + offset;
    };
    io.read = [](void* out, sf_count_t count, void* data) {
        auto& file = *static_cast<SparseFile*>(data);
        count = std::clamp<sf_count_t>(file.size_bytes - file.position, 0, count);
        std::memset(out, 0, static_cast<std::size_t>(count));
        const auto header_bytes = static_cast<sf_count_t>(file.header.size());
        const sf_count_t known = std::clamp<sf_count_t>(header_bytes - file.position, 0, count);
        if (known > 0) std::memcpy(out, file.header.data() + file.position, static_cast<std::size_t>(known));
        file.position += count;
        return count;
    };
    io.write = [](const void*, sf_count_t, void*) { return sf_count_t{0}; };
    io.tell = [](void* file) { return static_cast<SparseFile*>(file)->position; };
    return io;
}

void require(bool holds) {
    if (!holds) std::abort();
}

WavShape shape_from(const std::uint8_t* data) {
    std::uint64_t number = 0;
    std::memcpy(&number, data, sizeof number);
    WavShape shape;
    shape.sample_rate_hz = 8000 + static_cast<std::uint32_t>(number % 184'001);
    shape.channels = 1 + data[8] % 2;
    constexpr dsp::SampleFormat kFormats[] = {dsp::SampleFormat::s16, dsp::SampleFormat::s24, dsp::SampleFormat::f32};
    shape.format = kFormats[data[8] / 2 % 3];
    std::memcpy(&number, data + 9, sizeof number);
    shape.frame_count = static_cast<std::int64_t>(number >> (22 + data[8] / 6 % 40));  // up to 4e12
    return shape;
}

int subtype(dsp::SampleFormat format) {
    if (format == dsp::SampleFormat::s16) return SF_FORMAT_PCM_16;
    return format == dsp::SampleFormat::s24 ? SF_FORMAT_PCM_24 : SF_FORMAT_FLOAT;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 17) return 0;
    const WavShape shape = shape_from(data);
    SparseFile file{wav_header(shape), 0, 0};
    require(file.header.size() % 2 == 0 && file.header.size() <= 128);
    file.size_bytes = static_cast<sf_count_t>(file.header.size() + shape.data_bytes() + shape.pad_bytes());
    SF_VIRTUAL_IO io = sparse_io();
    SF_INFO info{};
    SNDFILE* opened = sf_open_virtual(&io, SFM_READ, &info, &file);
    require(opened != nullptr);
    sf_close(opened);
    require(info.frames == shape.frame_count && info.channels == static_cast<int>(shape.channels));
    require(info.samplerate == static_cast<int>(shape.sample_rate_hz));
    require((info.format & SF_FORMAT_SUBMASK) == subtype(shape.format));
    return 0;
}
