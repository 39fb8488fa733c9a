// Stopped after any single change to the disk, with the last write torn in every way a kill or a power cut tears it:
// what is found at the next start is sound. A life of the cache is written down change by change, then each beginning
// of it is played onto a fresh disk and opened.
#include <algorithm>
#include <cstdio>
#include <random>

#include "cache/directory_layout.h"
#include "tests/cache/fixture.h"
#include "tests/cache/memory_disk.h"

namespace lacquer::test {
namespace {

using cache::ChunkCache;
using cache::Keep;
using Chunk = std::vector<std::byte>;
using Contents = std::map<std::uint32_t, Chunk>;

constexpr std::uint64_t kCapacityPages = 60;

bool is_temporary(const std::string& path) {
    return path.ends_with(".tmp");
}

// Keys of these tests are below 256: their first byte is the number.
std::uint32_t number_of(const std::string& path) {
    return static_cast<std::uint32_t>(
        std::stoul(std::filesystem::path(path).filename().string().substr(0, 2), nullptr, 16));
}

std::ptrdiff_t files_of(const MemoryDisk& disk, std::uint32_t number) {
    return std::count_if(disk.files.begin(), disk.files.end(),
                         [=](const auto& file) { return number_of(file.first) == number; });
}

std::optional<Chunk> read(ChunkCache& cache, std::uint32_t number) {
    auto reader = cache.open(key(number));
    if (!reader) return std::nullopt;
    Chunk bytes(reader->size_bytes());
    if (!reader->read(0, bytes)) return std::nullopt;
    return bytes;
}

// What was in the cache when so many changes had been made, between two steps of its life.
struct Moment {
    std::size_t changes = 0;
    Contents contents;
};

class Life {
public:
    explicit Life(const std::filesystem::path& directory) : directory_(directory) {
        cache_ = std::make_unique<ChunkCache>(directory, kCapacityPages * kPage, files());
        moments.push_back({});
        live();
        cache_.reset();
    }
    // Chunks that the cache had for sure: between two steps all, else those it had before and after the step.
    Contents certain_at(std::size_t changes) const {
        const auto after = std::find_if(moments.begin(), moments.end(),
                                        [=](const Moment& moment) { return moment.changes >= changes; });
        const auto& then = after->changes == changes ? after->contents : std::prev(after)->contents;
        Contents certain;
        for (const auto& [number, chunk] : then) {
            const auto still = after->contents.find(number);
            if (still != after->contents.end() && still->second == chunk) certain.emplace(number, chunk);
        }
        return certain;
    }

    MemoryDisk disk;
    std::vector<Moment> moments;
    std::map<std::uint32_t, std::vector<Chunk>> ever_stored;

private:
    std::unique_ptr<cache::FileSystem> files() {
        return std::make_unique<MemoryFiles>(disk, [this](const char* operation) {
            return refused_ == operation ? std::make_error_code(std::errc::no_space_on_device) : std::error_code();
        });
    }
    void put(std::uint32_t number, std::uint64_t pages, Keep keep = Keep::normal) {
        const Chunk chunk = content(++version_, chunk_bytes(pages));
        ever_stored[number].push_back(chunk);
        if (cache_->insert(key(number), chunk, keep)) stored_[number] = chunk;
        note();
    }
    void use(std::uint32_t number) {
        (void)read(*cache_, number);
        note();
    }
    void damage(std::uint32_t number) {
        for (const auto& [path, inode] : disk.files) {
            if (number_of(path) != number) continue;
            DiskFile file = *inode;
            file.bytes.back() ^= std::byte{4};
            stored_.erase(number);
            disk.change({DiskChange::Kind::write, path, {}, std::move(file)});
            return note();
        }
    }
    void refusing(const char* operation, const std::function<void()>& step) {
        refused_ = operation;
        step();
        refused_.clear();
    }
    void note() {
        Moment moment{disk.changes.size(), {}};
        for (const auto& [number, chunk] : stored_)
            if (cache_->contains(key(number))) moment.contents.emplace(number, chunk);
        moments.push_back(std::move(moment));
    }
    void live();

    const std::filesystem::path directory_;
    std::unique_ptr<ChunkCache> cache_;
    std::string refused_;
    Contents stored_;
    std::uint32_t version_ = 0;
};

void Life::live() {
    for (std::uint32_t number = 1; number <= 6; ++number) put(number, number);
    put(7, 1, Keep::longer);
    put(8, 20);
    for (const std::uint32_t number : {2u, 7u, 4u, 1u}) use(number);
    put(2, 5);                // larger
    put(4, 1, Keep::longer);  // under another name
    put(4, 2);                // and back
    put(9, 18);
    put(10, 18);  // evicts, also the large one
    refusing("write", [&] { put(11, 10); });
    refusing("write", [&] { put(7, 2, Keep::longer); });
    refusing("rename", [&] { put(12, 3); });
    refusing("remove", [&] { put(12, 30); });  // nothing can be evicted
    refusing("remove", [&] { cache_->remove(key(10)), stored_.erase(10), note(); });
    damage(9);
    use(9);
    put(9, 17);
    use(7);
    cache_->remove(key(2));
    note();
    put(13, 59);  // nearly everything goes
    put(14, 1);
    cache_->tidy();
    note();
    for (std::uint32_t number = 20; number < 32; ++number)
        put(number, 1 + number % 7, number % 3 ? Keep::normal : Keep::longer);
    use(22);
    cache_->clear();
    note();
    put(40, 3);
}

class CrashTest : public testing::Test {
protected:
    // Opens what is on the disk: accounts for every byte, holds the cap, serves nothing that was never stored, and all
    // of `certain`. Then it can be used as before.
    void expect_sound(MemoryDisk disk, const Contents& certain) {
        ChunkCache cache(directory(), kCapacityPages * kPage, std::make_unique<MemoryFiles>(disk));
        expect_exact(cache, disk);
        for (const auto& [path, inode] : disk.files) EXPECT_FALSE(is_temporary(path)) << path;
        for (const auto& [number, versions] : life.ever_stored) {
            const auto chunk = read(cache, number);
            const bool is_known = !chunk || std::find(versions.begin(), versions.end(), *chunk) != versions.end();
            EXPECT_TRUE(is_known) << "damage served as " << number;
            EXPECT_TRUE(!certain.contains(number) || chunk == certain.at(number)) << number << " is lost";
            EXPECT_EQ(chunk.has_value(), cache.contains(key(number))) << number;
        }
        expect_exact(cache, disk);
        EXPECT_EQ(cache.verify(), 0u) << "all damage was met";
        ASSERT_TRUE(cache.insert(key(99), content(99, chunk_bytes(kCapacityPages))));
        EXPECT_EQ(read(cache, 99), content(99, chunk_bytes(kCapacityPages)));
        expect_exact(cache, disk);
    }
    static void expect_exact(const ChunkCache& cache, const MemoryDisk& disk) {
        EXPECT_EQ(cache.stats().bytes, disk.allocated_bytes());
        EXPECT_EQ(cache.stats().entries, disk.files.size());
        EXPECT_LE(cache.stats().bytes, kCapacityPages * kPage);
    }
    std::filesystem::path directory() const { return temporary.path() / "cache"; }
    bool failed() const { return HasFailure(); }

    // What a kill leaves (a part) and what a power cut leaves besides (the length is right, bytes are not).
    static std::vector<Chunk> torn(const Chunk& whole) {
        std::vector<Chunk> variants;
        for (const std::size_t kept : {std::size_t{0}, std::size_t{1}, std::size_t{40}, std::size_t{48},
                                       std::size_t{56}, whole.size() / 2, std::size_t{65536}, whole.size() - 1})
            if (kept < whole.size()) variants.emplace_back(whole.begin(), whole.begin() + static_cast<long>(kept));
        for (const std::size_t kept : {std::size_t{0}, std::size_t{48}, whole.size() / 2, whole.size() - 1}) {
            variants.push_back(whole);
            std::fill(variants.back().begin() + static_cast<long>(kept), variants.back().end(), std::byte{0});
        }
        return variants;
    }

    TemporaryDirectory temporary;
    Life life{temporary.path() / "cache"};
    const std::vector<DiskChange>& changes = life.disk.changes;
};

TEST_F(CrashTest, TheLifeIsWorthStoppingAnywhere) {
    std::map<DiskChange::Kind, int> kinds;
    for (const DiskChange& change : changes) ++kinds[change.kind];
    EXPECT_GT(kinds[DiskChange::Kind::write], 30);
    EXPECT_GT(kinds[DiskChange::Kind::rename], 25);
    EXPECT_GT(kinds[DiskChange::Kind::remove], 25);
    EXPECT_GT(kinds[DiskChange::Kind::touch], 4);
    std::printf("%zu changes of the disk\n", changes.size());
}

TEST_F(CrashTest, AfterAnySingleChangeWhatIsFoundIsSound) {
    for (std::size_t count = 0; count <= changes.size() && !failed(); ++count) {
        SCOPED_TRACE(count);
        expect_sound(disk_after(changes, count), life.certain_at(count));
    }
}

TEST_F(CrashTest, AfterAnySingleChangeWithTheLastWriteTornWhatIsFoundIsSound) {
    for (std::size_t count = 1; count <= changes.size() && !failed(); ++count) {
        if (changes[count - 1].kind != DiskChange::Kind::write) continue;
        for (const Chunk& part : torn(changes[count - 1].file.bytes)) {
            SCOPED_TRACE(testing::Message() << count << ", " << part.size() << " bytes");
            MemoryDisk disk = disk_after(changes, count);
            disk.files.at(changes[count - 1].path)->bytes = part;
            auto certain = life.certain_at(count);
            if (!is_temporary(changes[count - 1].path)) certain.erase(number_of(changes[count - 1].path));
            expect_sound(disk, certain);
        }
    }
}

// Nothing is synced: names may be on the disk before the bytes.
TEST_F(CrashTest, AfterAPowerCutThatLostTheBytesOfARecentFileItIsAMissThatIsCounted) {
    for (std::size_t count = 1; count <= changes.size() && !failed(); ++count) {
        const DiskChange& rename = changes[count - 1];
        if (rename.kind != DiskChange::Kind::rename) continue;
        const auto whole_disk = disk_after(changes, count);
        const auto whole = whole_disk.files.at(rename.to)->bytes;
        for (const Chunk& part : torn(whole)) {
            if (part == whole) continue;  // its last byte was zero
            SCOPED_TRACE(testing::Message() << count << ", " << part.size() << " bytes");
            MemoryDisk disk = disk_after(changes, count);
            disk.files.at(rename.to)->bytes = part;
            auto certain = life.certain_at(count);
            certain.erase(number_of(rename.to));
            expect_sound(disk, certain);
            ChunkCache cache(directory(), kCapacityPages * kPage, std::make_unique<MemoryFiles>(disk));
            // What it was about to replace under the other name may still be there, and then that is served.
            const bool is_replacing = files_of(whole_disk, number_of(rename.to)) > 1;
            EXPECT_TRUE(!read(cache, number_of(rename.to)) || is_replacing);
            EXPECT_EQ(cache.stats().corrupt, 1u);
        }
    }
}

TEST_F(CrashTest, StoppedAgainWhileStartingWhatIsFoundIsSound) {
    for (std::size_t count = 0; count <= changes.size() && !failed(); ++count) {
        MemoryDisk starting = disk_after(changes, count);
        { const ChunkCache cache(directory(), kCapacityPages / 2 * kPage, std::make_unique<MemoryFiles>(starting)); }
        for (std::size_t more = 0; more <= starting.changes.size(); ++more) {
            SCOPED_TRACE(testing::Message() << count << " + " << more);
            MemoryDisk disk = disk_after(changes, count);
            for (std::size_t i = 0; i < more; ++i) disk.apply(starting.changes[i]);
            auto certain = life.certain_at(count);
            std::erase_if(certain, [&](const auto& entry) {
                return std::any_of(starting.changes.begin(), starting.changes.end(),
                                   [&](const DiskChange& change) { return number_of(change.path) == entry.first; });
            });
            expect_sound(disk, certain);
        }
    }
}

// A power cut keeps any of the last changes, in any order that the disk liked.
TEST_F(CrashTest, AfterAPowerCutThatLostAnyOfTheLastChangesNothingDamagedIsServed) {
    for (unsigned seed = 1; seed <= 400 && !failed(); ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 random(seed);
        const std::size_t count = random() % (changes.size() + 1);
        MemoryDisk disk;
        for (std::size_t i = 0; i < count; ++i) {
            const bool unsynced = i + 12 >= count;
            if (unsynced && random() % 3 == 0) continue;
            DiskChange change = changes[i];
            if (unsynced && change.kind == DiskChange::Kind::write && random() % 2 == 0) {
                const auto variants = torn(change.file.bytes);
                change.file.bytes = variants[random() % variants.size()];
            }
            disk.apply(change);
        }
        expect_sound(disk, {});
    }
}

}  // namespace
}  // namespace lacquer::test
