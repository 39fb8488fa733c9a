// Files for the decoder tests: made from signals in code, encoded by the real tools into a directory of their own.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sndfile.h>

#include "src/media/decoder.h"

namespace lacquer::media::test {

namespace fs = std::filesystem;

using Samples = std::vector<float>;  // planar: all of the first channel, then all of the second

inline bool same_bits(const float* a, const float* b, std::size_t count) {
    return count == 0 || std::memcmp(a, b, count * sizeof(float)) == 0;
}

class MediaTest : public testing::Test {
protected:
    MediaTest() {
        std::string name = (fs::temp_directory_path() / "lacquer-media-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
        directory_ = name;
    }
    ~MediaTest() override { fs::remove_all(directory_); }

    fs::path path(const std::string& name) const { return directory_ / name; }

    // A missing or failing tool fails the test.
    void run(const std::string& command) const {
        const std::string line = "cd '" + directory_.string() + "' && " + command + " 2>tool.log";
        ASSERT_EQ(std::system(line.c_str()), 0) << command << "\n" << bytes_of(path("tool.log"));
    }

    static std::string bytes_of(const fs::path& file) {
        std::ifstream in(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    static void write_bytes(const fs::path& file, const std::string& bytes) {
        std::ofstream(file, std::ios::binary) << bytes;
    }

    // A chirp over noise, different in each channel, in integers of `bits` scaled up to 32 bits.
    static std::vector<int> signal(std::int64_t frames, int channels, int rate_hz, int bits) {
        std::mt19937 random(7);
        std::vector<int> samples;
        samples.reserve(static_cast<std::size_t>(frames * channels));
        for (std::int64_t i = 0; i < frames; ++i) {
            for (int c = 0; c < channels; ++c) {
                const double t = static_cast<double>(i) / rate_hz;
                const double chirp = std::sin(6.283185307179586 * t * (200.0 + 40.0 * c + 0.02 * rate_hz * t));
                const double noise = static_cast<double>(random()) / 4294967296.0 - 0.5;
                const double steps = std::floor((0.4 * chirp + 0.4 * noise) * std::ldexp(1.0, bits - 1));
                samples.push_back(static_cast<int>(static_cast<std::int64_t>(steps) * (1LL << (32 - bits))));
            }
        }
        return samples;
    }

    // Written by libsndfile in `format`; returns the samples as written, interleaved, scaled up to 32 bits.
    std::vector<int> write(const std::string& name, int format, std::int64_t frames, int channels = 2,
                           int rate_hz = 44100, int bits = 16) const {
        SF_INFO info{};
        info.samplerate = rate_hz;
        info.channels = channels;
        info.format = format;
        std::vector<int> samples = signal(frames, channels, rate_hz, bits);
        SNDFILE* file = sf_open(path(name).c_str(), SFM_WRITE, &info);
        EXPECT_NE(file, nullptr) << name << ": " << sf_strerror(nullptr);
        if (file == nullptr) return samples;
        EXPECT_EQ(sf_writef_int(file, samples.data(), frames), frames);
        sf_close(file);
        return samples;
    }

    // Up to `frames` from where `decoder` is.
    static Samples read(Decoder& decoder, std::int64_t frames) {
        const std::size_t channels = decoder.info().channels;
        dsp::AudioBuffer buffer(channels, static_cast<std::size_t>(frames));
        const std::size_t count = decoder.read(buffer.block());
        Samples samples;
        for (std::size_t c = 0; c < channels; ++c) {
            const auto channel = buffer.block().channel(c).first(count);
            samples.insert(samples.end(), channel.begin(), channel.end());
        }
        return samples;
    }

    static Samples decode_all(const fs::path& file) {
        const auto decoder = open_decoder(file);
        return read(*decoder, decoder->info().frame_count + 1000);
    }

    // What ffmpeg decodes, interleaved.
    Samples ffmpeg_decode(const std::string& name) const {
        run("ffmpeg -v error -nostdin -y -i " + name + " -f f32le -c:a pcm_f32le ffmpeg.raw");
        const std::string bytes = bytes_of(path("ffmpeg.raw"));
        Samples samples(bytes.size() / sizeof(float));
        std::memcpy(samples.data(), bytes.data(), samples.size() * sizeof(float));
        return samples;
    }

private:
    fs::path directory_;
};

}  // namespace lacquer::media::test
