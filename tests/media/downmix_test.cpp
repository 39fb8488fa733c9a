// Surround to stereo, against coefficients computed by hand from ITU-R BS.775-3.
#include "src/media/downmix.h"

#include <algorithm>

#include "tests/media/fixture.h"

namespace lacquer::media::test {
namespace {

constexpr float kMinus3Db = 0.70710678f;

// What each input channel, alone at 1.0, gives on both sides.
void expect_gains(const ChannelLayout& layout, const std::vector<std::array<float, 2>>& expected) {
    const Downmix downmix(layout);
    ASSERT_EQ(layout.size(), expected.size());
    for (std::size_t c = 0; c < layout.size(); ++c) {
        std::vector<float> frame(layout.size(), 0.0f);
        frame[c] = 1.0f;
        dsp::AudioBuffer out(2, 1);
        downmix.process(frame, out.block());
        EXPECT_NEAR(out.block().channel(0)[0], expected[c][0], 1e-6f) << "channel " << c;
        EXPECT_NEAR(out.block().channel(1)[0], expected[c][1], 1e-6f) << "channel " << c;
    }
}

TEST(Downmix, FivePointOneFollowsBs775AndCannotClip) {
    const float k = 1.0f / (1.0f + 2.0f * kMinus3Db);  // left + centre + left surround
    const float s = kMinus3Db * k;
    expect_gains(wave_layout(6), {{k, 0}, {0, k}, {s, s}, {0, 0}, {s, 0}, {0, s}});
    expect_gains(vorbis_layout(6), {{k, 0}, {s, s}, {0, k}, {s, 0}, {0, s}, {0, 0}});
}

TEST(Downmix, ASingleSurroundGoesToBothSidesAtMinus6Db) {
    const float k = 1.0f / (1.0f + kMinus3Db + 0.5f);
    using enum Speaker;
    expect_gains({left, right, centre, centre_surround},
                 {{k, 0}, {0, k}, {kMinus3Db * k, kMinus3Db * k}, {0.5f * k, 0.5f * k}});
}

TEST(Downmix, AnyNumberOfChannelsAtFullScaleStaysWithinFullScale) {
    for (std::size_t channels = 3; channels <= 20; ++channels) {
        for (const auto& layout : {wave_layout(channels), vorbis_layout(channels)}) {
            ASSERT_EQ(layout.size(), channels);
            dsp::AudioBuffer out(2, 1);
            Downmix(layout).process(std::vector<float>(channels, 1.0f), out.block());
            const float left = out.block().channel(0)[0];
            const float right = out.block().channel(1)[0];
            EXPECT_NEAR(std::max(left, right), 1.0f, 1e-5f) << channels;
            EXPECT_GT(std::min(left, right), 0.75f) << channels;
        }
    }
}

TEST(Downmix, ADroppedChannelPassesNothingNotEvenNotANumber) {
    dsp::AudioBuffer out(2, 1);
    const std::vector<float> frame = {0.5f, 0.5f, 0.0f, std::nanf(""), 0.0f, 0.0f};
    Downmix(wave_layout(6)).process(frame, out.block());
    EXPECT_FALSE(std::isnan(out.block().channel(0)[0]));
}

// One channel of a 5.1 file carries a tone; every container must bring it to the same sides.
TEST_F(MediaTest, ContainersWithTheirOwnChannelOrderAreMixedAlike) {
    const char* speakers[] = {"FL", "FR", "FC", "LFE", "BL", "BR"};
    const bool in_left[] = {true, false, true, false, true, false};
    const bool in_right[] = {false, true, true, false, false, true};
    for (std::size_t s = 0; s < 6; ++s) {
        run("ffmpeg -v error -y -f lavfi -i 'sine=f=80:r=48000:d=1' -af 'pan=5.1|" + std::string(speakers[s]) +
            "=4*c0' -c:a pcm_s16le a.wav");
        run("ffmpeg -v error -y -i a.wav a.flac");
        run("ffmpeg -v error -y -i a.wav -c:a libvorbis -q 8 a.ogg");
        run("opusenc --quiet --bitrate 512 a.wav a.opus");
        for (const char* name : {"a.wav", "a.flac", "a.ogg", "a.opus"}) {
            const MediaInfo info = probe(path(name));
            ASSERT_EQ(info.source_channels, 6u) << name;
            EXPECT_EQ(info.channels, 2u);
            EXPECT_EQ(info.integer_bits, 0);
            const Samples samples = decode_all(path(name));
            const std::size_t frames = samples.size() / 2;
            double energy[2] = {};
            for (std::size_t i = 0; i < samples.size(); ++i) {
                energy[i / frames] += double{samples[i]} * double{samples[i]};
            }
            EXPECT_EQ(std::sqrt(energy[0] / static_cast<double>(frames)) > 0.02, in_left[s]) << name << speakers[s];
            EXPECT_EQ(std::sqrt(energy[1] / static_cast<double>(frames)) > 0.02, in_right[s]) << name << speakers[s];
        }
    }
}

}  // namespace
}  // namespace lacquer::media::test
