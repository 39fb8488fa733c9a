// A disk in memory whose every change is written down, so that a test can stop after any of them: power_cut() gives the
// disk as it was after the first n, the last write torn if wanted.
//
// The lock file is real: the cache takes it past the file system. Not thread-safe.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "cache/chunk_index.h"
#include "cache/file_system.h"

namespace lacquer::test {

struct DiskFile {
    std::vector<std::byte> bytes;
    std::int64_t modified_ns = 0;
};

struct DiskChange {
    enum class Kind { write, rename, remove, touch };
    Kind kind{};
    std::string path;
    std::string to{};
    DiskFile file{};  // of a write, and the time of a touch
};

class MemoryDisk {
public:
    // Inodes are shared by the name and every open handle, as on a disk.
    using Inode = std::shared_ptr<DiskFile>;

    void apply(const DiskChange& change) {
        switch (change.kind) {
            case DiskChange::Kind::write:
                files[change.path] = std::make_shared<DiskFile>(change.file);
                break;
            case DiskChange::Kind::rename:
                if (auto node = files.extract(change.path)) files[change.to] = node.mapped();
                break;
            case DiskChange::Kind::remove:
                files.erase(change.path);
                break;
            case DiskChange::Kind::touch:
                if (const auto file = files.find(change.path); file != files.end())
                    file->second->modified_ns = change.file.modified_ns;
        }
    }
    void change(DiskChange change) {
        apply(change);
        changes.push_back(std::move(change));
    }
    std::uint64_t allocated_bytes() const {
        std::uint64_t sum = 0;
        for (const auto& [path, file] : files) sum += cache::allocated_bytes(file->bytes.size());
        return sum;
    }

    std::map<std::string, Inode> files;
    std::vector<DiskChange> changes;
};

class MemoryOpenFile final : public cache::OpenFile {
public:
    MemoryOpenFile(MemoryDisk& disk, std::string path, MemoryDisk::Inode inode)
        : disk_(disk), path_(std::move(path)), inode_(std::move(inode)), size_bytes_(inode_->bytes.size()) {}
    std::uint64_t size_bytes() const override { return size_bytes_; }
    bool read(std::uint64_t offset, std::span<std::byte> out) override {
        if (offset > inode_->bytes.size() || out.size() > inode_->bytes.size() - offset) return false;
        std::copy_n(inode_->bytes.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
        return true;
    }
    void set_modified(std::int64_t time_ns) override {
        disk_.change({DiskChange::Kind::touch, path_, {}, {{}, time_ns}});
    }

private:
    MemoryDisk& disk_;
    const std::string path_;
    const MemoryDisk::Inode inode_;
    const std::uint64_t size_bytes_;
};

class MemoryFiles final : public cache::FileSystem {
public:
    // The disk must outlive it. `refuse` is asked before each operation: "write", "rename", "remove", "open", "list".
    using Refusal = std::function<std::error_code(const char* operation)>;
    explicit MemoryFiles(MemoryDisk& disk, Refusal refuse = {}) : disk_(disk), refuse_(std::move(refuse)) {}

    std::unique_ptr<cache::OpenFile> open(const Path& path, std::error_code& error) override {
        error = refusal("open");
        const auto file = disk_.files.find(path);
        if (!error && file == disk_.files.end()) error = no_such_file();
        if (error) return nullptr;
        return std::make_unique<MemoryOpenFile>(disk_, path, file->second);
    }
    std::vector<cache::FoundFile> list(const Path& directory, std::error_code& error) override {
        std::vector<cache::FoundFile> found;
        if ((error = refusal("list"))) return found;
        const std::string prefix = directory.native() + "/";
        for (auto file = disk_.files.lower_bound(prefix); file != disk_.files.end(); ++file) {
            if (!file->first.starts_with(prefix)) break;
            found.push_back({file->first.substr(prefix.size()), file->second->bytes.size(), file->second->modified_ns});
        }
        return found;
    }
    // A refused write leaves the first half of the file.
    std::error_code write(const Path& path, cache::Bytes head, cache::Bytes body, std::int64_t modified_ns) override {
        if (disk_.files.contains(path)) return std::make_error_code(std::errc::file_exists);
        DiskFile file{{head.begin(), head.end()}, modified_ns};
        file.bytes.insert(file.bytes.end(), body.begin(), body.end());
        const auto error = refusal("write");
        if (error) file.bytes.resize(file.bytes.size() / 2);
        disk_.change({DiskChange::Kind::write, path, {}, std::move(file)});
        return error;
    }
    std::error_code rename(const Path& from, const Path& to) override {
        if (const auto error = refusal("rename")) return error;
        if (!disk_.files.contains(from)) return no_such_file();
        disk_.change({DiskChange::Kind::rename, from, to});
        return {};
    }
    std::error_code remove(const Path& path) override {
        if (const auto error = refusal("remove")) return error;
        if (!disk_.files.contains(path)) return no_such_file();
        disk_.change({DiskChange::Kind::remove, path});
        return {};
    }
    std::error_code make_directories(const Path& directory) override { return real_->make_directories(directory); }

private:
    static std::error_code no_such_file() { return std::make_error_code(std::errc::no_such_file_or_directory); }
    std::error_code refusal(const char* operation) const { return refuse_ ? refuse_(operation) : std::error_code(); }

    MemoryDisk& disk_;
    const Refusal refuse_;
    const std::unique_ptr<FileSystem> real_ = cache::real_file_system();  // for the directory of the lock
};

// The disk after the first `count` of the changes.
inline MemoryDisk disk_after(const std::vector<DiskChange>& changes, std::size_t count) {
    MemoryDisk disk;
    for (std::size_t i = 0; i < count; ++i) disk.apply(changes[i]);
    return disk;
}

}  // namespace lacquer::test
