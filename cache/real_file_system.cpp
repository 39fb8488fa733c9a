#include <algorithm>
#include <cerrno>
#include <ctime>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cache/file_descriptor.h"
#include "cache/file_system.h"

namespace lacquer::cache {
namespace {

constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr std::int64_t kLatestSecond = 9'000'000'000;  // the year 2255: what fits into 64 bits of nanoseconds

std::int64_t nanoseconds(const timespec& time) noexcept {
    return std::clamp<std::int64_t>(time.tv_sec, 0, kLatestSecond) * kNanosecondsPerSecond + time.tv_nsec;
}

int set_modified_time(int file, std::int64_t time_ns) noexcept {
    const timespec modified{time_ns / kNanosecondsPerSecond, time_ns % kNanosecondsPerSecond};
    const timespec times[2] = {{0, UTIME_OMIT}, modified};
    return ::futimens(file, times);
}

class RealOpenFile final : public OpenFile {
public:
    RealOpenFile(FileDescriptor file, std::uint64_t size_bytes) : file_(std::move(file)), size_bytes_(size_bytes) {}

    std::uint64_t size_bytes() const override { return size_bytes_; }
    bool read(std::uint64_t offset, std::span<std::byte> out) override;
    void set_modified(std::int64_t time_ns) override { set_modified_time(file_.get(), time_ns); }

private:
    FileDescriptor file_;
    std::uint64_t size_bytes_;
};

bool RealOpenFile::read(std::uint64_t offset, std::span<std::byte> out) {
    while (!out.empty()) {
        const ssize_t count = ::pread(file_.get(), out.data(), out.size(), static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        out = out.subspan(static_cast<std::size_t>(count));
        offset += static_cast<std::uint64_t>(count);
    }
    return true;
}

std::error_code write_all(int file, Bytes head, Bytes body) {
    while (!head.empty() || !body.empty()) {
        iovec vectors[2] = {{const_cast<std::byte*>(head.data()), head.size()},
                            {const_cast<std::byte*>(body.data()), body.size()}};
        const ssize_t count = ::writev(file, vectors, 2);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return last_error();
        const auto from_head = std::min(head.size(), static_cast<std::size_t>(count));
        head = head.subspan(from_head);
        body = body.subspan(static_cast<std::size_t>(count) - from_head);
    }
    return {};
}

FileDescriptor create(const std::filesystem::path& path) {
    const FileDescriptor folder(::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!folder) return FileDescriptor(-1);
    constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    return FileDescriptor(::openat(folder.get(), path.filename().c_str(), kFlags, 0600));
}

class RealFileSystem final : public FileSystem {
public:
    std::unique_ptr<OpenFile> open(const Path& path, std::error_code& error) override;
    std::vector<FoundFile> list(const Path& directory, std::error_code& error) override;
    std::error_code write(const Path& path, Bytes head, Bytes body, std::int64_t modified_ns) override;
    std::error_code rename(const Path& from, const Path& to) override;
    std::error_code remove(const Path& path) override;
    std::error_code make_directories(const Path& directory) override;
};

std::unique_ptr<OpenFile> RealFileSystem::open(const Path& path, std::error_code& error) {
    // O_NONBLOCK: a pipe that somebody put here must not hang us.
    FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) != 0) {
        error = last_error();
        return nullptr;
    }
    if (!S_ISREG(status.st_mode)) {
        error = std::make_error_code(std::errc::invalid_argument);
        return nullptr;
    }
    error.clear();
    return std::make_unique<RealOpenFile>(std::move(file), static_cast<std::uint64_t>(status.st_size));
}

std::vector<FoundFile> RealFileSystem::list(const Path& directory, std::error_code& error) {
    error.clear();
    std::vector<FoundFile> found;
    FileDescriptor folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(folder ? ::fdopendir(folder.get()) : nullptr, ::closedir);
    if (!stream) {
        error = last_error();
        return found;
    }
    (void)folder.release();
    while (true) {
        errno = 0;
        const dirent* entry = ::readdir(stream.get());
        if (entry == nullptr) break;
        struct stat status {};
        if (::fstatat(::dirfd(stream.get()), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
            if (errno != ENOENT) error = last_error();  // ENOENT: removed just now
        } else if (S_ISREG(status.st_mode)) {
            found.push_back({entry->d_name, static_cast<std::uint64_t>(status.st_size), nanoseconds(status.st_mtim)});
        }
    }
    if (errno != 0) error = last_error();
    return found;
}

std::error_code RealFileSystem::write(const Path& path, Bytes head, Bytes body, std::int64_t modified_ns) {
    FileDescriptor file = create(path);
    if (!file && errno == ENOENT) {
        if (const auto error = make_directories(path.parent_path())) return error;
        file = create(path);
    }
    if (!file) return last_error();
    if (const auto error = write_all(file.get(), head, body)) return error;
    if (set_modified_time(file.get(), modified_ns) != 0) return last_error();
    return file.close();
}

std::error_code RealFileSystem::rename(const Path& from, const Path& to) {
    return ::rename(from.c_str(), to.c_str()) == 0 ? std::error_code() : last_error();
}

std::error_code RealFileSystem::remove(const Path& path) {
    return ::unlink(path.c_str()) == 0 ? std::error_code() : last_error();
}

std::error_code RealFileSystem::make_directories(const Path& directory) {
    if (::mkdir(directory.c_str(), 0700) == 0) return {};
    if (errno == ENOENT && directory.has_parent_path() && directory.parent_path() != directory) {
        if (const auto error = make_directories(directory.parent_path())) return error;
        if (::mkdir(directory.c_str(), 0700) == 0) return {};
    }
    const auto error = last_error();
    struct stat status {};
    const bool is_there = ::stat(directory.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
    return is_there ? std::error_code() : error;
}

}  // namespace

std::unique_ptr<FileSystem> real_file_system() {
    return std::make_unique<RealFileSystem>();
}

}  // namespace lacquer::cache
