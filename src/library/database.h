// The connections to SQLite: opened, repaired and brought to the newest schema.
#pragma once

#include <atomic>
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

bool is_damage(const SQLite::Exception& error);
bool holds_nothing(const std::filesystem::path& file);  // neither it nor its log has a byte

// Two connections, so that whoever wants to hear a track does not wait for somebody else's search.
// Threads: any. Memory: two page caches of at most 1 MiB.
// Errors:  use(), with() and list() throw SQLite::Exception; where that says that the file is damaged, damaged() is
//          true from then on until repair().
class Connection {
public:
    // Throws std::runtime_error naming the file and the reason. Damage is no reason: a new database is built as
    // FILE.new with what rescue() can read; only then what is there is moved aside, or removed when it holds nothing.
    // So a full disk, or the end of the process at any moment, leaves the damaged one for the next attempt.
    explicit Connection(const std::filesystem::path& file);

    // Calls `action(SQLite::Database&)` alone on the connection for short look-ups and for writing; statements must not
    // outlive the call.
    template <typename Action>
    auto use(Action&& action) {
        const thread::MutexLock lock(mutex_);
        return noticing_damage(opened(database_), std::forward<Action>(action));
    }

    // Calls `action(SQLite::Statement&)` with `sql` compiled, nothing bound: compiled once for the life of the
    // connection, because that takes longer than a look-up by key. The action must call neither use() nor with().
    template <typename Action>
    auto with(const std::string& sql, Action&& action) {
        const thread::MutexLock lock(mutex_);
        SQLite::Statement& statement = compiled(sql);
        statement.clearBindings();
        const Finish finish{statement};
        return noticing_damage(statement, std::forward<Action>(action));
    }

    // As use(), on the connection for reading lists. Sees all that use() has committed.
    template <typename Action>
    auto list(Action&& action) {
        const thread::MutexLock lock(lists_mutex_);
        return noticing_damage(opened(lists_), std::forward<Action>(action));
    }

    const std::string& notice() const { return notice_; }  // of the constructor

    bool damaged() const noexcept { return damaged_; }
    // Replaces the file as the constructor does. Returns what whoever runs the daemon should
    // be told. Throws std::runtime_error as the constructor does, and stays damaged().
    std::string repair();

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
    static SQLite::Database& opened(const std::unique_ptr<SQLite::Database>& database);  // throws when a repair failed

    template <typename Subject, typename Action>
    auto noticing_damage(Subject& subject, Action&& action) {
        try {
            return std::forward<Action>(action)(subject);
        } catch (const SQLite::Exception& error) {
            if (is_damage(error)) damaged_ = true;
            throw;
        }
    }

    const std::filesystem::path file_;
    std::atomic<bool> damaged_ = false;
    thread::Mutex mutex_;
    std::unique_ptr<SQLite::Database> database_ GUARDED_BY(mutex_);
    std::map<std::string, SQLite::Statement> statements_ GUARDED_BY(mutex_);
    thread::Mutex lists_mutex_;
    std::unique_ptr<SQLite::Database> lists_ GUARDED_BY(lists_mutex_);
    std::string notice_;
};

}  // namespace lacquer::library
