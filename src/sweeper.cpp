#include "src/sweeper.h"

#include <unordered_set>

#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include "src/render_plan.h"

namespace lacquer {
namespace {

constexpr std::chrono::hours kInterval{1};
constexpr int kNiceness = 5;
constexpr std::chrono::milliseconds kPause{1};

std::int64_t unix_seconds() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::unordered_set<std::uint64_t> owners(const library::Library& library, const dsp::GridSettings& grid) {
    std::unordered_set<std::uint64_t> owners;
    for (const library::Content& content : library.contents()) {
        media::MediaInfo media;
        media.decoder = content.decoder;
        owners.insert(chunk_owner(content.content_id, engine_id(grid, media)));
    }
    return owners;
}

}  // namespace

Sweeper::Sweeper(cache::ChunkCache& cache, library::Library& library, const dsp::GridSettings& grid)
    : cache_(cache), library_(library), grid_(grid), thread_([this](std::stop_token stop) { run(stop); }) {}

Sweeper::~Sweeper() {
    stop();
}

void Sweeper::stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
}

void Sweeper::library_scanned(const library::ScanResult& scan) {
    {
        const thread::MutexLock lock(mutex_);
        library_is_current_ = true;
        every_folder_was_read_ = scan.unreadable_folders == 0;
    }
    scanned_.notify_all();
}

Swept Sweeper::totals() const {
    const thread::MutexLock lock(mutex_);
    return totals_;
}

Swept Sweeper::sweep(std::stop_token stop, bool every_folder_was_read) {
    Swept swept;
    swept.files = cache_.tidy();
    if (every_folder_was_read) swept.chunks = sweep_chunks(stop);
    const library::SweptLibrary library = library_.sweep(unix_seconds());
    swept.rows = static_cast<std::uint64_t>(library.rows);
    swept.databases = static_cast<std::uint64_t>(library.files);
    const thread::MutexLock lock(mutex_);
    totals_.chunks += swept.chunks;
    totals_.files += swept.files;
    totals_.rows += swept.rows;
    totals_.databases += swept.databases;
    return swept;
}

std::uint64_t Sweeper::sweep_chunks(std::stop_token stop) {
    const auto live = owners(library_, grid_);
    std::uint64_t swept = 0;
    for (const cache::ChunkUse& use : cache_.uses()) {
        if (stop.stop_requested()) break;
        if (use.idle < kIdleBeforeSwept || live.contains(chunk_owner(use.key))) continue;
        cache_.remove(use.key);
        ++swept;
        std::this_thread::sleep_for(kPause);
    }
    return swept;
}

void Sweeper::run(std::stop_token stop) {
    // Of this thread alone, on Linux. A refusal changes nothing but waiting.
    ::setpriority(PRIO_PROCESS, 0, ::getpriority(PRIO_PROCESS, 0) + kNiceness);
    while (true) {
        bool every_folder_was_read = false;
        {
            const thread::MutexLock lock(mutex_);
            const auto is_current = [this]() REQUIRES_LOCK(mutex_) { return library_is_current_; };
            if (!scanned_.wait(mutex_, stop, is_current)) return;
            every_folder_was_read = every_folder_was_read_;
        }
        try {
            const Swept swept = sweep(stop, every_folder_was_read);
            if (swept.total() > 0) {
                spdlog::info("swept: {} chunks and {} files of the cache, {} rows and {} damaged files of the library",
                             swept.chunks, swept.files, swept.rows, swept.databases);
            }
        } catch (const std::exception& error) {  // the thread's boundary: the next round tries again
            spdlog::error("sweeping: {}", error.what());
        }
        const auto next = std::chrono::steady_clock::now() + kInterval;
        const thread::MutexLock lock(mutex_);
        scanned_.wait_until(mutex_, stop, next, [] { return false; });
        if (stop.stop_requested()) return;
    }
}

}  // namespace lacquer
