#include "src/settings.h"

#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dsp/simd.h"
#include "tests/support/temp_dir.h"

namespace lacquer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SettingsTest : public testing::Test {
protected:
    // Whatever the machine that runs the test has set is out of the way.
    SettingsTest() {
        for (const SettingRow& row : setting_rows()) set(variable(row), nullptr);
        set("XDG_CONFIG_HOME", folder.path().c_str());
        set("XDG_CACHE_HOME", nullptr);
        set("XDG_STATE_HOME", nullptr);
        set("HOME", "/home/someone");
    }
    ~SettingsTest() override {
        for (const auto& [name, value] : before_) put(name, value ? value->c_str() : nullptr);
    }
    static std::string variable(const SettingRow& row) {
        std::string name = "LACQUER_";
        for (const char c : row.name) name += c == '-' || c == '.' ? '_' : static_cast<char>(std::toupper(c));
        return name;
    }
    void set(const std::string& name, const char* value) {
        const char* old = std::getenv(name.c_str());
        before_.emplace(name, old ? std::optional<std::string>(old) : std::nullopt);
        put(name, value);
    }
    std::filesystem::path file(const std::string& text) const {
        std::ofstream(folder / "test.toml") << text;
        return folder / "test.toml";
    }
    static std::string refusal(const SettingValues& command_line, const std::filesystem::path& config = {}) {
        try {
            load_settings(command_line, config);
            return "accepted";
        } catch (const SettingError& error) {
            return error.what();
        }
    }
    test::TempDir folder;

private:
    static void put(const std::string& name, const char* value) {
        value ? ::setenv(name.c_str(), value, 1) : ::unsetenv(name.c_str());
    }
    std::map<std::string, std::optional<std::string>> before_;
};

TEST_F(SettingsTest, TheCommandLineGoesOverTheEnvironmentOverTheFileOverTheDefault) {
    EXPECT_EQ(load_settings({}, {}).log_level, "info");
    const auto config = file("log-level = 'debug'\nmusic = ['/a', '/b']\n[chunk]\nbody = 60\noverlap = 0.5\n");
    EXPECT_EQ(load_settings({}, config).log_level, "debug");
    EXPECT_EQ(load_settings({}, config).grid.body_seconds, 60.0);
    EXPECT_EQ(load_settings({}, config).grid.overlap_seconds, 0.5);
    EXPECT_THAT(load_settings({}, config).music, ElementsAre("/a", "/b"));
    set("LACQUER_LOG_LEVEL", "warn");
    set("LACQUER_MUSIC", "/c::/d");
    set("LACQUER_CHUNK_BODY", "10");
    EXPECT_EQ(load_settings({}, config).log_level, "warn");
    EXPECT_EQ(load_settings({}, config).grid.body_seconds, 10.0);
    EXPECT_THAT(load_settings({}, config).music, ElementsAre("/c", "/d"));
    const SettingValues line{{"log-level", {"error"}}, {"music", {"/e", "/f"}}, {"chunk.body", {"5"}}};
    EXPECT_EQ(load_settings(line, config).log_level, "error");
    EXPECT_EQ(load_settings(line, config).grid.body_seconds, 5.0);
    EXPECT_THAT(load_settings(line, config).music, ElementsAre("/e", "/f"));
    EXPECT_EQ(load_settings(line, config).grid.overlap_seconds, 0.5) << "the file still counts where nobody overrules";
}

TEST_F(SettingsTest, FoldersFollowTheXdgVariables) {
    EXPECT_EQ(load_settings({}, {}).cache_dir, "/home/someone/.cache/lacquer");
    EXPECT_EQ(load_settings({}, {}).state_dir, "/home/someone/.local/state/lacquer");
    set("XDG_CACHE_HOME", "/x/cache");
    set("XDG_STATE_HOME", "relative: to be ignored");
    EXPECT_EQ(load_settings({}, {}).cache_dir, "/x/cache/lacquer");
    EXPECT_EQ(load_settings({}, {}).state_dir, "/home/someone/.local/state/lacquer");
}

TEST_F(SettingsTest, TheConfigFileOfTheUserIsFound) {
    std::filesystem::create_directories(folder / "lacquer");
    std::ofstream(folder / "lacquer/lacquer.toml") << "token = 'secret'\n";
    EXPECT_EQ(load_settings({}, {}).token, "secret");
}

TEST_F(SettingsTest, EveryRefusalNamesTheSettingAndWhatIsAllowed) {
    const std::vector<std::tuple<std::string, std::string, std::string>> cases{
        {"workers", "0", "1 to 20"},
        {"workers", "21", "1 to 20"},
        {"workers", "4x", "1 to 20"},
        {"workers", "", "1 to 20"},
        {"workers", "2.5", "1 to 20"},
        {"listen", "4747", "HOST:PORT"},
        {"listen", ":4747", "HOST:PORT"},
        {"listen", "host:", "0 to 65535"},
        {"listen", "host:65536", "0 to 65535"},
        {"chunk.body", "4.9", "5 to 120"},
        {"chunk.body", "121", "5 to 120"},
        {"chunk.body", "30s", "5 to 120"},
        {"chunk.body", "nan", "5 to 120"},
        {"chunk.overlap", "-1", "0 to 5"},
        {"chunk.overlap", "6", "0 to 5"},
        {"chunk.context", "0", "1 to 30"},
        {"chunk.context", "", "1 to 30"},
        {"cache-size", "-1GB", "1GB"},
        {"cache-size", "lots", "1GB"},
        {"cache-size", "", "1GB"},
        {"cache-size", "1gigabyte", "1GB"},
        {"play.latency", "4", "5 to 2000"},
        {"play.resampler", "", "best, medium"},
        {"log-level", "loud", "debug, info"},
        {"simd", "avx9", "auto, scalar"},
        {"simd", "", "auto, scalar"},
    };
    for (const auto& [name, value, allowed] : cases) {
        const std::string refused = refusal({{name, {value}}});
        EXPECT_THAT(refused, HasSubstr("--" + name)) << value;
        const std::string said = value.substr(value.starts_with("host:") ? 5 : 0);  // the part that is wrong
        EXPECT_THAT(refused, HasSubstr("'" + said + "'")) << name;
        EXPECT_THAT(refused, HasSubstr(allowed)) << name << " " << value;
    }
    set("LACQUER_WORKERS", "99");
    EXPECT_THAT(refusal({}), HasSubstr("LACQUER_WORKERS"));
    EXPECT_THAT(refusal({}), HasSubstr("1 to 20"));
}

TEST_F(SettingsTest, EveryInstructionSetOfThisProcessorCanBeAskedFor) {
    EXPECT_EQ(load_settings({}, {}).simd, "auto");
    for (const std::string& name : dsp::runnable_simd()) {
        set("LACQUER_SIMD", name.c_str());
        EXPECT_EQ(load_settings({}, {}).simd, name);
    }
    set("LACQUER_SIMD", "auto");
    EXPECT_EQ(load_settings({}, {}).simd, "auto");
    set("LACQUER_SIMD", "AVX2");
    EXPECT_THAT(refusal({}), HasSubstr("LACQUER_SIMD is 'AVX2'; allowed on this processor: auto, scalar"));
}

TEST_F(SettingsTest, WhatIsWrongInTheFileIsNamedWithTheFile) {
    EXPECT_THAT(refusal({}, folder / "none.toml"), HasSubstr("does not exist"));
    for (const auto& [text, said] : std::vector<std::pair<std::string, std::string>>{
             {"workers = 99", "workers"},
             {"workers = 99", "1 to 20"},
             {"workers = true", "workers"},
             {"music = [['/a']]", "music"},
             {"[chunk]\nbody = 1", "chunk.body"},
             {"[chunk]\nbodies = 30", "chunk.bodies"},
             {"colour = 'red'", "colour"},
             {"log-level = ", "line 1"},
         }) {
        const std::string refused = refusal({}, file(text));
        EXPECT_THAT(refused, HasSubstr("test.toml")) << text;
        EXPECT_THAT(refused, HasSubstr(said)) << text;
    }
}

TEST_F(SettingsTest, SizesAreDecimalUnlessTheySayBinary) {
    EXPECT_EQ(parse_size_bytes("0"), 0u);
    EXPECT_EQ(parse_size_bytes("12345"), 12'345u);
    EXPECT_EQ(parse_size_bytes("1KB"), 1'000u);
    EXPECT_EQ(parse_size_bytes("500MB"), 500'000'000u);
    EXPECT_EQ(parse_size_bytes("1GB"), 1'000'000'000u);
    EXPECT_EQ(parse_size_bytes("1.5GB"), 1'500'000'000u);
    EXPECT_EQ(parse_size_bytes("2TB"), 2'000'000'000'000u);
    EXPECT_EQ(parse_size_bytes("1KiB"), 1024u);
    EXPECT_EQ(parse_size_bytes("3MiB"), 3u << 20);
    EXPECT_EQ(parse_size_bytes("2GiB"), 2ull << 30);
    for (const char* text : {"", "GB", "-1", "1e40", "inf", "nan", "1 2", "1GB "}) {
        EXPECT_THROW(parse_size_bytes(text), SettingError) << text;
    }
}

TEST_F(SettingsTest, WhatIsPrintedReadsBackAsTheSame) {
    const Settings settings = load_settings({{"listen", {"[::1]:80"}},
                                             {"music", {"/a", "/b"}},
                                             {"cache-size", {"2GiB"}},
                                             {"workers", {"3"}},
                                             {"chunk.body", {"12.5"}}},
                                            {});
    EXPECT_EQ(settings.host, "::1");
    EXPECT_EQ(settings.port, 80);
    SettingValues printed;
    for (const SettingRow& row : setting_rows()) {
        if (row.many || row.name == "token") continue;
        printed[std::string(row.name)] = {row.get(settings)};
    }
    const Settings again = load_settings(printed, {});
    for (const SettingRow& row : setting_rows()) {
        if (!row.many) {
            EXPECT_EQ(row.get(again), row.get(settings)) << row.name;
        }
    }
    EXPECT_EQ(again.host, "::1");
}

TEST_F(SettingsTest, TheTokenIsNeverPrinted) {
    const Settings settings = load_settings({{"token", {"secret"}}}, {});
    for (const SettingRow& row : setting_rows()) EXPECT_EQ(row.get(settings).find("secret"), std::string::npos);
}

}  // namespace
}  // namespace lacquer
