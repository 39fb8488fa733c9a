#include "src/library/rescue.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>
#include <sqlite3.h>

namespace lacquer::library {
namespace {

constexpr std::int64_t kMostIds = 10'000'000;  // what the damaged file says may be anything
constexpr int kBusyTimeoutMs = 10'000;

bool says_nothing_about_the_file(const SQLite::Exception& error) {
    const int code = error.getErrorCode();
    return code == SQLITE_BUSY || code == SQLITE_LOCKED || code == SQLITE_NOMEM || code == SQLITE_CANTOPEN;
}

// Of the damaged database alone: what fails in the new one is no damage. {} where it cannot be read.
template <typename Action>
auto read(Action&& action) -> decltype(action()) {
    try {
        return action();
    } catch (const SQLite::Exception& error) {
        if (says_nothing_about_the_file(error)) throw;
        return {};
    }
}

using StatementPtr = std::unique_ptr<SQLite::Statement>;

StatementPtr compiled(SQLite::Database& damaged, const std::string& sql) {
    return read([&] { return std::make_unique<SQLite::Statement>(damaged, sql); });
}

bool has_row(SQLite::Statement& row) {
    return read([&] { return row.executeStep(); });
}

class Insertion {
public:
    Insertion(SQLite::Database& database, const std::string& table)
        : columns_(SQLite::Statement(database, "SELECT * FROM " + table).getColumnCount()),
          insert_(database,
                  fmt::format("INSERT OR IGNORE INTO {} VALUES ({})", table,
                              fmt::join(std::vector<std::string>(static_cast<std::size_t>(columns_), "?"), ","))) {}

    // The columns of `row`, whatever they are; not one that the table does not take.
    void copy(SQLite::Statement& row) {
        if (row.getColumnCount() != columns_) return;
        for (int i = 0; i < columns_; ++i) bind(i + 1, row.getColumn(i));
        try {
            insert_.exec();
        } catch (const SQLite::Exception& error) {
            const int code = error.getErrorCode();
            if (code != SQLITE_CONSTRAINT && code != SQLITE_MISMATCH && code != SQLITE_TOOBIG) throw;
        }
        insert_.tryReset();
    }

private:
    void bind(int index, const SQLite::Column& value) {
        if (value.isInteger()) {
            insert_.bind(index, value.getInt64());
        } else if (value.isBlob()) {
            insert_.bind(index, value.getBlob(), value.getBytes());
        } else if (value.isText()) {
            insert_.bind(index, value.getString());
        } else {
            insert_.bind(index);
        }
    }

    const int columns_;
    SQLite::Statement insert_;
};

// As many as can be read from where the query begins.
void copy_rows(SQLite::Database& damaged, const std::string& sql, Insertion& insertion) {
    const StatementPtr row = compiled(damaged, sql);
    while (row && has_row(*row)) insertion.copy(*row);
}

// One that cannot be read costs no other.
void copy_one_by_one(SQLite::Database& damaged, std::int64_t last_id, Insertion& insertion) {
    const StatementPtr row = compiled(damaged, "SELECT * FROM tracks WHERE id = ?");
    for (std::int64_t id = 1; row && id <= last_id; ++id) {
        row->bind(1, id);
        if (has_row(*row)) insertion.copy(*row);
        row->tryReset();
    }
}

// 0: not to be read, or absurd.
std::int64_t id_from(SQLite::Database& damaged, const char* sql) {
    const std::int64_t id = read([&] { return damaged.execAndGet(sql).getInt64(); });
    return id >= 1 && id <= kMostIds ? id : 0;
}

void rescue_tracks(SQLite::Database& database, SQLite::Database& damaged) {
    Insertion insertion(database, "tracks");
    const std::int64_t last_id = std::max(id_from(damaged, "SELECT seq FROM sqlite_sequence WHERE name = 'tracks'"),
                                          id_from(damaged, "SELECT max(id) FROM tracks"));
    copy_one_by_one(damaged, last_id, insertion);
    if (last_id == 0) {
        const std::string walk = fmt::format("SELECT * FROM tracks WHERE id BETWEEN 1 AND {} ORDER BY id", kMostIds);
        copy_rows(damaged, walk, insertion);
        copy_rows(damaged, walk + " DESC", insertion);
    }
    database.exec("UPDATE tracks SET vanished = vanished <> 0, mtime_ns = -1, sha256 = NULL");
    database.exec("DELETE FROM sqlite_sequence WHERE name = 'tracks'");
    SQLite::Statement sequence(database,
                               "INSERT INTO sqlite_sequence (name, seq) "
                               "SELECT 'tracks', max(?, ifnull((SELECT max(id) FROM tracks), 0))");
    sequence.bind(1, last_id);
    sequence.exec();
}

void rescue_all(SQLite::Database& database, SQLite::Database& damaged) {
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    rescue_tracks(database, damaged);
    for (const char* table : {"recipes", "reference_presets"}) {
        Insertion insertion(database, table);
        copy_rows(damaged, fmt::format("SELECT * FROM {}", table), insertion);
    }
    transaction.commit();
}

}  // namespace

void rescue(SQLite::Database& database, const std::filesystem::path& damaged) {
    const std::filesystem::path log = damaged.native() + "-wal";
    std::error_code absent;
    const bool had_log = std::filesystem::exists(log, absent);
    if (const auto old = read([&] {
            return std::make_unique<SQLite::Database>(damaged.native(), SQLite::OPEN_READONLY, kBusyTimeoutMs);
        }))
        rescue_all(database, *old);
    // Whoever only reads leaves these behind.
    std::filesystem::remove(damaged.native() + "-shm", absent);
    if (!had_log) std::filesystem::remove(log, absent);
}

}  // namespace lacquer::library
