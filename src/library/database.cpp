#include "src/library/database.h"

#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <system_error>

#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "src/library/rescue.h"
#include "src/library/schema.h"

namespace lacquer::library {
namespace fs = std::filesystem;
namespace {

constexpr int kBusyTimeoutMs = 10'000;
constexpr std::uintmax_t kSmallestPageBytes = 512;
// Above this, only SQLite's own checks while reading find damage: a full check would delay the start by seconds.
constexpr std::uintmax_t kMostCheckedBytes = 64 << 20;

void make_private_folder(const fs::path& folder) {
    std::error_code error;
    if (folder.empty() || fs::is_directory(folder, error)) return;
    if (!folder.parent_path().empty()) fs::create_directories(folder.parent_path());
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
        throw fs::filesystem_error("cannot be created", folder, {errno, std::generic_category()});
}

void check(SQLite::Database& database, const fs::path& file) {
    if (fs::file_size(file) > kMostCheckedBytes) return;
    const std::string answer = database.execAndGet("PRAGMA integrity_check(1)").getString();
    if (answer != "ok") throw SQLite::Exception(answer, SQLITE_CORRUPT);
}

void migrate(SQLite::Database& database) {
    const auto steps = migrations();
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    const int version = database.execAndGet("PRAGMA user_version").getInt();
    if (version < 0 || static_cast<std::size_t>(version) > steps.size())
        throw std::runtime_error(fmt::format("was made by a newer Lacquer (schema {})", version));
    for (std::size_t step = static_cast<std::size_t>(version); step < steps.size(); ++step) {
        database.exec(steps[step]);
        database.exec(fmt::format("PRAGMA user_version = {}", step + 1));
    }
    transaction.commit();
}

std::unique_ptr<SQLite::Database> connect(const fs::path& file, int flags) {
    auto database = std::make_unique<SQLite::Database>(file.native(), flags | SQLite::OPEN_NOMUTEX, kBusyTimeoutMs);
    database->exec("PRAGMA cache_size = -1024");
    database->exec("PRAGMA trusted_schema = OFF");
    return database;
}

std::unique_ptr<SQLite::Database> open(const fs::path& file) {
    auto database = connect(file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    database->exec("PRAGMA journal_mode = WAL");
    database->exec("PRAGMA synchronous = NORMAL");
    database->exec("PRAGMA journal_size_limit = 16777216");
    check(*database, file);
    migrate(*database);
    return database;
}

// SQLite would take a file without a page for a new database, and not say that there was one.
void refuse_what_is_no_database(const fs::path& file) {
    std::error_code absent;
    if (fs::is_directory(file, absent)) throw SQLite::Exception("is a directory", SQLITE_NOTADB);
    if (fs::is_regular_file(file, absent) && fs::file_size(file) < kSmallestPageBytes)
        throw SQLite::Exception("is empty", SQLITE_NOTADB);
}

fs::path beside(const fs::path& file, const char* suffix) {
    return file.native() + suffix;
}

bool is_there(const fs::path& file) {
    return fs::exists(fs::symlink_status(file));
}

void remove_with_logs(const fs::path& file) {
    for (const char* part : {"", "-journal", "-wal", "-shm"}) fs::remove(beside(file, part));
}

fs::path free_name_for(const fs::path& file) {
    const std::string suffix = fmt::format(".damaged-{:%Y%m%dT%H%M%SZ}", fmt::gmtime(std::chrono::system_clock::now()));
    fs::path aside = file.native() + suffix;
    for (int more = 2; is_there(aside); ++more) aside = file.native() + suffix + fmt::format("-{}", more);
    return aside;
}

// The log goes along with the file it belongs to: a new database must not read it, and a repair may need it.
fs::path move_aside(const fs::path& file) {
    fs::path aside = free_name_for(file);
    fs::rename(file, aside);
    for (const char* part : {"-wal", "-shm"}) {
        std::error_code absent;
        fs::rename(beside(file, part), beside(aside, part), absent);
        fs::remove(beside(file, part));
    }
    return aside;
}

// One file when it is done, without a log: that could not be renamed along with it.
void build(const fs::path& file, const fs::path& damaged) {
    const auto database = connect(file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    migrate(*database);
    if (fs::is_regular_file(damaged)) rescue(*database, damaged);
}

// The old one is moved away last, so without it the new one is complete, unless SQLite's journal says otherwise.
bool adopt_what_was_built(const fs::path& file) {
    const fs::path built = beside(file, ".new");
    const bool is_complete = is_there(built) && !is_there(file) && !is_there(beside(built, "-journal"));
    if (is_complete) {
        remove_with_logs(file);
        fs::rename(built, file);
    }
    remove_with_logs(built);
    return is_complete;
}

// Replaces what is at `file`. It stays there until all that can be rescued is safe in the new one, whatever fails or
// ends the process: then it is found again, and adopt_what_was_built() does the rest. Returns what happened.
std::string replace(const fs::path& file, const std::string& reason) {
    if (adopt_what_was_built(file)) return fmt::format("{} was damaged; a new one was begun", file.native());
    std::error_code absent;
    const bool is_empty = fs::is_regular_file(file, absent) && holds_nothing(file);
    if (!is_there(file) || is_empty) {
        remove_with_logs(file);
        return fmt::format("{} {}; a new one was begun", file.native(), is_empty ? "was empty" : "is gone");
    }
    const fs::path built = beside(file, ".new");
    build(built, file);
    const fs::path aside = move_aside(file);
    fs::rename(built, file);
    return fmt::format("{} was damaged ({}); it was moved to {} and a new one begun: measuring starts anew",
                       file.native(), reason, aside.native());
}

}  // namespace

bool holds_nothing(const fs::path& file) {
    std::error_code absent;
    for (const char* part : {"", "-wal"}) {
        const std::uintmax_t bytes = fs::file_size(beside(file, part), absent);
        if (!absent && bytes > 0) return false;
    }
    return true;
}

bool is_damage(const SQLite::Exception& error) {
    return error.getErrorCode() == SQLITE_CORRUPT || error.getErrorCode() == SQLITE_NOTADB;
}

Connection::Connection(const fs::path& file) try : file_(file) {
    make_private_folder(file.parent_path());
    adopt_what_was_built(file);
    try {
        refuse_what_is_no_database(file);
        database_ = open(file);
    } catch (const SQLite::Exception& error) {
        if (!is_damage(error)) throw;
        notice_ = replace(file, error.what());
        database_ = open(file);
    }
    lists_ = connect(file, SQLite::OPEN_READONLY);
} catch (const std::exception& error) {
    throw std::runtime_error(fmt::format("{}: {}", file.native(), error.what()));
}

std::string Connection::repair() try {
    const thread::MutexLock lock(mutex_);
    const thread::MutexLock lists_lock(lists_mutex_);
    statements_.clear();
    lists_.reset();
    database_.reset();
    const std::string notice = replace(file_, "found while running");
    database_ = open(file_);
    lists_ = connect(file_, SQLite::OPEN_READONLY);
    damaged_ = false;
    return notice;
} catch (const std::exception& error) {
    throw std::runtime_error(fmt::format("{}: {}", file_.native(), error.what()));
}

SQLite::Database& Connection::opened(const std::unique_ptr<SQLite::Database>& database) {
    if (!database) throw std::runtime_error("the library's database was damaged and no new one could be begun yet");
    return *database;
}

SQLite::Statement& Connection::compiled(const std::string& sql) {
    const auto known = statements_.find(sql);
    if (known != statements_.end()) return known->second;
    SQLite::Database& database = opened(database_);
    try {
        return statements_.try_emplace(sql, database, sql).first->second;
    } catch (const SQLite::Exception& error) {
        if (is_damage(error)) damaged_ = true;
        throw;
    }
}

}  // namespace lacquer::library
