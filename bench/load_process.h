// What the kernel says about another process of this machine (Linux, /proc).
#pragma once

#include <cstdint>
#include <optional>

#include <sys/types.h>

namespace lacquer::bench {

struct ProcessFigures {
    double cpu_s = 0;  // user and system, since it started
    std::int64_t rss_kib = 0;
    std::int64_t pss_kib = 0;      // shared pages divided by how many share them
    std::int64_t private_kib = 0;  // its own, written to
    std::int64_t peak_rss_kib = 0;
    int threads = 0;
    int descriptors = 0;
};

// The process that listens on this port of loopback; nullopt when there is none that we may look at.
std::optional<pid_t> listening_process(std::uint16_t port);
// Throws std::runtime_error when it is gone.
ProcessFigures figures_of(pid_t pid);
double cpu_seconds_of(pid_t pid);

}  // namespace lacquer::bench
