// A disk that takes for ever: whoever waits for it waits alone.
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "tests/cache/fixture.h"

namespace lacquer::test {
namespace {

// Stops whoever arrives until it is opened; closed from the start.
class Gate {
public:
    void pass() {
        std::unique_lock lock(mutex_);
        ++waiting_;
        changed_.notify_all();
        changed_.wait(lock, [&] { return open_; });
    }
    void wait_for(int waiting) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return waiting_ >= waiting; });
    }
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int waiting_ = 0;
    bool open_ = false;
};

struct Hangs {
    std::string path;  // of what contains this; empty: nothing
    Gate gate;
    bool concerns(const std::string& file) const { return !path.empty() && file.find(path) != std::string::npos; }
};

class HangingFile final : public cache::OpenFile {
public:
    HangingFile(std::unique_ptr<OpenFile> file, Hangs& hangs) : file_(std::move(file)), hangs_(hangs) {}
    std::uint64_t size_bytes() const override { return file_->size_bytes(); }
    bool read(std::uint64_t offset, std::span<std::byte> out) override {
        hangs_.gate.pass();
        return file_->read(offset, out);
    }
    void set_modified(std::int64_t time_ns) override { file_->set_modified(time_ns); }

private:
    const std::unique_ptr<OpenFile> file_;
    Hangs& hangs_;
};

class HangingFiles final : public cache::FileSystem {
public:
    HangingFiles(Hangs& reads, Hangs& writes) : reads_(reads), writes_(writes) {}
    std::unique_ptr<cache::OpenFile> open(const Path& path, std::error_code& error) override {
        auto file = files_->open(path, error);
        if (!file || !reads_.concerns(path)) return file;
        return std::make_unique<HangingFile>(std::move(file), reads_);
    }
    std::vector<cache::FoundFile> list(const Path& directory, std::error_code& error) override {
        return files_->list(directory, error);
    }
    std::error_code write(const Path& path, Bytes head, Bytes body, std::int64_t modified_ns) override {
        if (writes_.concerns(path)) writes_.gate.pass();
        return files_->write(path, head, body, modified_ns);
    }
    std::error_code rename(const Path& from, const Path& to) override { return files_->rename(from, to); }
    std::error_code remove(const Path& path) override { return files_->remove(path); }
    std::error_code make_directories(const Path& directory) override { return files_->make_directories(directory); }

private:
    const std::unique_ptr<FileSystem> files_ = cache::real_file_system();
    Hangs& reads_;
    Hangs& writes_;
};

class BlockingTest : public ChunkCacheTest {
protected:
    void SetUp() override {
        cache =
            std::make_unique<cache::ChunkCache>(directory(), 4 * kPage, std::make_unique<HangingFiles>(reads, writes));
    }
    // Everything a cache can be asked, while one page is taken by somebody who waits; it never comes back if a lock is
    // held there.
    void live() {
        for (std::uint32_t round = 0; round < 5; ++round) {
            for (const auto number : {3u, 4u, 5u, 6u}) {
                EXPECT_TRUE(put(number));
                EXPECT_TRUE(reads_back(number));
                EXPECT_LE(cache->stats().bytes, 4 * kPage) << "what is in use and being written included";
            }
            cache->remove(key(4));
            cache->tidy();
            cache->verify();
            EXPECT_FALSE(put(7, 4)) << "one page is taken";
        }
        EXPECT_FALSE(cache->uses().empty());
        EXPECT_GT(cache->stats().evictions, 5u);
    }
    static std::string name_of(std::uint32_t number) { return "/0" + std::to_string(number) + "/"; }

    Hangs reads, writes;
};

TEST_F(BlockingTest, AReaderThatHangsKeepsNobodyElseWaiting) {
    put(1);
    reads.path = name_of(1);
    auto reading = std::async(std::launch::async, [&] { return reads_back(1); });
    reads.gate.wait_for(1);
    // verify() would read the same file and hang itself.
    for (const auto number : {3u, 4u, 5u, 6u, 3u, 4u, 5u}) {
        EXPECT_TRUE(put(number));
        EXPECT_TRUE(reads_back(number));
        EXPECT_TRUE(has(1)) << "in use";
        EXPECT_LE(cache->stats().bytes, 4 * kPage);
    }
    EXPECT_FALSE(put(7, 4)) << "what is in use counts";
    cache->tidy();
    cache->remove(key(1));
    EXPECT_FALSE(has(1));
    EXPECT_FALSE(put(7, 4)) << "unlinked, and still in use";
    reads.gate.open();
    EXPECT_TRUE(reading.get());
    EXPECT_TRUE(put(7, 4));
}

TEST_F(BlockingTest, AWriterThatHangsKeepsNobodyElseWaiting) {
    writes.path = name_of(1);
    auto writing = std::async(std::launch::async, [&] { return put(1); });
    writes.gate.wait_for(1);
    live();
    EXPECT_FALSE(has(1)) << "not before it is whole";
    writes.gate.open();
    EXPECT_TRUE(writing.get());
    EXPECT_TRUE(reads_back(1));
    EXPECT_LE(allocated_on_disk(), 4 * kPage);
}

TEST_F(BlockingTest, OfTwoWritersOfOneChunkTheLastCountsAndNoByteIsCountedTwice) {
    writes.path = name_of(1);
    auto one = std::async(std::launch::async, [&] { return put(1); });
    auto other = std::async(std::launch::async, [&] { return put(1, 2); });
    writes.gate.wait_for(2);
    EXPECT_EQ(cache->stats().bytes, 3 * kPage);
    writes.gate.open();
    EXPECT_TRUE(one.get());
    EXPECT_TRUE(other.get());
    EXPECT_TRUE(reads_back(1));
    EXPECT_EQ(cache->stats().entries, 1u);
    EXPECT_EQ(cache->stats().bytes, allocated_on_disk());
}

}  // namespace
}  // namespace lacquer::test
