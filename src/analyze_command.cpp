#include <cstdio>
#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include "src/commands.h"
#include "src/offline.h"
#include "src/profile_json.h"

namespace lacquer {
namespace {

void print_line(const std::filesystem::path& path, const dsp::Profile& profile) {
    fmt::print("{}: {:.1f} LUFS, range {:.1f} LU, true peak {:.1f} dBTP, crest {:.1f} dB, {:.1f} s, {} Hz, {}{}\n",
               path.string(), profile.integrated_lufs, profile.loudness_range_lu, profile.true_peak_dbtp,
               profile.crest_db, static_cast<double>(profile.frame_count) / profile.sample_rate_hz,
               profile.sample_rate_hz, profile.channel_count == 1 ? "mono" : "stereo",
               dsp::is_speech(profile) ? ", speech" : "");
}

int analyze(Offline& offline, const std::vector<std::filesystem::path>& inputs, bool as_json) {
    bool failed = false;
    for (const std::filesystem::path& path : inputs) {
        if (offline.interruption().requested()) break;
        try {
            const dsp::Profile profile = offline.profile(look_at_input(path));
            if (as_json) {
                nlohmann::json json = profile_to_json(profile);
                json["file"] = path.string();
                fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
            } else {
                print_line(path, profile);
            }
            std::fflush(stdout);
        } catch (const std::exception& error) {  // one input's boundary
            fmt::print(stderr, "lacquer: {}: {}\n", path.string(), error.what());
            failed = true;
        }
    }
    if (offline.interruption().requested()) return offline.interruption().exit_code();
    return failed ? 1 : 0;
}

}  // namespace

int analyze_files(const Settings& settings, const std::vector<std::filesystem::path>& inputs, bool as_json) {
    return run_offline(settings, [&](Offline& offline) { return analyze(offline, inputs, as_json); });
}

}  // namespace lacquer
