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

std::unordered_set<std::uint64_t> owners(const std::vector<library::Content>& contents, const dsp::GridSettings& grid) {
    std::unordered_set<std::uint64_t> owners;
    for (const library::Content& content : contents) {
        media::MediaInfo media;
        media.decoder = content.decoder;
        owners.insert(chunk_owner(content.content_id, engine_id(grid, media)));
    }
    return owners;
}

void tell(const Swept& swept) {
    if (swept.total() == 0) return;
    spdlog::info("swept: {} chunks and {} files of the cache, {} rows and {} damaged files of the library",
                 swept.chunks, swept.files, swept.rows, swept.databases);
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

void Sweeper::begin() {
    {
        const thread::MutexLock lock(mutex_);
        has_begun_ = true;
    }
    begun_.notify_all();
}

Swept Sweeper::totals() const {
    const thread::MutexLock lock(mutex_);
    return totals_;
}

Swept Sweeper::sweep(std::stop_token stop) {
    Swept swept;
    swept.files = cache_.tidy();
    swept.chunks = sweep_chunks(stop);
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
    const auto contents = library_.contents();
    if (!contents) {
        if (!has_said_why_not_.exchange(true))
            spdlog::warn(
                "the cache keeps chunks that nobody asks for until a scan has seen every folder of the library");
        return 0;
    }
    const auto live = owners(*contents, grid_);
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
    {
        const thread::MutexLock lock(mutex_);
        if (!begun_.wait(mutex_, stop, [this]() REQUIRES_LOCK(mutex_) { return has_begun_; })) return;
    }
    while (!stop.stop_requested()) {
        const auto next = std::chrono::steady_clock::now() + kInterval;
        try {
            tell(sweep(stop));
        } catch (const std::exception& error) {  // the thread's boundary: the next round tries again
            spdlog::error("sweeping: {}", error.what());
        }
        const thread::MutexLock lock(mutex_);
        begun_.wait_until(mutex_, stop, next, [] { return false; });
    }
}

}  // namespace lacquer
