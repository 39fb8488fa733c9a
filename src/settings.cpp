#include "src/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <pwd.h>
#include <toml++/toml.h>
#include <unistd.h>

#include "dsp/simd.h"

namespace lacquer {
namespace {

namespace fs = std::filesystem;

// Never a folder that others may have prepared, such as one in /tmp.
fs::path home() {
    const char* variable = std::getenv("HOME");
    if (variable != nullptr && *variable == '/') return variable;
    const passwd* user = ::getpwuid(::getuid());
    return user != nullptr && *user->pw_dir == '/' ? user->pw_dir : "/nonexistent";
}

fs::path xdg(const char* variable, const char* below_home) {
    const char* value = std::getenv(variable);
    if (value != nullptr && *value == '/') return fs::path(value) / "lacquer";
    return home() / below_home / "lacquer";
}

int parse_int(const std::string& text, int least, int most) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
        throw SettingError(fmt::format("'{}'; allowed: {} to {}", text, least, most));
    }
    return value;
}

double parse_number(const std::string& text, double least, double most, const char* unit = "s") {
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    const bool is_number = !text.empty() && *end == '\0';
    if (!is_number || !(value >= least && value <= most)) {
        throw SettingError(fmt::format("'{}'; allowed: {} to {} {}", text, least, most, unit));
    }
    return value;
}

void parse_listen(Settings& settings, const std::string& text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0) throw SettingError(fmt::format("'{}'; allowed: HOST:PORT", text));
    settings.host = text.substr(0, colon);
    if (settings.host.front() == '[' && settings.host.back() == ']') {
        settings.host = settings.host.substr(1, settings.host.size() - 2);
    }
    settings.port = static_cast<std::uint16_t>(parse_int(text.substr(colon + 1), 0, 65535));
}

std::string join_paths(const std::vector<fs::path>& paths) {
    std::string text;
    for (const fs::path& path : paths) text += (text.empty() ? "" : ":") + path.string();
    return text;
}

void check_log_level(Settings& settings, const std::string& text) {
    constexpr std::array<std::string_view, 5> kLevels{"debug", "info", "warn", "error", "off"};
    if (std::find(kLevels.begin(), kLevels.end(), text) == kLevels.end()) {
        throw SettingError(fmt::format("'{}'; allowed: {}", text, fmt::join(kLevels, ", ")));
    }
    settings.log_level = text;
}

void check_simd(Settings& settings, const std::string& text) {
    const std::vector<std::string> runnable = dsp::runnable_simd();
    if (text != "auto" && std::find(runnable.begin(), runnable.end(), text) == runnable.end()) {
        throw SettingError(fmt::format("'{}'; allowed on this processor: auto, {}", text, fmt::join(runnable, ", ")));
    }
    settings.simd = text;
}

struct NamedQuality {
    std::string_view name;
    dsp::Resampler::Quality quality;
};
constexpr std::array<NamedQuality, 3> kQualities{{{"best", dsp::Resampler::Quality::best},
                                                  {"medium", dsp::Resampler::Quality::medium},
                                                  {"fastest", dsp::Resampler::Quality::fastest}}};

void parse_resampler(Settings& settings, const std::string& text) {
    const auto found = std::find_if(kQualities.begin(), kQualities.end(),
                                    [&](const NamedQuality& named) { return named.name == text; });
    if (found == kQualities.end()) throw SettingError(fmt::format("'{}'; allowed: best, medium, fastest", text));
    settings.play_resampler = found->quality;
}

std::string resampler_name(const Settings& settings) {
    const auto found = std::find_if(kQualities.begin(), kQualities.end(), [&](const NamedQuality& named) {
        return named.quality == settings.play_resampler;
    });
    return std::string(found->name);
}

std::vector<SettingRow> make_rows() {
    using S = Settings;
    using Text = const std::string&;
    return {
        {"music", "Folder of music; may be given more than once", true, [](S& s, Text t) { s.music.emplace_back(t); },
         [](const S& s) { return join_paths(s.music); }},
        {"listen", "Address and port to answer on (port 0: any free one)", false, parse_listen,
         [](const S& s) {
             return s.host.find(':') == std::string::npos ? fmt::format("{}:{}", s.host, s.port)
                                                          : fmt::format("[{}]:{}", s.host, s.port);
         }},
        {"cache-dir", "Where rendered chunks are kept", false, [](S& s, Text t) { s.cache_dir = t; },
         [](const S& s) { return s.cache_dir.string(); }},
        {"cache-size", "Most bytes the cache may take: 500MB, 1GB, 2GiB", false,
         [](S& s, Text t) { s.cache_size_bytes = parse_size_bytes(t); },
         [](const S& s) { return std::to_string(s.cache_size_bytes); }},
        {"state-dir", "Where the library database is kept", false, [](S& s, Text t) { s.state_dir = t; },
         [](const S& s) { return s.state_dir.string(); }},
        {"workers", "Render threads, 1 to 20", false, [](S& s, Text t) { s.workers = parse_int(t, 1, 20); },
         [](const S& s) { return std::to_string(s.workers); }},
        {"token", "Secret that clients must present; needed on any address but loopback", false,
         [](S& s, Text t) { s.token = t; }, [](const S& s) { return s.token.empty() ? "" : "(set)"; }},
        {"public-host", "Further name accepted in the Host header; may be given more than once", true,
         [](S& s, Text t) { s.public_hosts.push_back(t); },
         [](const S& s) { return fmt::format("{}", fmt::join(s.public_hosts, ":")); }},
        {"log-level", "debug, info, warn, error or off", false, check_log_level,
         [](const S& s) { return s.log_level; }},
        {"simd", "Instruction set to compute on: auto, scalar, ssse3, sse4, avx2, avx3; the bytes are the same", false,
         check_simd, [](const S& s) { return s.simd; }},
        {"chunk.body", "Seconds of a chunk, 5 to 120", false,
         [](S& s, Text t) { s.grid.body_seconds = parse_number(t, 5, 120); },
         [](const S& s) { return fmt::format("{}", s.grid.body_seconds); }},
        {"chunk.overlap", "Seconds of the fade between chunks, 0 to 5", false,
         [](S& s, Text t) { s.grid.overlap_seconds = parse_number(t, 0, 5); },
         [](const S& s) { return fmt::format("{}", s.grid.overlap_seconds); }},
        {"chunk.context", "Seconds rendered before a chunk, 1 to 30", false,
         [](S& s, Text t) { s.grid.context_seconds = parse_number(t, 1, 30); },
         [](const S& s) { return fmt::format("{}", s.grid.context_seconds); }},
        {"render.stuck", "Seconds without progress until a render is given up, 1 to 600", false,
         [](S& s, Text t) { s.stuck_seconds = parse_number(t, 1, 600); },
         [](const S& s) { return fmt::format("{}", s.stuck_seconds); }},
        {"play.device", "Sound device to play on: a name, a part of one, or a number of `lacquer devices`", false,
         [](S& s, Text t) { s.play_device = t; }, [](const S& s) { return s.play_device; }},
        {"play.latency", "Milliseconds of sound inside the device, 5 to 2000", false,
         [](S& s, Text t) { s.play_latency_ms = parse_number(t, 5, 2000, "ms"); },
         [](const S& s) { return fmt::format("{}", s.play_latency_ms); }},
        {"play.resampler", "Conversion to the device's rate, where one is needed: best, medium or fastest", false,
         parse_resampler, resampler_name},
    };
}

void apply(Settings& settings, const SettingRow& row, const std::vector<std::string>& values,
           const std::string& where) {
    if (row.name == "music") settings.music.clear();
    if (row.name == "public-host") settings.public_hosts.clear();
    for (const std::string& value : values) {
        try {
            row.set(settings, value);
        } catch (const SettingError& error) {
            throw SettingError(fmt::format("{} is {}", where, error.what()));
        }
    }
}

std::string environment_name(std::string_view name) {
    std::string variable = "LACQUER_";
    for (const char c : name) variable += c == '-' || c == '.' ? '_' : static_cast<char>(std::toupper(c));
    return variable;
}

std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> parts;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, ':');) {
        if (!part.empty()) parts.push_back(part);
    }
    return parts;
}

std::string toml_text(const std::string& name, const toml::node& node) {
    if (const auto text = node.value_exact<std::string>()) return *text;
    if (const auto whole = node.value_exact<std::int64_t>()) return std::to_string(*whole);
    if (const auto number = node.value_exact<double>()) return fmt::format("{}", *number);
    throw SettingError(fmt::format("{} is neither a text nor a number", name));
}

// Flattens [chunk] body = 30 to chunk.body.
void collect(const toml::table& table, const std::string& prefix, SettingValues& values) {
    for (const auto& [key, node] : table) {
        const std::string name = prefix + std::string(key.str());
        if (const toml::table* inner = node.as_table()) {
            collect(*inner, name + ".", values);
        } else if (const toml::array* items = node.as_array()) {
            for (const toml::node& item : *items) values[name].push_back(toml_text(name, item));
        } else {
            values[name] = {toml_text(name, node)};
        }
    }
}

void apply_file(Settings& settings, const fs::path& file) {
    SettingValues values;
    try {
        collect(toml::parse_file(file.string()), "", values);
    } catch (const toml::parse_error& error) {
        throw SettingError(
            fmt::format("{}: line {}: {}", file.string(), error.source().begin.line, error.description()));
    } catch (const SettingError& error) {
        throw SettingError(fmt::format("{}: {}", file.string(), error.what()));
    }
    for (const auto& [name, texts] : values) {
        const auto rows = setting_rows();
        const auto row =
            std::find_if(rows.begin(), rows.end(), [&key = name](const SettingRow& r) { return r.name == key; });
        if (row == rows.end()) throw SettingError(fmt::format("{}: there is no setting '{}'", file.string(), name));
        apply(settings, *row, texts, fmt::format("{}: {}", file.string(), name));
    }
}

fs::path default_config_file() {
    std::error_code unreadable;  // then there is no file for us
    if (fs::exists("lacquer.toml", unreadable)) return "lacquer.toml";
    const fs::path file = xdg("XDG_CONFIG_HOME", ".config") / "lacquer.toml";
    return fs::exists(file, unreadable) ? file : fs::path();
}

}  // namespace

std::span<const SettingRow> setting_rows() {
    static const std::vector<SettingRow> rows = make_rows();
    return rows;
}

std::uint64_t parse_size_bytes(const std::string& text) {
    struct Unit {
        std::string_view name;
        double bytes;
    };
    constexpr std::array<Unit, 9> kUnits{{{"", 1},
                                          {"B", 1},
                                          {"KB", 1e3},
                                          {"MB", 1e6},
                                          {"GB", 1e9},
                                          {"TB", 1e12},
                                          {"KiB", 1024.0},
                                          {"MiB", 1048576.0},
                                          {"GiB", 1073741824.0}}};
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    const std::string_view unit(end);
    for (const Unit& known : kUnits) {
        if (end != text.c_str() && unit == known.name && value >= 0 && value * known.bytes < 1e18) {
            return static_cast<std::uint64_t>(value * known.bytes);
        }
    }
    throw SettingError(fmt::format("'{}'; allowed: a size such as 500MB, 1GB or 2GiB", text));
}

Settings load_settings(const SettingValues& command_line, const fs::path& config_file) {
    Settings settings;
    settings.cache_dir = xdg("XDG_CACHE_HOME", ".cache");
    settings.state_dir = xdg("XDG_STATE_HOME", ".local/state");
    settings.workers = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, 20);
    if (!config_file.empty() && !fs::exists(config_file)) {
        throw SettingError(fmt::format("--config: {} does not exist", config_file.string()));
    }
    const fs::path file = config_file.empty() ? default_config_file() : config_file;
    if (!file.empty()) apply_file(settings, file);
    for (const SettingRow& row : setting_rows()) {
        const std::string variable = environment_name(row.name);
        if (const char* value = std::getenv(variable.c_str())) {
            apply(settings, row, row.many ? split(value) : std::vector<std::string>{value}, variable);
        }
        const auto given = command_line.find(std::string(row.name));
        if (given != command_line.end()) apply(settings, row, given->second, fmt::format("--{}", row.name));
    }
    return settings;
}

}  // namespace lacquer
