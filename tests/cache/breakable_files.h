// The real file system with a switch for each way it can fail, and a meter of what our files take on the disk.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cache/chunk_index.h"
#include "cache/file_system.h"

namespace lacquer::test {

using cache::Bytes;

// What the disk holds, counted at every operation: named files and unnamed ones that are still open.
class DiskMeter {
public:
    struct Inode {
        std::uint64_t bytes = 0;
        unsigned handles = 0;
        bool named = true;
    };
    using Handle = std::shared_ptr<Inode>;  // shared by the name and every open handle, as on a disk

    void written(const std::string& path, std::uint64_t bytes) {
        const std::lock_guard lock(mutex_);
        names_[path] = std::make_shared<Inode>(Inode{cache::allocated_bytes(bytes), 0, true});
        live_bytes_ += cache::allocated_bytes(bytes);
        peak_bytes_ = std::max(peak_bytes_, live_bytes_);
    }
    void renamed(const std::string& from, const std::string& to) {
        const std::lock_guard lock(mutex_);
        unname(to);
        names_[to] = std::exchange(names_[from], nullptr);
        names_.erase(from);
    }
    void removed(const std::string& path) {
        const std::lock_guard lock(mutex_);
        unname(path);
    }
    Handle opened(const std::string& path) {
        const std::lock_guard lock(mutex_);
        const auto found = names_.find(path);
        if (found == names_.end()) return nullptr;
        ++found->second->handles;
        return found->second;
    }
    void closed(const Handle& inode) {
        const std::lock_guard lock(mutex_);
        if (inode && --inode->handles == 0 && !inode->named) live_bytes_ -= inode->bytes;
    }
    std::uint64_t live_bytes() const {
        const std::lock_guard lock(mutex_);
        return live_bytes_;
    }
    std::uint64_t peak_bytes() const {
        const std::lock_guard lock(mutex_);
        return peak_bytes_;
    }

private:
    void unname(const std::string& path) {
        const auto found = names_.find(path);
        if (found == names_.end()) return;
        found->second->named = false;
        if (found->second->handles == 0) live_bytes_ -= found->second->bytes;
        names_.erase(found);
    }

    mutable std::mutex mutex_;
    std::map<std::string, Handle> names_;
    std::uint64_t live_bytes_ = 0;
    std::uint64_t peak_bytes_ = 0;
};

// Set by the test, obeyed by BreakableFiles; single-threaded tests only.
struct Faults {
    std::optional<std::uint64_t> free_bytes;  // what still fits on the disk
    bool may_write = true, may_remove = true, may_open = true, may_rename = true, may_read = true, may_list = true,
         may_make_directories = true;
    std::errc reason = std::errc::permission_denied;  // what a refusal says
    std::uint64_t reads = 0, opens = 0, writes = 0;
    std::function<void()> on_close, on_written;

    std::error_code refusal() const { return std::make_error_code(reason); }
};

class MeteredFile final : public cache::OpenFile {
public:
    MeteredFile(std::unique_ptr<OpenFile> file, DiskMeter& meter, DiskMeter::Handle inode, Faults* faults)
        : file_(std::move(file)), meter_(meter), inode_(std::move(inode)), faults_(faults) {}
    ~MeteredFile() override {
        if (faults_ && faults_->on_close) faults_->on_close();
        file_.reset();
        meter_.closed(inode_);
    }
    std::uint64_t size_bytes() const override { return file_->size_bytes(); }
    bool read(std::uint64_t offset, std::span<std::byte> out) override {
        if (faults_) ++faults_->reads;
        return (!faults_ || faults_->may_read) && file_->read(offset, out);
    }
    void set_modified(std::int64_t time_ns) override { file_->set_modified(time_ns); }

private:
    std::unique_ptr<OpenFile> file_;
    DiskMeter& meter_;
    DiskMeter::Handle inode_;
    Faults* faults_;
};

class BreakableFiles final : public cache::FileSystem {
public:
    // Both must outlive it; without faults it may be used by many threads.
    BreakableFiles(DiskMeter& meter, Faults* faults) : meter_(meter), faults_(faults) {}

    std::unique_ptr<cache::OpenFile> open(const Path& path, std::error_code& error) override {
        if (faults_) ++faults_->opens;
        if (faults_ && !faults_->may_open) {
            error = faults_->refusal();
            return nullptr;
        }
        auto inode = meter_.opened(path);
        auto file = files_->open(path, error);
        if (!file) {
            meter_.closed(inode);
            return nullptr;
        }
        return std::make_unique<MeteredFile>(std::move(file), meter_, std::move(inode), faults_);
    }
    std::vector<cache::FoundFile> list(const Path& directory, std::error_code& error) override {
        if (faults_ && !faults_->may_list) {
            error = faults_->refusal();
            return {};
        }
        auto found = files_->list(directory, error);
        for (const auto& file : found) meter_.written(directory / file.name, file.size_bytes);
        return found;
    }
    std::error_code write(const Path& path, Bytes head, Bytes body, std::int64_t modified_ns) override {
        if (faults_) ++faults_->writes;
        if (faults_ && !faults_->may_write) return faults_->refusal();
        meter_.written(path, head.size() + body.size());
        if (faults_ && faults_->free_bytes && *faults_->free_bytes < head.size() + body.size()) {
            const auto fitting_bytes = std::min<std::uint64_t>(*faults_->free_bytes, body.size());
            (void)files_->write(path, {}, body.first(fitting_bytes), modified_ns);
            return std::make_error_code(std::errc::no_space_on_device);
        }
        const auto error = files_->write(path, head, body, modified_ns);
        if (faults_ && faults_->on_written) faults_->on_written();
        return error;
    }
    std::error_code rename(const Path& from, const Path& to) override {
        if (faults_ && !faults_->may_rename) return faults_->refusal();
        const auto error = files_->rename(from, to);
        if (!error) meter_.renamed(from, to);
        return error;
    }
    std::error_code remove(const Path& path) override {
        if (faults_ && !faults_->may_remove) return faults_->refusal();
        const auto error = files_->remove(path);
        if (!error || error == std::errc::no_such_file_or_directory) meter_.removed(path);
        return error;
    }
    std::error_code make_directories(const Path& directory) override {
        if (faults_ && !faults_->may_make_directories) return faults_->refusal();
        return files_->make_directories(directory);
    }

private:
    std::unique_ptr<FileSystem> files_ = cache::real_file_system();
    DiskMeter& meter_;
    Faults* faults_;
};

}  // namespace lacquer::test
