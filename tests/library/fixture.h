// A folder of real audio files with a library over it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sndfile.hh>
#include <string>
#include <vector>

#include <fcntl.h>
#include <fileref.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <tpropertymap.h>
#include <unistd.h>

#include "src/library/library.h"

namespace lacquer::library::test {

namespace fs = std::filesystem;

class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string name = (fs::temp_directory_path() / "lacquer-XXXXXX").native();
        path_ = fs::canonical(::mkdtemp(name.data()));
    }
    ~TemporaryFolder() { fs::remove_all(path_); }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

// Acts as an ordinary user while it lives, for whom file modes count; the folder becomes that user's.
class OrdinaryUser {
public:
    explicit OrdinaryUser(const fs::path& folder) {
        if (::geteuid() != 0) return;
        EXPECT_EQ(::chown(folder.c_str(), kNobody, kNobody), 0);
        for (const auto& entry : fs::recursive_directory_iterator(folder))
            EXPECT_EQ(::chown(entry.path().c_str(), kNobody, kNobody), 0);
        EXPECT_EQ(::seteuid(kNobody), 0);
        was_root_ = true;
    }
    ~OrdinaryUser() {
        if (!was_root_) return;
        EXPECT_EQ(::seteuid(0), 0);
    }
    OrdinaryUser(const OrdinaryUser&) = delete;
    OrdinaryUser& operator=(const OrdinaryUser&) = delete;

private:
    static constexpr uid_t kNobody = 65534;
    bool was_root_ = false;
};

// Noise from `seed`, so that two seeds never give the same bytes. The format follows the file's extension.
inline void write_audio(const fs::path& file, std::uint32_t seed, int frames = 200, int sample_rate_hz = 8000) {
    fs::create_directories(file.parent_path());
    const int format = file.extension() == ".flac"  ? SF_FORMAT_FLAC | SF_FORMAT_PCM_16
                       : file.extension() == ".ogg" ? SF_FORMAT_OGG | SF_FORMAT_VORBIS
                                                    : SF_FORMAT_WAV | SF_FORMAT_PCM_16;
    std::vector<short> samples(static_cast<std::size_t>(frames));
    for (short& sample : samples) {
        seed = seed * 1664525u + 1013904223u;
        sample = static_cast<short>(seed >> 20);
    }
    SndfileHandle output(file.c_str(), SFM_WRITE, format, 1, sample_rate_hz);
    ASSERT_EQ(output.write(samples.data(), frames), frames) << file;
}

using Tags = std::map<std::string, std::string>;

inline void tag(const fs::path& file, const Tags& tags) {
    TagLib::FileRef tagged(file.c_str(), false);
    TagLib::PropertyMap properties;
    for (const auto& [name, value] : tags)
        properties.replace(name, TagLib::StringList(TagLib::String(value, TagLib::String::UTF8)));
    tagged.file()->setProperties(properties);
    ASSERT_TRUE(tagged.save());
}

inline void set_mtime(const fs::path& file, std::int64_t unix_s, std::int64_t ns = 0) {
    const timespec times[2] = {{unix_s, ns}, {unix_s, ns}};
    ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), times, 0), 0);
}

class LibraryTest : public testing::Test {
protected:
    LibraryTest() { fs::create_directories(music()); }

    fs::path music() const { return folder_.path() / "music"; }
    fs::path database() const { return folder_.path() / "state" / "library.db"; }
    const fs::path& folder() const { return folder_.path(); }

    // Opened at the first use, over music().
    Library& library() {
        if (!library_) library_ = std::make_unique<Library>(database(), std::vector{music()});
        return *library_;
    }
    void close() { library_.reset(); }
    void open(std::vector<fs::path> roots) {
        close();
        library_ = std::make_unique<Library>(database(), std::move(roots));
    }

    ScanResult scan() { return library().scan({}); }
    std::vector<Track> listed(const std::string& query = "") { return library().tracks(query, 0, 1'000'000).items; }
    std::vector<std::string> titles(const std::string& query = "") {
        std::vector<std::string> found;
        for (const Track& track : listed(query)) found.push_back(track.title);
        return found;
    }
    // The one listed track whose file has this name below music().
    Track track_of(const fs::path& name) {
        for (const Track& track : listed())
            if (track.path == music() / name || track.path == name) return track;
        ADD_FAILURE() << name << " is not listed";
        return {};
    }

private:
    TemporaryFolder folder_;
    std::unique_ptr<Library> library_;
};

}  // namespace lacquer::library::test
