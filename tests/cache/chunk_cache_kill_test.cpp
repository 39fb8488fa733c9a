// A process that dies at any change of a real directory, in the middle of a write too, and the one that comes after it.
#include <random>

#include <sys/wait.h>
#include <unistd.h>

#include "tests/cache/fixture.h"

namespace lacquer::test {
namespace {

constexpr std::uint64_t kCapacityPages = 50;
constexpr std::uint32_t kKeys = 40;

// The real file system until the last change; there the process ends, as if killed.
class DyingFiles final : public cache::FileSystem {
public:
    explicit DyingFiles(int changes) : changes_(changes) {}

    std::unique_ptr<cache::OpenFile> open(const Path& path, std::error_code& error) override {
        return files_->open(path, error);
    }
    std::vector<cache::FoundFile> list(const Path& directory, std::error_code& error) override {
        return files_->list(directory, error);
    }
    std::error_code write(const Path& path, Bytes head, Bytes body, std::int64_t modified_ns) override {
        if (--changes_ == 0) {
            (void)files_->write(path, head, body.first(body.size() / 2), modified_ns);
            ::_exit(0);
        }
        return files_->write(path, head, body, modified_ns);
    }
    std::error_code rename(const Path& from, const Path& to) override {
        die_when_due();
        return files_->rename(from, to);
    }
    std::error_code remove(const Path& path) override {
        die_when_due();
        return files_->remove(path);
    }
    std::error_code make_directories(const Path& directory) override { return files_->make_directories(directory); }

private:
    void die_when_due() {
        if (--changes_ == 0) ::_exit(0);
    }
    const std::unique_ptr<FileSystem> files_ = cache::real_file_system();
    int changes_;
};

class KillTest : public ChunkCacheTest, public testing::WithParamInterface<unsigned> {
protected:
    // In a child that dies on the way. Opening the cache is part of it.
    void live_and_die(unsigned seed) {
        std::mt19937 random(seed);
        cache::ChunkCache mortal(directory(), kCapacityPages * kPage,
                                 std::make_unique<DyingFiles>(1 + static_cast<int>(random() % 120)));
        while (true) {
            const auto number = static_cast<std::uint32_t>(random() % kKeys);
            const auto keep = random() % 4 == 0 ? cache::Keep::longer : cache::Keep::normal;
            const auto choice = random() % 10;
            if (choice < 7) {
                mortal.insert(key(number), content(number, chunk_bytes(1 + number % 20)), keep);
            } else if (choice < 9) {
                mortal.open(key(number));
            } else {
                mortal.remove(key(number));
            }
        }
    }
};

TEST_P(KillTest, WhoeverComesAfterFindsASoundCache) {
    for (unsigned round = 0; round < 10; ++round) {
        const pid_t child = ::fork();
        if (child == 0) live_and_die(GetParam() * 1000 + round);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFEXITED(status)) << status;
        std::uint64_t stored = 0;
        for (const auto& file : chunk_files()) stored += file.extension() == ".tmp" ? 0 : 1;
        open_cache(kCapacityPages);
        EXPECT_EQ(cache->stats().corrupt, 0u);
        EXPECT_EQ(cache->stats().bytes, allocated_on_disk());
        EXPECT_LE(cache->stats().bytes, kCapacityPages * kPage);
        EXPECT_EQ(cache->stats().entries, chunk_files().size()) << "no other file is left";
        EXPECT_GE(cache->stats().entries + 1, stored) << "one name may have been about to replace another";
        std::uint64_t intact = 0;
        for (std::uint32_t number = 0; number < kKeys; ++number) intact += reads_back(number) ? 1 : 0;
        EXPECT_EQ(intact, cache->stats().entries) << "what was stored before the end is a hit";
        EXPECT_EQ(cache->verify(), 0u);
        cache.reset();
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, KillTest, testing::Range(1u, 11u));

}  // namespace
}  // namespace lacquer::test
