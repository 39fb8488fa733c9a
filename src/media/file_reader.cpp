#include "src/media/file_reader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/media/decoder.h"
#include "src/media/open_file.h"

namespace lacquer::media {
namespace {

constexpr std::size_t kBufferBytes = 64 * 1024;

}  // namespace

FileReader::FileReader(const std::filesystem::path& file)
    : descriptor_(open_without_links(file, O_RDONLY)), buffer_(kBufferBytes) {
    if (descriptor_ < 0) throw DecodeError("cannot open the file", {errno, std::generic_category()});
    struct stat status {};
    const int error = ::fstat(descriptor_, &status) == 0 ? 0 : errno;
    if (error != 0 || !S_ISREG(status.st_mode)) {
        ::close(descriptor_);
        if (error != 0) throw DecodeError("cannot look at the file", {error, std::generic_category()});
        throw DecodeError("not a regular file");
    }
    size_bytes_ = status.st_size;
}

FileReader::~FileReader() {
    ::close(descriptor_);
}

void FileReader::throw_if_failed() const {
    if (failed()) throw DecodeError("the file cannot be read", {error_, std::generic_category()});
}

void FileReader::drop_front(std::int64_t bytes) noexcept {
    origin_ += std::min(bytes, size_bytes());
    position_ = 0;
}

void FileReader::overlay(std::int64_t position, const std::array<std::byte, 4>& bytes) noexcept {
    overlay_position_ = position;
    overlay_ = bytes;
}

void FileReader::apply_overlay(std::int64_t position, std::span<std::byte> bytes) const noexcept {
    for (std::size_t i = 0; i < overlay_.size() && overlay_position_ >= 0; ++i) {
        const std::int64_t index = overlay_position_ + static_cast<std::int64_t>(i) - position;
        if (index < 0 || index >= static_cast<std::int64_t>(bytes.size())) continue;
        bytes[static_cast<std::size_t>(index)] = overlay_[i];
    }
}

std::size_t FileReader::read_at(std::int64_t position, std::span<std::byte> out) noexcept {
    const std::int64_t before = position_;
    position_ = position;
    const std::size_t count = read(out);
    position_ = before;
    return count;
}

std::size_t FileReader::read(std::span<std::byte> out) noexcept {
    std::size_t done = 0;
    while (done < out.size()) {
        const std::size_t count = read_through_buffer(out.subspan(done));
        if (count == 0) break;
        apply_overlay(position_, out.subspan(done, count));
        done += count;
        position_ += static_cast<std::int64_t>(count);
    }
    return done;
}

std::size_t FileReader::read_through_buffer(std::span<std::byte> out) noexcept {
    const std::int64_t wanted = origin_ + position_;
    if (position_ < 0) return 0;
    if (wanted < buffer_position_ || wanted >= buffer_position_ + static_cast<std::int64_t>(buffered_)) {
        if (out.size() >= buffer_.size()) return read_file(wanted, out);
        buffer_position_ = wanted;
        buffered_ = read_file(wanted, buffer_);
    }
    const auto offset = static_cast<std::size_t>(wanted - buffer_position_);
    const std::size_t count = std::min(out.size(), buffered_ - offset);
    if (count > 0) std::memcpy(out.data(), buffer_.data() + offset, count);
    return count;
}

std::size_t FileReader::read_file(std::int64_t file_position, std::span<std::byte> out) noexcept {
    for (;;) {
        const ssize_t count = ::pread(descriptor_, out.data(), out.size(), file_position);
        if (count >= 0) return static_cast<std::size_t>(count);
        if (errno == EINTR) continue;
        if (error_ == 0) error_ = errno;
        return 0;
    }
}

}  // namespace lacquer::media
