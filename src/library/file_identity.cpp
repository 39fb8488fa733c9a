#include "src/library/file_identity.h"

#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <span>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "src/library/library.h"
#include "src/media/open_file.h"

namespace lacquer::library {
namespace {

constexpr std::int64_t kEndBytes = 64 << 10;
constexpr std::int64_t kBlockBytes = 16 << 10;
constexpr std::int64_t kBlocks = 62;
constexpr std::int64_t kWholeBytes = 2 * kEndBytes + kBlocks * kBlockBytes;

FileStamp to_stamp(const struct stat& status) {
    return {status.st_size, std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

class ReadOnlyFile {
public:
    explicit ReadOnlyFile(const std::filesystem::path& file)
        : file_(file), descriptor_(media::open_without_links(file, O_RDONLY)) {
        if (descriptor_ < 0) fail();
    }
    ~ReadOnlyFile() { ::close(descriptor_); }
    ReadOnlyFile(const ReadOnlyFile&) = delete;
    ReadOnlyFile& operator=(const ReadOnlyFile&) = delete;

    FileStamp stamp() const {
        struct stat status {};
        if (::fstat(descriptor_, &status) != 0) fail();
        return to_stamp(status);
    }

    // Fewer bytes than asked only at the end of the file.
    std::span<const std::byte> read_at(std::int64_t offset, std::span<std::byte> buffer) const {
        std::size_t filled = 0;
        while (filled < buffer.size()) {
            const ssize_t count = ::pread(descriptor_, buffer.data() + filled, buffer.size() - filled,
                                          offset + static_cast<std::int64_t>(filled));
            if (count == 0) break;
            if (count > 0) filled += static_cast<std::size_t>(count);
            if (count < 0 && errno != EINTR) fail();
        }
        return buffer.first(filled);
    }

private:
    [[noreturn]] void fail() const {
        throw std::filesystem::filesystem_error("cannot be read", file_, {errno, std::generic_category()});
    }

    const std::filesystem::path& file_;
    int descriptor_;
};

class Xxh3 {
public:
    Xxh3() : state_(XXH3_createState(), XXH3_freeState) { XXH3_128bits_reset(state_.get()); }

    void add(std::span<const std::byte> bytes) { XXH3_128bits_update(state_.get(), bytes.data(), bytes.size()); }

    void add(std::int64_t number) {
        std::array<std::byte, 8> little_endian;
        for (std::size_t i = 0; i < 8; ++i)
            little_endian[i] = static_cast<std::byte>(std::bit_cast<std::uint64_t>(number) >> (8 * i));
        add(little_endian);
    }

    std::array<unsigned char, 16> digest() const {
        XXH128_canonical_t canonical;
        XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_.get()));
        return std::bit_cast<std::array<unsigned char, 16>>(canonical);
    }

private:
    std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state_;
};

std::string to_hex(std::span<const unsigned char> bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const unsigned char byte : bytes) {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

}  // namespace

std::optional<FileStamp> stamp_of(const std::filesystem::path& file, std::error_code* error) {
    const int descriptor = media::open_without_links(file, O_PATH);
    if (descriptor < 0) {
        const bool is_an_answer = errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
        if (error != nullptr && !is_an_answer) *error = {errno, std::generic_category()};
        return std::nullopt;
    }
    struct stat status {};
    const bool is_file = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
    ::close(descriptor);
    return is_file ? std::optional(to_stamp(status)) : std::nullopt;
}

std::string content_id(const std::filesystem::path& file) {
    const ReadOnlyFile input(file);
    const FileStamp stamp = input.stamp();
    Xxh3 hash;
    hash.add(stamp.size_bytes);
    hash.add(stamp.mtime_ns);
    std::vector<std::byte> buffer(static_cast<std::size_t>(kEndBytes));
    const std::span<std::byte> end(buffer);
    if (stamp.size_bytes <= kWholeBytes) {
        for (std::int64_t at = 0; at < stamp.size_bytes; at += kEndBytes) hash.add(input.read_at(at, end));
        return to_hex(hash.digest());
    }
    hash.add(input.read_at(0, end));
    const std::int64_t between_bytes = stamp.size_bytes - 2 * kEndBytes - kBlockBytes;
    for (std::int64_t block = 0; block < kBlocks; ++block) {
        // Divided first, because bytes x 61 could exceed 64 bits for a sparse file of absurd size.
        const std::int64_t at =
            kEndBytes + between_bytes / (kBlocks - 1) * block + between_bytes % (kBlocks - 1) * block / (kBlocks - 1);
        hash.add(input.read_at(at, end.first(static_cast<std::size_t>(kBlockBytes))));
    }
    hash.add(input.read_at(stamp.size_bytes - kEndBytes, end));
    return to_hex(hash.digest());
}

std::optional<std::string> sha256_of(const std::filesystem::path& file, std::stop_token stop) try {
    const ReadOnlyFile input(file);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    if (!hash || EVP_DigestInit_ex(hash.get(), EVP_sha256(), nullptr) != 1) return std::nullopt;
    std::vector<std::byte> buffer(256 << 10);
    std::span<const std::byte> bytes;
    std::int64_t offset = 0;
    do {
        if (stop.stop_requested()) return std::nullopt;
        bytes = input.read_at(offset, buffer);
        EVP_DigestUpdate(hash.get(), bytes.data(), bytes.size());
        offset += static_cast<std::int64_t>(bytes.size());
    } while (bytes.size() == buffer.size());
    std::array<unsigned char, 32> digest;
    EVP_DigestFinal_ex(hash.get(), digest.data(), nullptr);
    return to_hex(digest);
} catch (const std::filesystem::filesystem_error&) {
    return std::nullopt;
}

}  // namespace lacquer::library
