#include "src/offline.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include "src/cache_usage.h"
#include "src/library/library.h"
#include "src/profile_json.h"
#include "src/retry_policy.h"

namespace lacquer {
namespace {

namespace fs = std::filesystem;

constexpr int kCommandImpossible = 2;
constexpr std::uint64_t kPrivateCacheBytes = 256'000'000;

std::optional<dsp::Profile> profile_in_library(const Settings& settings, const InputFile& input) {
    const auto text =
        library::profile_text_in(settings.state_dir / "library.db", input.content_id, input.media.decoder);
    if (!text) return std::nullopt;
    try {
        return profile_from_json(nlohmann::json::parse(*text));
    } catch (const std::exception&) {  // written by another version: measured instead
        return std::nullopt;
    }
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "lacquer-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder can be made at " + name);
    path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

InputFile look_at_input(const fs::path& path) {
    std::error_code error;
    const fs::path resolved = fs::canonical(path, error);  // links given on the command line are meant
    const fs::path& file = error ? path : resolved;
    return {look_at(file), library::content_id(file), media::probe(file)};
}

fs::path Offline::cache_folder() {
    if (!cache::cache_owner(settings_.cache_dir)) return settings_.cache_dir;
    return temporary_.emplace().path();
}

// A command leaves what the daemon has cached under a larger cap as it is.
std::uint64_t Offline::cache_bytes() const {
    if (temporary_) return std::min(kPrivateCacheBytes, settings_.cache_size_bytes);
    return std::max(settings_.cache_size_bytes, cache_usage(settings_.cache_dir).disk_bytes);
}

Offline::Offline(const Settings& settings, OfflineOptions options)
    : settings_(settings),
      options_(std::move(options)),
      cache_(cache_folder(), cache_bytes()),
      scheduler_(settings.workers),
      stuck_watch_(timers_, scheduler_, milliseconds_of(settings.stuck_seconds)),
      chunks_(cache_, scheduler_, timers_, *this, {.falls_back = options_.falls_back, .open = options_.open}),
      measurer_(scheduler_, options_.open) {}

Offline::~Offline() {
    stop();
}

bool Offline::stop() {
    timers_.stop();
    scheduler_.stop();
    return scheduler_.counts().written_off == 0;
}

void Offline::end_process(int exit_code) {
    temporary_.reset();
    std::fflush(nullptr);
    std::_Exit(exit_code);
}

int run_offline(const Settings& settings, const std::function<int(Offline&)>& work, OfflineOptions options) {
    Offline offline(settings, std::move(options));
    try {
        const int exit_code = work(offline);
        if (!offline.stop()) offline.end_process(exit_code);
        return exit_code;
    } catch (const std::exception& error) {  // the whole command's: main says it, where there is a way back to it
        if (offline.stop()) throw;
        fmt::print(stderr, "lacquer: {}\n", error.what());
        offline.end_process(kCommandImpossible);
    }
}

dsp::Profile Offline::profile(const InputFile& input) {
    if (auto known = profile_in_library(settings_, input)) return *known;
    return usable(measurer_.measure(input.file.path, input.media, TaskClass::listener,
                                    [this] { return !interruption_.requested(); }));
}

dsp::Profile Offline::profile_to_play(const InputFile& input, const std::function<bool()>& wanted) {
    if (auto known = profile_in_library(settings_, input)) return *known;
    const auto go_on = [&] { return wanted() && !interruption_.requested(); };
    const double seconds = static_cast<double>(served_frames(input.media)) / input.media.sample_rate_hz;
    return usable(seconds <= kMeasureFirstSeconds
                      ? measurer_.measure(input.file.path, input.media, TaskClass::listener, go_on)
                      : measurer_.sketch(input.file.path, input.media, TaskClass::listener, go_on));
}

dsp::Profile Offline::usable(const std::optional<Measured>& measured) const {
    if (!measured) throw Interrupted();
    if (measured->passing_failure) std::rethrow_exception(measured->passing_failure);
    return measured->profile;
}

void Offline::tell(const RenderPlan& plan, std::int64_t index, const std::string& what) const {
    const std::string text = fmt::format("{}: chunk {}: {}", plan.source.path.string(), index, what);
    if (options_.tell) return options_.tell(text);
    fmt::print(stderr, "lacquer: {}\n", text);
}

// A batch's last failure is the input's own line.
void Offline::chunk_failed(const RenderPlan& plan, std::int64_t index, const FailedAttempt& failed) {
    if (!failed.retry_in) return;
    tell(plan, index,
         fmt::format("retry {}/{} in {:.2g} s: {}", failed.attempt, kRetries,
                     std::chrono::duration<double>(*failed.retry_in).count(), failed.reason));
}

void Offline::chunk_fell_back(const RenderPlan& plan, std::int64_t index, Quality quality) {
    tell(plan, index, fmt::format("cannot be enhanced, made up for: {}", quality_name(quality)));
}

void Offline::chunk_complete(const RenderPlan& plan, std::int64_t index, const RenderReport& report,
                             std::span<const std::byte>) {
    if (report.silent_frames == 0) return;
    tell(plan, index, fmt::format("the file ends early, {} frames are silence", report.silent_frames));
}

}  // namespace lacquer
