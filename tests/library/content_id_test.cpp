#include <array>
#include <iterator>

#include <xxhash.h>

#include "src/library/file_identity.h"
#include "tests/library/fixture.h"

namespace lacquer::library::test {
namespace {

constexpr std::int64_t kUnixSeconds = 1'650'000'000;

class ContentIdTest : public testing::Test {
protected:
    // A file of `size` bytes of noise with a fixed modification time.
    fs::path file(std::size_t size) {
        bytes_.resize(size);
        std::uint32_t seed = 7;
        for (char& byte : bytes_) byte = static_cast<char>((seed = seed * 1664525u + 1013904223u) >> 24);
        write();
        return path_;
    }
    void flip(std::size_t position) {
        bytes_[position] = static_cast<char>(bytes_[position] ^ 1);
        write();
    }
    const std::string& bytes() const { return bytes_; }

private:
    void write() {
        std::ofstream(path_, std::ios::binary) << bytes_;
        set_mtime(path_, kUnixSeconds, 5);
    }

    TemporaryFolder folder_;
    fs::path path_ = folder_.path() / "file";
    std::string bytes_;
};

// The definition read aloud: everything that is hashed put into one string, hashed in one call.
std::string naive_content_id(const std::string& bytes, std::int64_t mtime_ns) {
    std::string hashed;
    for (const std::int64_t number : {static_cast<std::int64_t>(bytes.size()), mtime_ns})
        for (int i = 0; i < 8; ++i) hashed += static_cast<char>(number >> (8 * i) & 0xFF);
    constexpr std::size_t end = 65536, block = 16384;
    if (bytes.size() <= 2 * end + 62 * block) {
        hashed += bytes;
    } else {
        hashed += bytes.substr(0, end);
        for (std::size_t i = 0; i < 62; ++i)
            hashed += bytes.substr(end + (bytes.size() - 2 * end - block) * i / 61, block);
        hashed += bytes.substr(bytes.size() - end);
    }
    const XXH128_hash_t hash = XXH3_128bits(hashed.data(), hashed.size());
    std::array<char, 33> hex{};
    std::snprintf(hex.data(), hex.size(), "%016lx%016lx", static_cast<unsigned long>(hash.high64),
                  static_cast<unsigned long>(hash.low64));
    return hex.data();
}

TEST_F(ContentIdTest, IsWhatItsDefinitionSays) {
    for (const std::size_t size : {0u, 1u, 65'536u, 1'146'880u, 1'146'881u, 5'000'003u}) {
        const fs::path path = file(size);
        EXPECT_EQ(content_id(path), naive_content_id(bytes(), kUnixSeconds * 1'000'000'000 + 5)) << size << " bytes";
    }
}

TEST_F(ContentIdTest, ChangesWithSizeTimeBothEndsAndTheMiddle) {
    const fs::path path = file(3'000'000);
    std::vector<std::string> ids{content_id(path)};
    for (const std::size_t position : {0u, 65'535u, 2'999'999u, 2'934'464u, 65'536u}) {
        flip(position);
        ids.push_back(content_id(path));
        flip(position);
    }
    EXPECT_EQ(content_id(path), ids.front());
    set_mtime(path, kUnixSeconds, 6);
    ids.push_back(content_id(path));
    const fs::path longer = file(3'000'001);
    ids.push_back(content_id(longer));
    for (std::size_t i = 0; i < ids.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) EXPECT_NE(ids[i], ids[j]) << i << " and " << j;
}

TEST_F(ContentIdTest, AMissingFileIsAnError) {
    EXPECT_THROW(content_id("/nonexistent/file"), fs::filesystem_error);
}

// FIPS 180-4's example, and the empty message.
TEST_F(ContentIdTest, Sha256IsTheStandardOne) {
    TemporaryFolder folder;
    std::ofstream(folder.path() / "abc") << "abc";
    std::ofstream(folder.path() / "empty");
    EXPECT_EQ(sha256_of(folder.path() / "abc", {}), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sha256_of(folder.path() / "empty", {}),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(sha256_of(folder.path() / "absent", {}), std::nullopt);
}

}  // namespace
}  // namespace lacquer::library::test
