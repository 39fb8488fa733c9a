// The connections to SQLite: opened, repaired and brought to the newest schema.
#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>

namespace lacquer::library {

bool is_damage(const SQLite::Exception& error);

// Two connections, so that whoever wants to hear a track does not wait for somebody else's search.
// Threads: any. Memory: two page caches of at most 1 MiB.
// Errors:  use(), with() and list() throw SQLite::Exception; where that says that the file is damaged, damaged() is
// true
//          from then on until repair().
class Connection {
public:
    // Throws std::runtime_error naming the file and the reason. Damage is no reason: what is there is moved aside.
    explicit Connection(const std::filesystem::path& file);

    // Calls `action(SQLite::Database&)` alone on the connection for short look-ups and for writing; statements must not
    // outlive the call.
    template <typename Action>
    auto use(Action&& action) {
        const std::lock_guard lock(mutex_);
        return noticing_damage([&] { return std::forward<Action>(action)(opened(database_)); });
    }

    // Calls `action(SQLite::Statement&)` with `sql` compiled, nothing bound: compiled once for the life of the
    // connection, because that takes longer than a look-up by key. The action must call neither use() nor with().
    template <typename Action>
    auto with(const std::string& sql, Action&& action) {
        const std::lock_guard lock(mutex_);
        return noticing_damage([&] {
            SQLite::Statement& statement = compiled(sql);
            statement.clearBindings();
            const Finish finish{statement};
            return std::forward<Action>(action)(statement);
        });
    }

    // As use(), on the connection for reading lists. Sees all that use() has committed.
    template <typename Action>
    auto list(Action&& action) {
        const std::lock_guard lock(lists_mutex_);
        return noticing_damage([&] { return std::forward<Action>(action)(opened(lists_)); });
    }

    const std::string& notice() const { return notice_; }  // of the constructor

    bool damaged() const noexcept { return damaged_; }
    // Moves the file aside and begins a new one, as the constructor does. Returns what whoever runs the daemon should
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
    SQLite::Statement& compiled(const std::string& sql);
    static SQLite::Database& opened(const std::unique_ptr<SQLite::Database>& database);  // throws when a repair failed

    template <typename Action>
    auto noticing_damage(Action&& action) {
        try {
            return action();
        } catch (const SQLite::Exception& error) {
            if (is_damage(error)) damaged_ = true;
            throw;
        }
    }

    const std::filesystem::path file_;
    std::atomic<bool> damaged_ = false;
    std::mutex mutex_;  // guards database_ and statements_
    std::unique_ptr<SQLite::Database> database_;
    std::map<std::string, SQLite::Statement> statements_;
    std::mutex lists_mutex_;  // guards lists_
    std::unique_ptr<SQLite::Database> lists_;
    std::string notice_;
};

}  // namespace lacquer::library
