// Buffered reading of one regular file through a descriptor of its own: whoever gives the file's name to another file
// meanwhile does not change what is read here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace lacquer::media {

// Threads: not thread-safe. Memory: one buffer of 64 KiB, fixed after construction.
class FileReader {
public:
    // Throws DecodeError when `file` is not a regular file, cannot be opened, or is reached through a symbolic link.
    explicit FileReader(const std::filesystem::path& file);
    ~FileReader();
    FileReader(const FileReader&) = delete;  // two owners of one descriptor
    FileReader& operator=(const FileReader&) = delete;

    // From now on byte 0 is what was byte `bytes`: how an ID3v2 tag in front of any format is hidden.
    void drop_front(std::int64_t bytes) noexcept;

    // From now on the four bytes at `position` read as `bytes`: how a header's wrong field is repaired in passing.
    void overlay(std::int64_t position, const std::array<std::byte, 4>& bytes) noexcept;

    std::int64_t size_bytes() const noexcept { return size_bytes_ - origin_; }
    std::int64_t position() const noexcept { return position_; }
    void seek(std::int64_t position) noexcept { position_ = position; }

    // Fewer bytes than asked only at the end of the file, or when it could not be read: then failed(), for good.
    std::size_t read(std::span<std::byte> out) noexcept;
    // Reads at `position` and leaves position() there.
    std::size_t read_at(std::int64_t position, std::span<std::byte> out) noexcept;
    bool failed() const noexcept { return error_ != 0; }
    void throw_if_failed() const;  // DecodeError with the system's reason

private:
    std::size_t read_through_buffer(std::span<std::byte> out) noexcept;
    std::size_t read_file(std::int64_t file_position, std::span<std::byte> out) noexcept;

    void apply_overlay(std::int64_t position, std::span<std::byte> bytes) const noexcept;

    int descriptor_;
    int error_ = 0;  // errno of the first failed read
    std::int64_t size_bytes_ = 0;
    std::int64_t origin_ = 0;
    std::int64_t position_ = 0;           // relative to origin_
    std::int64_t overlay_position_ = -1;  // relative to origin_, -1: none
    std::array<std::byte, 4> overlay_{};
    std::vector<std::byte> buffer_;  // buffer_[0, buffered_) holds the file from buffer_position_ on
    std::int64_t buffer_position_ = 0;
    std::size_t buffered_ = 0;
};

}  // namespace lacquer::media
