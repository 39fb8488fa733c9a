#include "src/library/rescue.h"

#include <cstdint>
#include <string>
#include <system_error>
#include <vector>

#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>

namespace lacquer::library {
namespace {

constexpr std::int64_t kMostIds = 10'000'000;  // what the damaged file says may be anything

template <typename Action>
void as_far_as_possible(Action&& action) {
    try {
        action();
    } catch (const SQLite::Exception&) {  // the damage: what cannot be read is left behind
        return;
    }
}

// The columns of `row`, whatever they are, as the values of `insert`.
void copy(SQLite::Statement& row, SQLite::Statement& insert) {
    for (int i = 0; i < row.getColumnCount(); ++i) {
        const SQLite::Column value = row.getColumn(i);
        if (value.isInteger()) {
            insert.bind(i + 1, value.getInt64());
        } else if (value.isBlob()) {
            insert.bind(i + 1, value.getBlob(), value.getBytes());
        } else if (value.isText()) {
            insert.bind(i + 1, value.getString());
        } else {
            insert.bind(i + 1);
        }
    }
    insert.exec();
}

std::string insertion(const std::string& table, int columns) {
    return fmt::format("INSERT OR IGNORE INTO {} VALUES ({})", table,
                       fmt::join(std::vector<std::string>(static_cast<std::size_t>(columns), "?"), ","));
}

// Row by row: one that cannot be read costs no other.
void rescue_tracks(SQLite::Database& database, SQLite::Database& damaged) {
    const std::int64_t last_id = damaged.execAndGet("SELECT seq FROM sqlite_sequence WHERE name = 'tracks'").getInt64();
    if (last_id < 1 || last_id > kMostIds) return;
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    SQLite::Statement row(damaged, "SELECT * FROM tracks WHERE id = ?");
    SQLite::Statement insert(database, insertion("tracks", row.getColumnCount()));
    for (std::int64_t id = 1; id <= last_id; ++id) {
        as_far_as_possible([&] {
            row.bind(1, id);
            if (row.executeStep()) copy(row, insert);
        });
        row.tryReset();
        insert.tryReset();
    }
    database.exec("UPDATE tracks SET vanished = 1, mtime_ns = -1, sha256 = NULL");
    database.exec("DELETE FROM sqlite_sequence WHERE name = 'tracks'");
    SQLite::Statement sequence(database, "INSERT INTO sqlite_sequence (name, seq) VALUES ('tracks', ?)");
    sequence.bind(1, last_id);
    sequence.exec();
    transaction.commit();
}

void rescue_presets(SQLite::Database& database, SQLite::Database& damaged) {
    SQLite::Statement row(damaged, "SELECT name, json FROM reference_presets");
    SQLite::Statement insert(database, insertion("reference_presets", row.getColumnCount()));
    while (row.executeStep()) {
        copy(row, insert);
        insert.reset();
    }
}

}  // namespace

void rescue(SQLite::Database& database, const std::filesystem::path& damaged) {
    const std::filesystem::path log = damaged.native() + "-wal";
    std::error_code absent;
    const bool had_log = std::filesystem::exists(log, absent);
    as_far_as_possible([&] {
        SQLite::Database old(damaged.native(), SQLite::OPEN_READONLY);
        as_far_as_possible([&] { rescue_tracks(database, old); });
        as_far_as_possible([&] { rescue_presets(database, old); });
    });
    // Whoever only reads leaves these behind.
    std::filesystem::remove(damaged.native() + "-shm", absent);
    if (!had_log) std::filesystem::remove(log, absent);
}

}  // namespace lacquer::library
