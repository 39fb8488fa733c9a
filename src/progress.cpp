#include "src/progress.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

namespace lacquer {
namespace {

constexpr int kBarWidth = 40;

}  // namespace

Progress::Progress(std::uint64_t total) : total_(total), terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
    const thread::MutexLock lock(mutex_);
    wipe();
}

void Progress::add(std::uint64_t amount) {
    const thread::MutexLock lock(mutex_);
    done_ += amount;
    draw();
}

void Progress::line(const std::string& text) {
    const thread::MutexLock lock(mutex_);
    wipe();
    fmt::print("{}\n", text);
    std::fflush(stdout);
    draw();
}

void Progress::error(const std::string& text) {
    const thread::MutexLock lock(mutex_);
    wipe();
    fmt::print(stderr, "{}\n", text);
    draw();
}

void Progress::draw() {
    if (!terminal_ || total_ == 0) return;
    const int percent = static_cast<int>(std::min(done_, total_) * 100 / total_);
    if (percent == drawn_percent_) return;
    drawn_percent_ = percent;
    const int filled = percent * kBarWidth / 100;
    fmt::print(stderr, "\r[{:#<{}}{:.<{}}] {:3} %", "", filled, "", kBarWidth - filled, percent);
    std::fflush(stderr);
}

void Progress::wipe() {
    if (terminal_ && drawn_percent_ >= 0) fmt::print(stderr, "\r{:{}}\r", "", kBarWidth + 10);
    drawn_percent_ = -1;
}

}  // namespace lacquer
