// The one binary: reads the command line, hands over to a command.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <spdlog/spdlog.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "dsp/simd.h"
#include "src/commands.h"
#include "src/daemon.h"
#include "src/player/devices_command.h"
#include "src/player/live_command.h"
#include "src/player/play_command.h"
#include "src/settings.h"
#include "src/user_presets.h"

namespace {

using namespace lacquer;

constexpr int kUsageError = 2;
constexpr const char* kPresetHelp =
    "adaptive, gentle, warm, bright, punchy, live, speech, night, or one that was made after a track of the library";

// As CLI::Range, and not a number is in no range.
CLI::Validator within(double least, double most) {
    return CLI::Validator(
        [=](const std::string& text) {
            char* end = nullptr;
            const double value = std::strtod(text.c_str(), &end);
            const bool is_inside = end != text.c_str() && *end == '\0' && value >= least && value <= most;
            return is_inside ? std::string() : fmt::format("'{}'; allowed: {} to {}", text, least, most);
        },
        fmt::format("{} to {}", least, most));
}

// Arguments can be read by every user of the machine (/proc/PID/cmdline) for as long as they stand there.
void hide_token(int argc, char** argv) {
    constexpr std::string_view kOption = "--token";
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        char* value = nullptr;
        if (word == kOption && i + 1 < argc) value = argv[i + 1];
        if (word.starts_with(kOption) && word.substr(kOption.size()).starts_with('='))
            value = argv[i] + kOption.size() + 1;
        if (value != nullptr) std::memset(value, 'x', std::strlen(value));
    }
}

// Settings are options of the program, so that every command knows all of them.
class CommandLine {
public:
    CommandLine() {
        app_.require_subcommand(1);
        app_.fallthrough();
        app_.set_version_flag("--version", "lacquer " LACQUER_VERSION);
        app_.add_option("--config", config_file_,
                        "Settings file (default: lacquer.toml here or in $XDG_CONFIG_HOME/lacquer)");
        for (const SettingRow& row : setting_rows()) {
            auto* option =
                app_.add_option("--" + std::string(row.name), values_[std::string(row.name)], std::string(row.help));
            row.many ? option->allow_extra_args(true) : option->expected(1)->allow_extra_args(false);
        }
        add_serve();
        add_render();
        add_analyze();
        add_play();
        add_live();
        add_devices();
        add_cache();
        add_config();
    }

    int run(int argc, char** argv) {
        try {
            app_.parse(argc, argv);
        } catch (const CLI::ParseError& error) {
            return app_.exit(error) == 0 ? 0 : kUsageError;
        }
        hide_token(argc, argv);
        std::erase_if(values_, [](const auto& value) { return value.second.empty(); });
        const Settings settings = load_settings(values_, config_file_);
        spdlog::set_level(spdlog::level::from_str(settings.log_level));
        if (settings.simd != "auto") dsp::force_simd(settings.simd);
        return action_(settings);
    }

private:
    void add_serve() {
        auto* serve = app_.add_subcommand("serve", "Serve folders of music, enhanced, over HTTP");
        serve->callback([this] { action_ = run_daemon; });
    }

    void add_render() {
        auto* render = app_.add_subcommand("render", "Enhance files to WAV files");
        render->add_option("inputs", render_.inputs, "Audio files")->required();
        render->add_option("-o,--output", render_.output, "File to write; a folder for more than one input")
            ->required();
        auto* preset = render->add_option("--preset", preset_, kPresetHelp);
        render->add_option("--reference", render_.reference, "An audio file to sound like: spectrum, loudness, width")
            ->excludes(preset);
        render->add_option("--intensity", render_.choice.request.intensity, "0 to 1")->check(within(0.0, 1.0));
        render->add_option("--depth", depth_, "16, 24 or float (default: 24 above 16 bit, else 16)");
        render->add_option("--jobs", render_.jobs, "Files at once, 1 to 20")->check(CLI::Range(1, 20));
        render->add_option("--profile", render_.profile, "Use this measurement, as analyze --json writes it");
        render->add_flag("--whole", render_.whole, "One pass without chunks: the reference for null tests");
        render->add_flag("--no-context", render_.no_context,
                         "Chunks without context and overlap: the control of null tests, audibly wrong");
        render->callback([this] { action_ = [this](const Settings& settings) { return run_render(settings); }; });
    }

    int run_render(const Settings& settings) {
        choose_preset(settings, render_.choice.request);
        if (!depth_.empty()) {
            render_.choice.format = parse_depth(depth_);
            if (!render_.choice.format)
                throw SettingError(fmt::format("--depth is '{}'; allowed: 16, 24, float", depth_));
        }
        return render_files(settings, render_);
    }

    // The one that --preset names, built in or made after a track of the library.
    void choose_preset(const Settings& settings, dsp::RecipeRequest& request) const {
        const auto named = find_request_in(settings.state_dir / "library.db", preset_);
        if (!named) throw SettingError(fmt::format("--preset is '{}'; --help names those allowed", preset_));
        request.preset = named->preset;
        request.reference = named->reference;
    }

    void add_sound(CLI::App* command, dsp::RecipeRequest& request) {
        command->add_option("--preset", preset_, kPresetHelp);
        command->add_option("--intensity", request.intensity, "0 to 1")->check(within(0.0, 1.0));
    }

    void add_play() {
        auto* play = app_.add_subcommand("play", "Play files, folders, playlists and URLs, enhanced, on a sound card");
        play->add_option("inputs", play_.inputs, "Audio files, folders, playlists, http URLs")->required();
        add_sound(play, play_.choice.request);
        play->add_option("--device", play_.device, "A name, a part of one, or a number of `lacquer devices`");
        play->add_option("--start", start_, "Where to begin in the first track: seconds, 1:30 or 1:02:03");
        play->add_option("--latency", play_.latency_ms, "Milliseconds of sound inside the device, 5 to 2000 (50)")
            ->check(within(5.0, 2000.0));
        play->add_option("--rate", play_.rate_hz, "Open the device at this rate, whatever the tracks' (Hz)")
            ->check(CLI::Range(8'000u, 384'000u));
        play->add_flag("--json", play_.json, "One JSON object per line instead of the status block");
        play->callback([this] {
            action_ = [this](const Settings& settings) {
                choose_preset(settings, play_.choice.request);
                play_.choice.preset = preset_;
                play_.start_seconds = player::parse_time(start_);
                return player::play(settings, play_);
            };
        });
    }

    void add_live() {
        auto* live = app_.add_subcommand("live", "Enhance what comes into one sound device and goes out of another");
        live->add_option("--input", live_.input, "Device to listen to, as `lacquer devices` names it")->required();
        live->add_option("--output", live_.output, "Device to play on")->required();
        add_sound(live, live_.request);
        live->add_option("--latency", live_.latency_ms, "Milliseconds of each of the devices' buffers, 5 to 2000 (20)")
            ->check(within(5.0, 2000.0));
        live->add_option("--rate", live_.rate_hz, "Of both devices (default: the output's own) (Hz)")
            ->check(CLI::Range(8'000u, 192'000u));
        live->add_flag("--json", live_.json, "One JSON object per line");
        live->callback([this] {
            action_ = [this](const Settings& settings) {
                choose_preset(settings, live_.request);
                return player::run_live(live_);
            };
        });
    }

    void add_devices() {
        auto* devices = app_.add_subcommand("devices", "List the sound devices");
        devices->add_flag("--json", as_json_, "As JSON");
        devices->callback([this] { action_ = [this](const Settings&) { return player::list_devices(as_json_); }; });
    }

    void add_analyze() {
        auto* analyze = app_.add_subcommand("analyze", "Measure files: loudness, range, true peak, spectrum, dynamics");
        analyze->add_option("inputs", inputs_, "Audio files")->required();
        analyze->add_flag("--json", as_json_, "One JSON object per line, as render --profile reads it");
        analyze->callback([this] {
            action_ = [this](const Settings& settings) { return analyze_files(settings, inputs_, as_json_); };
        });
    }

    void add_cache() {
        auto* cache = app_.add_subcommand("cache", "Look at or empty the chunk cache");
        cache->require_subcommand(1);
        const auto add = [&](const char* name, const char* help, CacheAction what) {
            cache->add_subcommand(name, help)->callback([this, what] {
                action_ = [what](const Settings& settings) { return manage_cache(settings, what); };
            });
        };
        add("stats", "How full it is", CacheAction::stats);
        add("verify", "Read and check every chunk; damaged ones are removed", CacheAction::verify);
        add("clear", "Remove every chunk", CacheAction::clear);
    }

    void add_config() {
        auto* config = app_.add_subcommand("config", "Check or print the settings");
        config->require_subcommand(1);
        config->add_subcommand("check", "Exit 0 when every setting is valid")->callback([this] {
            action_ = [](const Settings&) { return 0; };
        });
        config->add_subcommand("print", "Print every setting")->callback([this] { action_ = print_settings; });
    }

    CLI::App app_{"Makes a music library sound mastered in every player that can open a URL."};
    SettingValues values_;
    std::string config_file_;
    std::function<int(const Settings&)> action_;
    RenderCommand render_;
    player::PlayCommand play_;
    player::LiveCommand live_;
    std::string preset_ = "adaptive";
    std::string start_ = "0";
    std::string depth_;
    std::vector<std::filesystem::path> inputs_;
    bool as_json_ = false;
};

// A listener takes a socket and up to three chunk files; the usual soft limit is 1,024.
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

// A thread keeps what it frees, 20 kB after one request, and a daemon has a thread for each of its listeners. The C
// library only takes this from the environment, and only when a program starts: so this one starts twice. Where it
// cannot, for want of /proc, it goes on as it is.
void serve_without_thread_caches(int argc, char** argv) {
    constexpr const char* kTunables = "GLIBC_TUNABLES";
    constexpr const char* kStarted = "LACQUER_STARTED_TWICE";
    if (getenv(kStarted) != nullptr) {
        unsetenv(kStarted);
        prctl(PR_SET_NAME, "lacquer");  // what was started is called "exe"
        return;
    }
    const bool serves =
        std::any_of(argv, argv + argc, [](const char* word) { return std::string_view(word) == "serve"; });
    // With rights that its user lacks, the C library would not be given the tunables.
    if (!serves || getenv(kTunables) != nullptr || getauxval(AT_SECURE) != 0) return;
    if (setenv(kTunables, "glibc.malloc.tcache_count=0", 1) == 0 && setenv(kStarted, "1", 1) == 0) {
        execv("/proc/self/exe", argv);
    }
    unsetenv(kStarted);
    unsetenv(kTunables);
}

}  // namespace

// What is opened next would take their place, and be written to.
void open_standard_descriptors() {
    int descriptor = 0;
    do {
        descriptor = open("/dev/null", O_RDWR);
    } while (descriptor >= 0 && descriptor <= STDERR_FILENO);
    if (descriptor >= 0) close(descriptor);
}

int main(int argc, char** argv) {
    open_standard_descriptors();
    serve_without_thread_caches(argc, argv);
    // What a render needs goes back to the system when it is done, instead of staying in a heap per thread.
    mallopt(M_MMAP_THRESHOLD, 64 * 1024);
    mallopt(M_ARENA_MAX, 2);
    raise_descriptor_limit();
    try {
        return CommandLine().run(argc, argv);
    } catch (const std::exception& error) {
        fmt::print(stderr, "lacquer: {}\n", error.what());
        return kUsageError;
    }
}
