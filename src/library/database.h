// The one connection to SQLite: opened, repaired and brought to the newest schema.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <SQLiteCpp/Database.h>

namespace lacquer::library {

// Threads: any; one use at a time. Memory: a page cache of at most 2 MiB.
class Connection {
public:
    // Throws std::runtime_error naming the file and the reason. A damaged file is no reason: it is moved aside.
    explicit Connection(const std::filesystem::path& file);

    // Calls `action(SQLite::Database&)` with the lock held; statements must not outlive the call.
    template <typename Action>
    auto use(Action&& action) {
        const std::lock_guard lock(mutex_);
        return std::forward<Action>(action)(*database_);
    }

    const std::string& notice() const { return notice_; }

private:
    std::mutex mutex_;
    std::unique_ptr<SQLite::Database> database_;
    std::string notice_;
};

}  // namespace lacquer::library
