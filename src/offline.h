// What the commands that work without a daemon share: a scheduler, a cache of their own or the daemon's when nobody
// owns it (whose chunks a smaller cap does not evict), and profiles that the library has, read without changing it.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cache/chunk_cache.h"
#include "dsp/profile.h"
#include "src/chunk_service.h"
#include "src/recipe_choice.h"
#include "src/scheduler.h"
#include "src/settings.h"
#include "src/shutdown_signals.h"
#include "src/stuck_watch.h"
#include "src/timers.h"
#include "src/track_measurer.h"

namespace lacquer {

// A folder that is removed with everything in it.
class TemporaryFolder {
public:
    TemporaryFolder();  // throws std::runtime_error when none can be made
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

// A file given on the command line, looked at once.
struct InputFile {
    SourceFile file;
    std::string content_id;
    media::MediaInfo media;
};
// Throws media::DecodeError, std::filesystem::filesystem_error.
InputFile look_at_input(const std::filesystem::path& path);

// SIGINT or SIGTERM came while a command worked.
class Interrupted : public std::runtime_error {
public:
    Interrupted() : std::runtime_error("interrupted") {}
};

struct OfflineOptions {
    media::OpenDecoder open = media::real_decoders();
    bool falls_back = false;  // false: a chunk that fails is an error, as a batch wants it
    // Retries, fallbacks and the like, as they happen, from worker threads. Unset: a line on stderr.
    std::function<void(const std::string&)> tell{};
};

class Offline : private ChunkObserver {
public:
    // Throws std::runtime_error when no cache can be had.
    explicit Offline(const Settings& settings, OfflineOptions options = {});
    ~Offline();  // stop()

    // Stops the workers. False: some are blocked in a source, or slow to end, and may still touch what is here, and
    // what was given to them. So end the process, without destructors. Idempotent.
    bool stop();
    [[noreturn]] void end_process(int exit_code);  // with nothing left in the folder for temporary files
    ChunkService& chunks() { return chunks_; }
    const Settings& settings() const { return settings_; }
    const Interruption& interruption() const { return interruption_; }
    // From the library where it has the file's content measured, else measured now on every core. Throws
    // media::DecodeError, also when a part cannot be read for a reason that may pass; Interrupted.
    dsp::Profile profile(const InputFile& input);
    // The same for somebody who waits to hear it: a track that nobody measured and that is too long to be measured
    // first gets a provisional profile. Also throws Interrupted when `wanted` said no.
    dsp::Profile profile_to_play(const InputFile& input, const std::function<bool()>& wanted);

private:
    dsp::Profile usable(const std::optional<Measured>& measured) const;
    void tell(const RenderPlan& plan, std::int64_t index, const std::string& what) const;
    std::filesystem::path cache_folder();
    std::uint64_t cache_bytes() const;
    void chunk_started(const RenderPlan&, std::int64_t, Quality) override {}
    void chunk_complete(const RenderPlan& plan, std::int64_t index, const RenderReport& report,
                        std::span<const std::byte> bytes) override;
    void chunk_failed(const RenderPlan& plan, std::int64_t index, const FailedAttempt& failed) override;
    void chunk_fell_back(const RenderPlan& plan, std::int64_t index, Quality quality) override;
    void chunk_dropped(const RenderPlan&, std::int64_t) override {}

    const Interruption interruption_;  // before any other thread
    const Settings settings_;
    const OfflineOptions options_;
    std::optional<TemporaryFolder> temporary_;  // set when the daemon's cache is in use by a daemon
    cache::ChunkCache cache_;
    Scheduler scheduler_;
    RealTimers timers_;
    StuckWatch stuck_watch_;
    ChunkService chunks_;
    TrackMeasurer measurer_;
};

// What a command does with an Offline; its exit code. Ends the process when workers are left behind. Throws what `work`
// throws.
int run_offline(const Settings& settings, const std::function<int(Offline&)>& work, OfflineOptions options = {});

}  // namespace lacquer
