// Gives up what nobody can ask for any more, once the library is current and every hour after that:
//
//     cache:    chunks of older engines and of content that the library does not have, not used for 24 hours;
//               temporary and unknown files; entries whose file somebody took away
//     library:  profiles and served notes of content that is gone for 30 days; damaged databases but the newest two
//
// The library has the content of vanished tracks too, until it is gone for 30 days: a disk may be mounted late. Why 24
// hours: whose a chunk is can be told only for what the library has. The others are of forgotten or replaced content,
// of an older engine, or of `lacquer render` outside the library, whose next run is quicker with them; and a stream of
// a file that was replaced meanwhile goes on from them. What was not touched for a day is none of the last two. None of
// them counts above the cap in the meantime, and they are the first to be evicted.
//
// Nothing of the cache but stray files is given up while it is not known what the library has (Library::contents); the
// log says so once.
//
// Threads: every member may be called from any thread; the sweep has one of its own. It runs at the niceness of the
//          workers and no lower, and pauses after each chunk: it takes the cache's lock for moments, and who is put to
//          sleep there keeps listeners waiting.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <stop_token>
#include <thread>

#include "cache/chunk_cache.h"
#include "dsp/chunk_grid.h"
#include "src/library/library.h"
#include "thread/mutex.h"

namespace lacquer {

struct Swept {
    std::uint64_t chunks = 0;
    std::uint64_t files = 0;      // in the cache directory: temporary, unknown
    std::uint64_t rows = 0;       // of the library
    std::uint64_t databases = 0;  // that had been moved aside
    std::uint64_t total() const noexcept { return chunks + files + rows + databases; }
};

class Sweeper {
public:
    static constexpr std::chrono::hours kIdleBeforeSwept{24};

    Sweeper(cache::ChunkCache& cache, library::Library& library, const dsp::GridSettings& grid);
    ~Sweeper();  // stop()
    void stop();

    void begin();          // once the library was scanned; again: nothing
    Swept totals() const;  // since the start

    // One pass, now. Throws what Library throws.
    Swept sweep(std::stop_token stop);

private:
    void run(std::stop_token stop);
    std::uint64_t sweep_chunks(std::stop_token stop);

    cache::ChunkCache& cache_;
    library::Library& library_;
    const dsp::GridSettings grid_;
    mutable thread::Mutex mutex_;
    std::condition_variable_any begun_;
    bool has_begun_ GUARDED_BY(mutex_) = false;
    Swept totals_ GUARDED_BY(mutex_);
    std::atomic<bool> has_said_why_not_ = false;
    std::jthread thread_;
};

}  // namespace lacquer
