// Tracks made in code, as the player gets them, and what of them has to be heard.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "dsp/resampler.h"
#include "src/player/run.h"
#include "src/player/voice.h"
#include "tests/src/fixture.h"

namespace lacquer::test {

inline constexpr dsp::GridSettings kShortGrid{5.0, 1.0, 1.0};

inline std::vector<float> interleaved(dsp::ConstAudioBlock block) {
    std::vector<float> samples(block.frame_count * block.channel_count);
    for (std::size_t i = 0; i < samples.size(); ++i) {
        samples[i] = block.channels[i % block.channel_count][i / block.channel_count];
    }
    return samples;
}

// As 32-bit float: untouched, it comes out bit for bit.
inline player::TrackPtr playable(const fs::path& file, dsp::ConstAudioBlock block, std::uint32_t sample_rate_hz,
                                 std::size_t index = 0, bool measured = false) {
    write_wav(file, block, sample_rate_hz, 32);
    auto track = std::make_shared<player::PlayableTrack>();
    track->index = index;
    track->name = file.string();
    track->title = file.stem().string();
    track->input = look_at_input(file);
    if (measured) track->profile = straight_profile(file);
    return track;
}

inline player::ListeningChoice untouched() {
    player::ListeningChoice choice;
    choice.request.intensity = 0.0;
    return choice;
}

// One converter from the first frame to the last.
inline std::vector<float> converted(std::span<const float> in, const player::RunFormat& format, std::uint32_t from_hz) {
    if (from_hz == format.sample_rate_hz) return {in.begin(), in.end()};
    const dsp::Resampler::Rates rates{from_hz, format.sample_rate_hz};
    dsp::Resampler resampler(format.quality, rates, format.channels);
    const auto frames = static_cast<std::int64_t>(in.size() / format.channels);
    std::vector<float> out(static_cast<std::size_t>(dsp::Resampler::out_frames(frames, rates)) * format.channels);
    std::size_t done = resampler.process(in, out).produced;
    done += resampler.finish(std::span(out).subspan(done * format.channels));
    EXPECT_EQ(done * format.channels, out.size());
    return out;
}

inline bool always() {
    return true;
}

// All that the run gives until its track ends, or `frames`, in reads of uneven sizes.
inline std::vector<float> read_on(player::Run& run, std::size_t channels, std::size_t frames = ~std::size_t{0}) {
    std::vector<float> heard;
    std::vector<float> piece(channels * 5'000);
    Random random(11);
    while (heard.size() / channels < frames) {
        const std::size_t room = std::min(1 + random.below(5'000), frames - heard.size() / channels);
        const std::size_t got = run.read(std::span(piece).first(room * channels), always);
        if (got == 0) break;
        heard.insert(heard.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(got * channels));
    }
    return heard;
}

inline std::vector<float> read_to_the_end(player::Run& run, std::size_t channels) {
    std::vector<float> heard = read_on(run, channels);
    EXPECT_TRUE(run.ends_here());
    run.finish();
    const std::vector<float> tail = read_on(run, channels);
    EXPECT_TRUE(run.finished());
    heard.insert(heard.end(), tail.begin(), tail.end());
    return heard;
}

inline std::vector<float> operator+(std::vector<float> a, const std::vector<float>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

// A vector of a second's samples printed is of no use to anybody.
inline testing::AssertionResult same_samples(std::span<const float> heard, std::span<const float> expected) {
    for (std::size_t i = 0; i < std::min(heard.size(), expected.size()); ++i) {
        if (heard[i] != expected[i])
            return testing::AssertionFailure()
                   << "sample " << i << ": " << heard[i] << " and not " << expected[i] << " of " << expected.size();
    }
    if (heard.size() == expected.size()) return testing::AssertionSuccess();
    return testing::AssertionFailure() << heard.size() << " samples and not " << expected.size();
}

}  // namespace lacquer::test
