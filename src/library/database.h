// The connections to SQLite: opened, repaired and brought to the newest schema.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>

#include "thread/mutex.h"

namespace lacquer::library {

// Two connections, so that whoever wants to hear a track does not wait for somebody else's search.
// Threads: any. Memory: two page caches of at most 1 MiB.
class Connection {
public:
    // Throws std::runtime_error naming the file and the reason. A damaged file is no reason: it is moved aside.
    explicit Connection(const std::filesystem::path& file);

    // Calls `action(SQLite::Database&)` alone on the connection for short look-ups and for writing; statements must not
    // outlive the call.
    template <typename Action>
    auto use(Action&& action) {
        const thread::MutexLock lock(mutex_);
        return std::forward<Action>(action)(*database_);
    }

    // Calls `action(SQLite::Statement&)` with `sql` compiled, nothing bound: compiled once for the life of the
    // connection, because that takes longer than a look-up by key. The action must call neither use() nor with().
    template <typename Action>
    auto with(const std::string& sql, Action&& action) {
        const thread::MutexLock lock(mutex_);
        SQLite::Statement& statement = compiled(sql);
        statement.clearBindings();
        const Finish finish{statement};
        return std::forward<Action>(action)(statement);
    }

    // As use(), on the connection for reading lists. Sees all that use() has committed.
    template <typename Action>
    auto list(Action&& action) {
        const thread::MutexLock lock(lists_mutex_);
        return std::forward<Action>(action)(*lists_);
    }

    const std::string& notice() const { return notice_; }

private:
    // A statement that is not reset would keep its view of the database, and the log from being folded in.
    struct Finish {
        SQLite::Statement& statement;
        ~Finish() {
            statement.tryReset();
            try {
                statement.clearBindings();        // what was bound may be long
            } catch (const SQLite::Exception&) {  // then it goes when the statement is used again
            }
        }
    };
    SQLite::Statement& compiled(const std::string& sql) REQUIRES_LOCK(mutex_);

    thread::Mutex mutex_;
    std::unique_ptr<SQLite::Database> database_ GUARDED_BY(mutex_);
    std::map<std::string, SQLite::Statement> statements_ GUARDED_BY(mutex_);
    thread::Mutex lists_mutex_;
    std::unique_ptr<SQLite::Database> lists_ GUARDED_BY(lists_mutex_);
    std::string notice_;
};

}  // namespace lacquer::library
