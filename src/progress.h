// How far a command has come: a bar on a terminal, nothing otherwise (the plain line per finished input says enough).
#pragma once

#include <cstdint>
#include <string>

#include "thread/mutex.h"

namespace lacquer {

// Threads: add() and line() may be called from any thread.
class Progress {
public:
    explicit Progress(std::uint64_t total);
    ~Progress();  // wipes the bar
    void add(std::uint64_t amount);
    // A finished piece of work, on a line of its own on stdout.
    void line(const std::string& text);
    void error(const std::string& text);  // on stderr

private:
    void draw() REQUIRES_LOCK(mutex_);
    void wipe() REQUIRES_LOCK(mutex_);

    const std::uint64_t total_;
    const bool terminal_;
    thread::Mutex mutex_;
    std::uint64_t done_ GUARDED_BY(mutex_) = 0;
    int drawn_percent_ GUARDED_BY(mutex_) = -1;
};

}  // namespace lacquer
