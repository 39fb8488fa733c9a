// Speech against music, by the detector of the profile: 30 s of every 90 of singularity-music, as it is and as mono,
// against recorded voice: the prompts of Debian's asterisk-core-sounds-en-wav, one woman, 8 kHz, one after the other.
#include <array>
#include <cstdio>
#include <set>
#include <string>

#include "dsp/profile.h"
#include "tests/src/real_music.h"

namespace lacquer {
namespace {

namespace fs = std::filesystem;

constexpr double kExcerptSeconds = 30.0;

struct Counts {
    int excerpts = 0;
    int called_speech = 0;
    std::size_t windows = 0;
    std::size_t sure_windows = 0;

    void add(const dsp::Profile& profile) {
        ++excerpts;
        called_speech += dsp::is_speech(profile) ? 1 : 0;
        windows += profile.speech_confidence.size();
        for (const float confidence : profile.speech_confidence) sure_windows += confidence >= 0.95f ? 1u : 0u;
    }
    void print(const char* name) const {
        std::printf("%-22s %4d excerpts, %4d called speech; %5zu windows of 3 s, %5zu sure of speech\n", name, excerpts,
                    called_speech, windows, sure_windows);
    }
};

dsp::AudioBuffer mono(dsp::ConstAudioBlock block) {
    dsp::AudioBuffer result(1, block.frame_count);
    for (std::size_t i = 0; i < block.frame_count; ++i)
        result.block().channels[0][i] = 0.5f * (block.channels[0][i] + block.channels[block.channel_count - 1][i]);
    return result;
}

bool is_voice(const fs::path& file) {
    static const std::set<std::string> kNoVoice{"beep", "beeperr", "ascending-2tone", "descending-2tone", "tt-monkeys"};
    return file.extension() == ".wav" && !kNoVoice.contains(file.stem()) && file.parent_path().filename() != "silence";
}

// All prompts in the order of their names, with the pause that each has.
dsp::AudioBuffer prompts() {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator("/usr/share/asterisk/sounds/en_US_f_Allison"))
        if (is_voice(entry.path())) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    std::vector<dsp::AudioBuffer> parts;
    std::vector<dsp::ConstAudioBlock> blocks;
    for (const fs::path& file : files) {
        EXPECT_EQ(media::probe(file).sample_rate_hz, 8000u) << file;
        parts.push_back(test::whole(file));
    }
    for (const dsp::AudioBuffer& part : parts) blocks.push_back(part.block());
    return test::concatenate(blocks);
}

TEST(RealSpeech, IsToldFromMusicWithoutFail) {
    std::array<Counts, 2> music;  // as it is, mono
    for (const fs::path& file : test::real_tracks()) {
        const media::MediaInfo info = media::probe(file);
        const double length_s = static_cast<double>(info.frame_count) / info.sample_rate_hz;
        const double step_s = test::is_long_run() ? kExcerptSeconds : 3.0 * kExcerptSeconds;
        for (double from = 0.0; from + kExcerptSeconds <= length_s; from += step_s) {
            const dsp::AudioBuffer audio = test::passage(file, from, kExcerptSeconds);
            music[0].add(test::measure(audio.block(), info.sample_rate_hz));
            music[1].add(test::measure(mono(audio.block()).block(), info.sample_rate_hz));
        }
    }
    Counts voice;
    const dsp::AudioBuffer spoken = prompts();
    const auto frames = static_cast<std::size_t>(kExcerptSeconds * 8000.0);
    for (std::size_t first = 0; first + frames <= spoken.frame_count(); first += frames)
        voice.add(test::measure(spoken.block().slice(first, frames), 8000));

    music[0].print("music");
    music[1].print("music, mono");
    voice.print("recorded voice, 8 kHz");
    const int wrong = music[0].called_speech + music[1].called_speech;
    const double precision = static_cast<double>(voice.called_speech) / std::max(voice.called_speech + wrong, 1);
    std::printf("precision %.4f, recall %.3f\n", precision,
                static_cast<double>(voice.called_speech) / std::max(voice.excerpts, 1));
    EXPECT_GE(music[0].excerpts, 35);
    EXPECT_GE(voice.excerpts, 40) << "script/setup installs asterisk-core-sounds-en-wav";
    EXPECT_GE(precision, 0.99);
    EXPECT_GE(voice.called_speech, voice.excerpts / 2);
}

}  // namespace
}  // namespace lacquer
