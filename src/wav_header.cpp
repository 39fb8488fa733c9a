#include "src/wav_header.h"

#include <limits>
#include <string_view>

namespace lacquer {
namespace {

class Bytes {
public:
    void tag(std::string_view name) {
        for (char c : name) bytes_.push_back(static_cast<std::byte>(c));
    }
    void number(std::uint64_t value, int width) {
        for (int i = 0; i < width; ++i) bytes_.push_back(static_cast<std::byte>(value >> (8 * i)));
    }
    std::vector<std::byte> take() { return std::move(bytes_); }
    std::size_t size() const { return bytes_.size(); }

private:
    std::vector<std::byte> bytes_;
};

constexpr std::uint16_t kPcm = 1, kFloat = 3, kExtensible = 0xFFFE;
constexpr std::uint64_t kUnknown32 = 0xFFFFFFFF;

void write_format(Bytes& out, const WavShape& shape) {
    const bool extensible = shape.format == dsp::SampleFormat::s24;
    const bool is_float = shape.format == dsp::SampleFormat::f32;
    const std::uint64_t bits = 8 * dsp::bytes_per_sample(shape.format);
    out.tag("fmt ");
    out.number(extensible ? 40 : is_float ? 18 : 16, 4);
    out.number(extensible ? kExtensible : is_float ? kFloat : kPcm, 2);
    out.number(shape.channels, 2);
    out.number(shape.sample_rate_hz, 4);
    out.number(std::uint64_t{shape.sample_rate_hz} * shape.frame_bytes(), 4);
    out.number(shape.frame_bytes(), 2);
    out.number(bits, 2);
    if (is_float) out.number(0, 2);
    if (!extensible) return;
    out.number(22, 2);
    out.number(bits, 2);
    out.number(shape.channels == 1 ? 4 : 3, 4);  // front centre, or front left and right
    out.number(kPcm, 2);
    out.tag(std::string_view("\x00\x00\x00\x00\x10\x00\x80\x00\x00\xAA\x00\x38\x9B\x71", 14));
}

}  // namespace

std::vector<std::byte> wav_header(const WavShape& shape) {
    Bytes format;
    write_format(format, shape);
    if (shape.format == dsp::SampleFormat::f32) {
        format.tag("fact");
        format.number(4, 4);
        format.number(std::min<std::uint64_t>(kUnknown32, static_cast<std::uint64_t>(shape.frame_count)), 4);
    }
    const std::uint64_t data = shape.data_bytes();
    const std::uint64_t riff_bytes = 4 + format.size() + 8 + data + shape.pad_bytes();
    const bool large = riff_bytes + 8 > std::numeric_limits<std::uint32_t>::max();

    Bytes out;
    out.tag(large ? "RF64" : "RIFF");
    out.number(large ? kUnknown32 : riff_bytes, 4);
    out.tag("WAVE");
    if (large) {
        out.tag("ds64");
        out.number(28, 4);
        out.number(riff_bytes + 36, 8);
        out.number(data, 8);
        out.number(static_cast<std::uint64_t>(shape.frame_count), 8);
        out.number(0, 4);
    }
    std::vector<std::byte> header = out.take();
    const std::vector<std::byte> rest = format.take();
    header.insert(header.end(), rest.begin(), rest.end());
    Bytes data_chunk;
    data_chunk.tag("data");
    data_chunk.number(large ? kUnknown32 : data, 4);
    const std::vector<std::byte> tail = data_chunk.take();
    header.insert(header.end(), tail.begin(), tail.end());
    return header;
}

}  // namespace lacquer
