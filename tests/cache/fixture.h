// The words the cache tests speak: put(1), has(1), restart(). A chunk of one page unless told.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cache/chunk_cache.h"
#include "cache/chunk_file.h"
#include "tests/cache/breakable_files.h"

namespace lacquer::test {

inline constexpr std::uint64_t kPage = 4096;

class TemporaryDirectory {
public:
    TemporaryDirectory() {
        std::string name = testing::TempDir() + "lacquer-cache-XXXXXX";
        if (!::mkdtemp(name.data())) std::abort();
        path_ = name;
    }
    ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

inline cache::ChunkKey key(std::uint32_t number) {
    cache::ChunkKey key{};
    key[0] = static_cast<std::byte>(number);  // spreads over the subdirectories
    std::memcpy(key.data() + 4, &number, sizeof number);
    return key;
}

// The largest chunk whose file takes this many pages.
inline std::uint64_t chunk_bytes(std::uint64_t pages) {
    std::uint64_t bytes = pages * kPage - cache::kFixedHeaderBytes;
    while (cache::file_bytes(bytes) > pages * kPage) --bytes;
    return bytes;
}

inline std::vector<std::byte> content(std::uint32_t number, std::uint64_t bytes) {
    std::vector<std::byte> chunk(bytes);
    std::uint32_t state = number * 2654435761u + 1;
    for (auto& byte : chunk) byte = static_cast<std::byte>((state = state * 1664525u + 1013904223u) >> 24);
    return chunk;
}

class ChunkCacheTest : public testing::Test {
protected:
    void open_cache(std::uint64_t capacity_pages) {
        cache.reset();
        capacity_pages_ = capacity_pages;
        cache = std::make_unique<cache::ChunkCache>(directory(), capacity_pages * kPage,
                                                    std::make_unique<BreakableFiles>(meter, &faults));
    }
    void restart() { open_cache(capacity_pages_); }

    bool put(std::uint32_t number, std::uint64_t pages = 1, cache::Keep keep = cache::Keep::normal) {
        return cache->insert(key(number), content(number, chunk_bytes(pages)), keep);
    }
    bool has(std::uint32_t number) const { return cache->contains(key(number)); }
    // Opens it, which makes it the most recently used.
    bool use(std::uint32_t number) { return cache->open(key(number)).has_value(); }
    // Opens it and compares every byte.
    bool reads_back(std::uint32_t number) {
        auto reader = cache->open(key(number));
        return reader && reads_back(*reader, number);
    }
    static bool reads_back(cache::ChunkReader& reader, std::uint32_t number) {
        std::vector<std::byte> bytes(reader.size_bytes());
        return reader.read(0, bytes) && bytes == content(number, bytes.size());
    }
    std::string survivors(std::uint32_t first, std::uint32_t last) const {
        std::string text;
        for (auto number = first; number <= last; ++number)
            if (has(number)) text.append(text.empty() ? "" : " ").append(std::to_string(number));
        return text;
    }

    std::filesystem::path directory() const { return temporary.path() / "cache"; }
    std::vector<std::filesystem::path> chunk_files() const {
        std::vector<std::filesystem::path> files;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(directory()))
            if (entry.is_regular_file() && entry.path().filename() != "lock") files.push_back(entry.path());
        return files;
    }
    std::filesystem::path file_of(std::uint32_t number) const {
        for (const auto& file : chunk_files())
            if (auto bytes = contents(file); bytes.size() >= 32 && std::memcmp(&bytes[16], key(number).data(), 16) == 0)
                return file;
        ADD_FAILURE() << "no file for chunk " << number;
        return {};
    }
    std::uint64_t allocated_on_disk() const {
        std::uint64_t bytes = 0;
        for (const auto& file : chunk_files()) bytes += cache::allocated_bytes(std::filesystem::file_size(file));
        return bytes;
    }
    static std::string contents(const std::filesystem::path& file) {
        std::ifstream stream(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(stream), {}};
    }
    static void flip_bit(const std::filesystem::path& file, std::uint64_t byte, int bit = 0) {
        std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
        stream.seekg(static_cast<std::streamoff>(byte));
        const char flipped = static_cast<char>(stream.get() ^ (1 << bit));
        stream.seekp(static_cast<std::streamoff>(byte));
        stream.put(flipped);
    }

    TemporaryDirectory temporary;
    DiskMeter meter;
    Faults faults;
    std::unique_ptr<cache::ChunkCache> cache;

private:
    std::uint64_t capacity_pages_ = 0;
};

}  // namespace lacquer::test
