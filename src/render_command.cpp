#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "src/chunk_renderer.h"
#include "src/commands.h"
#include "src/offline.h"
#include "src/profile_json.h"
#include "src/progress.h"
#include "src/stream.h"

namespace lacquer {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSliceBytes = 256 * 1024;

// Written beside its final name and renamed when whole, so that a name never holds half a file.
class OutputFile {
public:
    explicit OutputFile(const fs::path& path)
        : path_(path), partial_(path.string() + ".part"), file_(std::fopen(partial_.c_str(), "wb")) {
        if (file_ == nullptr) throw std::system_error(errno, std::generic_category(), partial_.string());
        std::setvbuf(file_, nullptr, _IONBF, 0);  // written in slices
    }
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile() {
        if (file_ != nullptr) std::fclose(file_);
        std::error_code ignored;
        if (!is_whole_) fs::remove(partial_, ignored);
    }
    void write(std::span<const std::byte> bytes) {
        if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) fail();
    }
    // On disk, with every error told that the system kept until now, before the name is given.
    void commit() {
        if (std::fflush(file_) != 0 || (::fsync(::fileno(file_)) != 0 && errno != EINVAL)) fail();
        if (std::fclose(std::exchange(file_, nullptr)) != 0) fail();
        fs::rename(partial_, path_);
        is_whole_ = true;
    }

private:
    [[noreturn]] void fail() const { throw std::system_error(errno, std::generic_category(), partial_.string()); }

    const fs::path path_;
    const fs::path partial_;
    std::FILE* file_;
    bool is_whole_ = false;
};

// The frames of a render without chunks, straight into a WAV file.
class WavSink : public FrameSink {
public:
    WavSink(const RenderPlan& plan, OutputFile& file, Progress& progress)
        : plan_(plan), file_(file), progress_(progress) {
        file_.write(wav_header(plan.wav_shape()));
    }
    void write(dsp::ConstAudioBlock block, std::int64_t first_frame) override {
        const std::size_t count = block.frame_count * plan_.wav_shape().frame_bytes();
        if (filled_ + count > bytes_.size()) flush();
        if (count > bytes_.size()) bytes_.resize(count);
        dsp::quantise(block, first_frame, plan_.format, plan_.dither(), std::span(bytes_).subspan(filled_, count));
        filled_ += count;
        progress_.add(block.frame_count);
    }
    void finish() {
        flush();
        if (plan_.wav_shape().pad_bytes() > 0) file_.write(std::array<std::byte, 1>{});
    }

private:
    void flush() { file_.write(std::span(bytes_).first(std::exchange(filled_, 0))); }

    const RenderPlan& plan_;
    OutputFile& file_;
    Progress& progress_;
    std::vector<std::byte> bytes_ = std::vector<std::byte>(kSliceBytes);  // bytes_[0, filled_) is yet to be written
    std::size_t filled_ = 0;
};

void render_whole(const Offline& offline, const RenderPlan& plan, OutputFile& file, Progress& progress) {
    WavSink sink(plan, file, progress);
    const RenderControl control{.go_on = [&] { return !offline.interruption().requested(); }};
    if (plan.grid.chunk_count() > 0) render_chunk(plan, plan.grid.span(0), control, sink);
    sink.finish();
}

void render_chunks(Offline& offline, const PlanPtr& plan, OutputFile& file, Progress& progress) {
    Stream stream(offline.chunks(), plan, {0, plan->grid.frame_count()});
    stream.set_look_ahead(offline.settings().workers + 1);
    stream.set_least_bytes(kSliceBytes);
    std::vector<std::byte> slice(kSliceBytes);
    const std::uint64_t frame_bytes = plan->wav_shape().frame_bytes();
    for (std::uint64_t at = 0; at < stream.size_bytes();) {
        const std::size_t count = stream.read(at, slice, [&] { return !offline.interruption().requested(); });
        if (count == 0 || offline.interruption().requested()) throw Interrupted();
        file.write({slice.data(), count});
        progress.add((at + count) / frame_bytes - at / frame_bytes);
        at += count;
    }
}

dsp::Profile read_profile(const fs::path& file) {
    std::ifstream in(file);
    if (!in) throw std::runtime_error("--profile: " + file.string() + " cannot be read");
    try {
        return profile_from_json(nlohmann::json::parse(in));
    } catch (const std::exception& error) {
        throw std::runtime_error("--profile: " + file.string() + ": " + error.what());
    }
}

dsp::ReferenceTarget read_reference(Offline& offline, const fs::path& file) {
    try {
        return dsp::reference_of(offline.profile(look_at_input(file)));
    } catch (const Interrupted&) {
        throw;
    } catch (const std::exception& error) {
        throw std::runtime_error("--reference: " + file.string() + ": " + error.what());
    }
}

class Batch {
public:
    Batch(Offline& offline, const RenderCommand& command)
        : command_(command), request_(command.choice.request), offline_(offline) {
        if (!command.profile.empty()) profile_ = read_profile(command.profile);
        if (!command.reference.empty()) request_.reference = read_reference(offline_, command.reference);
    }

    int run() {
        std::vector<std::optional<InputFile>> inputs;
        std::uint64_t frames = 0;
        for (const fs::path& path : command_.inputs) {
            if (offline_.interruption().requested()) return offline_.interruption().exit_code();
            inputs.push_back(look(path));
            if (inputs.back() && is_input(output_for(path))) {
                fmt::print(stderr, "lacquer: {}: the output {} is an input\n", path.string(),
                           output_for(path).string());
                failed_ = true;
                inputs.back().reset();
            } else if (inputs.back() && !outputs_.insert(output_for(path)).second) {
                fmt::print(stderr, "lacquer: {}: {} is written by another input\n", path.string(),
                           output_for(path).string());
                failed_ = true;
                inputs.back().reset();
            }
            if (inputs.back()) frames += static_cast<std::uint64_t>(served_frames(inputs.back()->media));
        }
        Progress progress(frames);
        std::atomic<std::size_t> next = 0;
        std::vector<std::jthread> threads;
        for (int i = 0; i < command_.jobs; ++i) {
            threads.emplace_back([&] {
                for (std::size_t n = next++; n < inputs.size(); n = next++) {
                    if (inputs[n] && !offline_.interruption().requested()) render(*inputs[n], progress);
                }
            });
        }
        threads.clear();
        if (offline_.interruption().requested()) return offline_.interruption().exit_code();
        return failed_ ? 1 : 0;
    }

private:
    std::optional<InputFile> look(const fs::path& path) {
        try {
            return look_at_input(path);
        } catch (const std::exception& error) {  // one input's boundary
            fmt::print(stderr, "lacquer: {}: {}\n", path.string(), error.what());
            failed_ = true;
            return std::nullopt;
        }
    }

    bool is_input(const fs::path& output) const {
        std::error_code ignored;
        return std::any_of(command_.inputs.begin(), command_.inputs.end(),
                           [&](const fs::path& input) { return fs::equivalent(output, input, ignored); });
    }

    fs::path output_for(const fs::path& input) const {
        const bool folder = command_.inputs.size() > 1 || fs::is_directory(command_.output);
        return folder ? command_.output / (input.stem().string() + ".wav") : command_.output;
    }

    void render(const InputFile& input, Progress& progress) {
        try {
            const auto started = std::chrono::steady_clock::now();
            const fs::path output = output_for(input.file.path);
            const PlanPtr plan = plan_for(input);
            OutputFile file(output);
            command_.whole ? render_whole(offline_, *plan, file, progress)
                           : render_chunks(offline_, plan, file, progress);
            file.commit();
            const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
            const double audio = static_cast<double>(plan->grid.frame_count()) / plan->media.sample_rate_hz;
            progress.line(fmt::format("{} -> {}: {:.1f} s of audio in {:.2f} s ({:.0f}x)", input.file.path.string(),
                                      output.string(), audio, seconds, audio / std::max(seconds, 1e-9)));
        } catch (const std::exception& error) {  // one input's boundary
            progress.error(fmt::format("lacquer: {}: {}", input.file.path.string(), error.what()));
            failed_ = true;
        }
    }

    PlanPtr plan_for(const InputFile& input) {
        const media::MediaInfo& media = input.media;
        const std::int64_t frames = served_frames(media);
        dsp::GridSettings settings = offline_.settings().grid;
        if (command_.no_context) settings.context_seconds = settings.overlap_seconds = 0.0;
        const dsp::ChunkGrid grid = command_.whole ? dsp::ChunkGrid::whole(media.sample_rate_hz, frames)
                                                   : dsp::ChunkGrid(settings, media.sample_rate_hz, frames);
        return make_plan({0, input.file, input.content_id, media}, recipe_for(input), command_.choice.format, grid,
                         engine_id(settings, media));
    }

    ChosenRecipe recipe_for(const InputFile& input) {
        if (request_.intensity == 0.0) return bypass_recipe(input.media);
        const dsp::Profile profile = profile_ ? *profile_ : offline_.profile(input);
        if (profile.sample_rate_hz != input.media.sample_rate_hz || profile.channel_count != input.media.channels) {
            throw std::runtime_error("the profile is of audio of another rate or channel count");
        }
        return choose_recipe(profile, request_);
    }

    const RenderCommand command_;
    dsp::RecipeRequest request_;
    Offline& offline_;
    std::optional<dsp::Profile> profile_;
    std::set<fs::path> outputs_;
    std::atomic<bool> failed_ = false;
};

}  // namespace

int render_files(const Settings& settings, const RenderCommand& command) {
    if (command.inputs.size() > 1 && !fs::is_directory(command.output)) {
        if (fs::exists(command.output)) throw std::runtime_error("-o: " + command.output.string() + " is not a folder");
        fs::create_directories(command.output);
    }
    return run_offline(settings, [&](Offline& offline) {
        try {
            return Batch(offline, command).run();
        } catch (const Interrupted&) {  // while the reference was measured
            return offline.interruption().exit_code();
        }
    });
}

}  // namespace lacquer
