// Whatever lacquer.toml holds: a SettingError, or settings within their ranges.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "src/settings.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace lacquer;
    static const int file = ::memfd_create("lacquer.toml", MFD_CLOEXEC);
    static const std::string path = "/proc/self/fd/" + std::to_string(file);
    if (::ftruncate(file, 0) != 0 || ::pwrite(file, data, size, 0) != static_cast<ssize_t>(size)) return 0;
    try {
        const Settings settings = load_settings({}, path);
        if (settings.workers < 1 || settings.workers > 20 || settings.host.empty()) std::abort();
        if (settings.cache_size_bytes > 1'000'000'000'000'000'000) std::abort();
        if (!(settings.grid.body_seconds >= 5 && settings.grid.body_seconds <= 120)) std::abort();
        if (!(settings.grid.overlap_seconds >= 0 && settings.grid.overlap_seconds <= 5)) std::abort();
        if (!(settings.grid.context_seconds >= 1 && settings.grid.context_seconds <= 30)) std::abort();
        for (const SettingRow& row : setting_rows()) {
            const std::string text = row.get(settings);
            if (row.name == "token" && text != "" && text != "(set)") std::abort();
        }
    } catch (const SettingError& error) {
        if (std::string(error.what()).empty()) std::abort();
    }
    return 0;
}
