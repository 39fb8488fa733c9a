// Every fault, found in every way: what a listener gets and what is counted. Prints the table; docs quote it.
//
//     build/release/tests/cache_tests --gtest_filter='*Matrix*'
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <utility>

#include <sys/stat.h>

#include "tests/cache/fixture.h"

namespace lacquer::test {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kPayloadBytes = 2 * cache::kBlockBytes + 1000;
constexpr const char* kFromCache = "its bytes, from the cache";
constexpr const char* kStored = "its bytes, rendered again, stored";
constexpr const char* kFromMemory = "its bytes, rendered again, from memory";

class MatrixTest : public ChunkCacheTest {
protected:
    static std::vector<std::byte> chunk(std::uint32_t number) { return content(number, kPayloadBytes); }

    // As the chunk service does: from the cache as far as it goes, else rendered, stored if the cache can.
    std::string listen(std::uint32_t number) { return listen(number, cache->open(key(number))); }
    std::string listen(std::uint32_t number, std::optional<cache::ChunkReader> reader) {
        std::vector<std::byte> heard(kPayloadBytes);
        bool is_whole = reader.has_value();
        for (std::size_t at = 0; is_whole && at < heard.size(); at += 10'000) {
            const auto slice = std::span(heard).subspan(at, std::min<std::size_t>(10'000, heard.size() - at));
            is_whole = reader->read(at, slice);
            const bool is_right = std::equal(slice.begin(), slice.end(), chunk(number).begin() + static_cast<long>(at));
            EXPECT_TRUE(!is_whole || is_right) << "damage is served";
        }
        reader.reset();
        if (is_whole) return kFromCache;
        return cache->insert(key(number), chunk(number)) ? kStored : kFromMemory;
    }
    std::string counted(const cache::CacheStats& before) const {
        const auto after = cache->stats();
        std::string text;
        for (const auto& [name, count] : {std::pair("misses", after.misses - before.misses),
                                          {"corrupt", after.corrupt - before.corrupt},
                                          {"failedWrites", after.failed_writes - before.failed_writes},
                                          {"evictions", after.evictions - before.evictions}})
            if (count > 0) text.append(text.empty() ? "" : ", ").append(name).append(" ").append(std::to_string(count));
        return text.empty() ? "nothing" : text;
    }
    static void print(const std::string& fault, const std::string& found, const std::string& gets,
                      const std::string& counts) {
        std::printf("| %-44s | %-22s | %-38s | %s\n", fault.c_str(), found.c_str(), gets.c_str(), counts.c_str());
    }
};

struct Damage {
    std::string name;
    std::function<void(const fs::path& file)> inflict;
    std::uint64_t corrupt_at_use = 1, corrupt_at_start = 1;  // counted when it is found so
    bool serves_from_cache = false;                          // it is none
    bool is_replaceable = true;                              // by rendering again
};

std::vector<Damage> flips() {
    const auto payload_at = cache::header_bytes(kPayloadBytes);
    std::vector<Damage> damages;
    for (const auto& [region, byte] : {std::pair("magic", std::uint64_t{3}),
                                       {"format version", 8},
                                       {"block size", 14},
                                       {"key", 20},
                                       {"payload size", 32},
                                       {"header checksum", 47},
                                       {"table of checksums, first", 48},
                                       {"table of checksums, last", payload_at - 1},
                                       {"payload, first byte", payload_at},
                                       {"payload, second block", payload_at + cache::kBlockBytes + 7},
                                       {"payload, last byte", payload_at + kPayloadBytes - 1}})
        damages.push_back({std::string("bit flipped: ") + region, [at = byte](const fs::path& file) {
                               std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
                               stream.seekg(static_cast<std::streamoff>(at));
                               const char flipped = static_cast<char>(stream.get() ^ 16);
                               stream.seekp(static_cast<std::streamoff>(at));
                               stream.put(flipped);
                           }});
    return damages;
}

std::vector<Damage> sizes() {
    const auto payload_at = cache::header_bytes(kPayloadBytes);
    const auto whole = cache::file_bytes(kPayloadBytes);
    std::vector<Damage> damages;
    for (const auto& [name, bytes] : {std::pair("cut: empty", std::uint64_t{0}),
                                      {"cut: one byte", 1},
                                      {"cut: inside the fixed header", 47},
                                      {"cut: after the fixed header", 48},
                                      {"cut: inside the table", payload_at - 1},
                                      {"cut: before the payload", payload_at},
                                      {"cut: inside the payload", payload_at + 70'000},
                                      {"cut: at a block", payload_at + cache::kBlockBytes},
                                      {"cut: the last byte", whole - 1},
                                      {"grown by a byte", whole + 1},
                                      {"grown by a page", whole + kPage},
                                      {"grown by 1 MiB", whole + (1 << 20)}})
        damages.push_back({name, [size = bytes](const fs::path& file) { fs::resize_file(file, size); }});
    return damages;
}

void overwrite_with_zeros(const fs::path& file) {
    const std::string zeros(fs::file_size(file), '\0');
    std::fstream(file, std::ios::binary | std::ios::in | std::ios::out) << zeros;
}

void replace(const fs::path& file, const std::function<void()>& put_there) {
    fs::rename(file, file.parent_path().parent_path() / "moved away");
    put_there();
}

std::vector<Damage> replacements() {
    return {
        {"full of zeros (power cut)", overwrite_with_zeros},
        {"another chunk under its name",
         [](const fs::path& file) {
             const auto other = cache::make_header(key(77), content(77, kPayloadBytes));
             std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
             stream.write(reinterpret_cast<const char*>(other.data()), static_cast<std::streamsize>(other.size()));
         }},
        {"file deleted", [](const fs::path& file) { fs::remove(file); }, 0, 0},
        {"sub-directory deleted", [](const fs::path& file) { fs::remove_all(file.parent_path()); }, 0, 0},
        {"cache directory deleted", [](const fs::path& file) { fs::remove_all(file.parent_path().parent_path()); }, 0,
         0},
        {"symbolic link in its place",
         [](const fs::path& file) { replace(file, [&] { fs::create_symlink("../moved away", file); }); }, 1, 0},
        {"pipe in its place",
         [](const fs::path& file) { replace(file, [&] { ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0); }); }, 1, 0},
        {"directory in its place",
         [](const fs::path& file) { replace(file, [&] { fs::create_directories(file / "inside"); }); }, 1, 0, false,
         false},
        {"sub-directory replaced by a link",
         [](const fs::path& file) {
             const auto away = file.parent_path().parent_path() / "moved away";
             fs::rename(file.parent_path(), away);
             fs::create_directory_symlink(away, file.parent_path());
             fs::remove(away / file.filename());
         },
         0, 0, false, false},
        {"clock set back: last used in 50 years",
         [](const fs::path& file) {
             fs::last_write_time(file, fs::file_time_type::clock::now() + std::chrono::years(50));
         },
         0, 0, true},
        {"last used in 1970",
         [](const fs::path& file) { fs::last_write_time(file, fs::file_time_type(-std::chrono::years(254))); }, 0, 0,
         true},
        {"foreign files beside it",
         [](const fs::path& file) {
             for (const char* name : {"README", "core.1234", "0.chunk"}) std::ofstream(file.parent_path() / name);
         },
         0, 0, true},
    };
}

class DamageMatrixTest : public MatrixTest {
protected:
    void begin(const Damage& damage) {
        cache.reset();
        fs::remove_all(temporary.path() / "cache");
        open_cache(1000);
        for (const auto number : {1u, 200u}) ASSERT_TRUE(cache->insert(key(number), chunk(number))) << damage.name;
    }
    void expect_repaired(const Damage& damage) {
        const std::string again = listen(1);
        EXPECT_EQ(again, damage.is_replaceable ? kFromCache : kFromMemory);
        EXPECT_EQ(listen(200), fs::exists(directory() / "c8") ? kFromCache : kStored) << "a neighbour";
        EXPECT_LE(cache->stats().bytes, 1000 * kPage);
        cache->tidy();
        const auto ours = cache->stats().bytes;
        restart();
        EXPECT_EQ(cache->stats().bytes, ours) << "the books were right";
    }
};

TEST_F(DamageMatrixTest, DamageIsAMissThatIsCountedAndNeverServed) {
    for (const auto& group : {flips(), sizes(), replacements()})
        for (const Damage& damage : group) {
            SCOPED_TRACE(damage.name);
            const std::string rendered = damage.is_replaceable ? kStored : kFromMemory;
            const std::string expected = damage.serves_from_cache ? kFromCache : rendered;

            begin(damage);
            auto before = cache->stats();
            damage.inflict(file_of(1));
            EXPECT_EQ(listen(1), expected);
            EXPECT_EQ(cache->stats().corrupt, damage.corrupt_at_use);
            print(damage.name, "when it is opened", expected, counted(before));
            expect_repaired(damage);

            begin(damage);
            damage.inflict(file_of(1));
            restart();
            EXPECT_EQ(listen(1), expected);
            EXPECT_EQ(cache->stats().corrupt, damage.corrupt_at_start);
            print(damage.name, "when the daemon starts", expected, counted({}));
            expect_repaired(damage);

            begin(damage);
            before = cache->stats();
            auto reader = cache->open(key(1));
            damage.inflict(file_of(1));
            const std::string heard = listen(1, std::move(reader));  // what was read before may suffice
            print(damage.name, "while it is played", heard, counted(before));
            listen(1);
            expect_repaired(damage);
        }
}

struct Refusal {
    const char* operation;
    std::function<void(Faults&)> refuse;
    std::vector<std::errc> reasons;
    struct Seen {
        std::string gets, counted;
    } stored, fresh;  // who asks for a stored chunk, then for a new one in a full cache
};

const std::vector<std::errc> kReasons{std::errc::io_error,
                                      std::errc::no_space_on_device,
                                      std::errc(EDQUOT),
                                      std::errc::read_only_file_system,
                                      std::errc::permission_denied,
                                      std::errc::too_many_files_open,
                                      std::errc::not_enough_memory};

std::vector<Refusal> refusals() {
    const Refusal::Seen from_cache{kFromCache, "nothing"};
    const Refusal::Seen stored{kStored, "misses 1, evictions 1"};
    const Refusal::Seen lost{kFromMemory, "misses 1, failedWrites 1, evictions 1"};
    const Refusal::Seen no_room{kFromMemory, "misses 1, failedWrites 1"};
    return {
        {"open", [](Faults& faults) { faults.may_open = false; }, kReasons, stored, stored},
        {"read",
         [](Faults& faults) { faults.may_read = false; },
         {std::errc::io_error},
         {kStored, "misses 1, corrupt 1"},
         stored},
        {"write", [](Faults& faults) { faults.may_write = false; }, kReasons, from_cache, lost},
        {"write, cut short",
         [](Faults& faults) { faults.free_bytes = 50'000; },
         {std::errc::no_space_on_device},
         from_cache,
         lost},
        {"rename", [](Faults& faults) { faults.may_rename = false; }, kReasons, from_cache, lost},
        {"remove", [](Faults& faults) { faults.may_remove = false; }, kReasons, from_cache, no_room},
        {"write, rename, remove",
         [](Faults& faults) { faults.may_write = faults.may_rename = faults.may_remove = false; }, kReasons, from_cache,
         no_room},
        {"list", [](Faults& faults) { faults.may_list = false; }, kReasons, from_cache, stored},
        {"make_directories", [](Faults& faults) { faults.may_make_directories = false; }, kReasons, from_cache, stored},
    };
}

class RefusalMatrixTest : public MatrixTest {
protected:
    static constexpr std::uint64_t kCapacityPages = 2 * 33 + 5;  // two chunks

    void expect_seen(std::uint32_t number, const std::string& fault, const Refusal::Seen& expected) {
        const auto before = cache->stats();
        const std::string gets = listen(number);
        EXPECT_EQ(gets, expected.gets);
        EXPECT_EQ(counted(before), expected.counted);
        print(fault, number == 1 ? "a stored chunk" : "a new chunk", gets, counted(before));
    }
    void expect_sound() {
        cache->tidy();
        EXPECT_EQ(cache->stats().bytes, allocated_on_disk());
        EXPECT_LE(cache->stats().bytes, kCapacityPages * kPage);
    }
    std::string refusal_to_start() {
        try {
            restart();
        } catch (const std::runtime_error& error) {
            return error.what();
        }
        return "";
    }
};

TEST_F(RefusalMatrixTest, WhatTheSystemRefusesCostsAChunkAtMostAndIsCounted) {
    for (const Refusal& refusal : refusals())
        for (const std::errc reason : refusal.reasons) {
            const std::string fault = std::string(refusal.operation) + ": " + std::make_error_code(reason).message();
            SCOPED_TRACE(fault);
            cache.reset();
            fs::remove_all(directory());
            open_cache(kCapacityPages);
            for (const auto number : {1u, 2u}) ASSERT_TRUE(cache->insert(key(number), chunk(number)));
            faults.reason = reason;
            refusal.refuse(faults);
            expect_seen(1, fault, refusal.stored);
            expect_seen(9, fault, refusal.fresh);
            expect_sound();
            faults = {};
            EXPECT_NE(listen(9), kFromMemory);
            EXPECT_EQ(listen(9), kFromCache);
            expect_sound();
        }
}

TEST_F(RefusalMatrixTest, ADirectoryThatCannotBeMadeOrReadRefusesTheStartWithTheReason) {
    open_cache(kCapacityPages);
    for (const std::errc reason : kReasons) {
        const std::string message = std::make_error_code(reason).message();
        faults.reason = reason;
        faults.may_list = false;
        EXPECT_NE(refusal_to_start().find("cannot be read: " + message), std::string::npos);
        print("list: " + message, "when the daemon starts", "(the daemon refuses, naming the reason)", "nothing");
        faults.may_list = true;
        faults.may_make_directories = false;
        EXPECT_NE(refusal_to_start().find("cannot be made: " + message), std::string::npos);
        print("make_directories: " + message, "when the daemon starts", "(the daemon refuses, naming the reason)",
              "nothing");
        faults = {};
        EXPECT_EQ(refusal_to_start(), "");
    }
}

}  // namespace
}  // namespace lacquer::test
