#include "src/library/sweep.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

namespace lacquer::library {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kKeptSeconds = 30 * 24 * 3600;
constexpr std::int64_t kMostSecondsBetweenSweeps = 24 * 3600;
constexpr std::size_t kKeptDatabases = 2;
constexpr std::size_t kContentsPerTransaction = 100;

using Ids = std::vector<std::string>;

constexpr const char* kNewlyAbsent =
    "SELECT content_id FROM (SELECT content_id FROM profiles UNION SELECT content_id FROM served_recipes "
    "UNION SELECT content_id FROM tracks WHERE vanished = 1) AS kept "
    "WHERE NOT EXISTS (SELECT 1 FROM absent_contents WHERE absent_contents.content_id = kept.content_id) "
    "AND NOT EXISTS (SELECT 1 FROM tracks WHERE tracks.content_id = kept.content_id AND vanished = 0)";
constexpr const char* kBack =
    "SELECT content_id FROM absent_contents WHERE EXISTS "
    "(SELECT 1 FROM tracks WHERE tracks.content_id = absent_contents.content_id AND vanished = 0)";
// That a vanished track's content is long absent stays noted, for contents_not_long_absent().
constexpr const char* kToForget =
    "SELECT content_id FROM absent_contents AS absent WHERE since_s <= ? "
    "AND (EXISTS (SELECT 1 FROM profiles WHERE profiles.content_id = absent.content_id) "
    "OR EXISTS (SELECT 1 FROM served_recipes WHERE served_recipes.content_id = absent.content_id) "
    "OR NOT EXISTS (SELECT 1 FROM tracks WHERE tracks.content_id = absent.content_id))";
constexpr const char* kNotLongAbsent =
    "SELECT DISTINCT content_id, decoder FROM tracks WHERE error = '' AND (vanished = 0 OR NOT EXISTS "
    "(SELECT 1 FROM absent_contents WHERE absent_contents.content_id = tracks.content_id AND since_s <= ?))";

Ids ids(SQLite::Statement& rows) {
    Ids found;
    while (rows.executeStep()) found.push_back(rows.getColumn(0).getString());
    return found;
}

int execute(SQLite::Database& database, const char* sql, const std::string& content_id) {
    SQLite::Statement statement(database, sql);
    statement.bind(1, content_id);
    return statement.exec();
}

bool is_present(SQLite::Database& database, const std::string& content_id) {
    SQLite::Statement row(database, "SELECT 1 FROM tracks WHERE content_id = ? AND vanished = 0");
    row.bind(1, content_id);
    return row.executeStep();
}

// Calls `action(database, content_id)` for each, some at a time.
template <typename Action>
void for_each(Connection& connection, std::span<const std::string> content_ids, Action&& action) {
    while (!content_ids.empty()) {
        const auto some = content_ids.first(std::min(content_ids.size(), kContentsPerTransaction));
        content_ids = content_ids.subspan(some.size());
        connection.use([&](SQLite::Database& database) {
            SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
            for (const std::string& content_id : some) action(database, content_id);
            transaction.commit();
        });
    }
}

int forget(SQLite::Database& database, const std::string& content_id) {
    if (is_present(database, content_id)) return 0;
    const int rows = execute(database, "DELETE FROM profiles WHERE content_id = ?", content_id) +
                     execute(database, "DELETE FROM served_recipes WHERE content_id = ?", content_id);
    execute(database,
            "DELETE FROM absent_contents WHERE content_id = ?1 AND NOT EXISTS (SELECT 1 FROM tracks WHERE "
            "content_id = ?1)",
            content_id);
    return rows;
}

std::int64_t elapsed_s(SQLite::Database& database) {
    return database.execAndGet("SELECT elapsed_s FROM upkeep").getInt64();
}

std::int64_t move_clock_on(Connection& connection, std::int64_t now_unix_s) {
    return connection.use([&](SQLite::Database& database) {
        SQLite::Statement statement(database,
                                    "UPDATE upkeep SET elapsed_s = elapsed_s + max(0, min(?1 - swept_unix_s, ?2)), "
                                    "swept_unix_s = ?1");
        statement.bind(1, now_unix_s);
        statement.bind(2, kMostSecondsBetweenSweeps);
        statement.exec();
        return elapsed_s(database);
    });
}

struct Aside {
    fs::path file;
    std::string second;
    long number = 1;  // in that second
};

// "20261120T184500Z" or "20261120T184500Z-2", as database.cpp names them; nullopt for anything else.
std::optional<Aside> parsed_suffix(std::string_view suffix) {
    constexpr std::string_view kShape = "00000000T000000Z";
    const auto fits = [](char shape, char c) { return shape == '0' ? c >= '0' && c <= '9' : c == shape; };
    const std::string_view second = suffix.substr(0, kShape.size());
    if (!std::equal(kShape.begin(), kShape.end(), second.begin(), second.end(), fits)) return std::nullopt;
    Aside aside{{}, std::string(second)};
    std::string_view rest = suffix.substr(kShape.size());
    if (rest.empty()) return aside;
    if (!rest.starts_with('-')) return std::nullopt;
    rest.remove_prefix(1);
    const bool is_number = !rest.empty() && std::all_of(rest.begin(), rest.end(), [&](char c) { return fits('0', c); });
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), aside.number);
    return is_number && error == std::errc() ? std::optional(aside) : std::nullopt;
}

std::vector<Aside> moved_aside(const fs::path& database) {
    const std::string prefix = database.filename().native() + ".damaged-";
    std::vector<Aside> found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(database.parent_path(), error)) {
        const std::string name = entry.path().filename().native();
        if (!name.starts_with(prefix) || !entry.is_regular_file(error)) continue;
        auto aside = parsed_suffix(std::string_view(name).substr(prefix.size()));
        if (!aside) continue;
        aside->file = entry.path();
        found.push_back(*std::move(aside));
    }
    return found;
}

}  // namespace

std::int64_t sweep_absent_contents(Connection& connection, std::int64_t now_unix_s) {
    const std::int64_t now_s = move_clock_on(connection, now_unix_s);
    const auto selected = [&](const char* sql) {
        return connection.list([&](SQLite::Database& database) {
            SQLite::Statement rows(database, sql);
            if (rows.getBindParameterCount() > 0) rows.bind(1, now_s - kKeptSeconds);
            return ids(rows);
        });
    };
    for_each(connection, selected(kBack), [](SQLite::Database& database, const std::string& content_id) {
        execute(database, "DELETE FROM absent_contents WHERE content_id = ?", content_id);
    });
    for_each(connection, selected(kNewlyAbsent), [&](SQLite::Database& database, const std::string& content_id) {
        SQLite::Statement statement(database, "INSERT OR IGNORE INTO absent_contents VALUES (?, ?)");
        statement.bind(1, content_id);
        statement.bind(2, now_s);
        statement.exec();
    });
    std::int64_t rows = 0;
    for_each(connection, selected(kToForget),
             [&](SQLite::Database& database, const std::string& content_id) { rows += forget(database, content_id); });
    return rows;
}

void note_complete_scan(Connection& connection) {
    connection.use([](SQLite::Database& database) { database.exec("UPDATE upkeep SET was_scanned = 1"); });
}

std::optional<std::vector<Content>> contents_not_long_absent(Connection& connection) {
    return connection.list([](SQLite::Database& database) -> std::optional<std::vector<Content>> {
        const SQLite::Transaction one_state(database);
        if (database.execAndGet("SELECT was_scanned FROM upkeep").getInt() == 0) return std::nullopt;
        SQLite::Statement rows(database, kNotLongAbsent);
        rows.bind(1, elapsed_s(database) - kKeptSeconds);
        std::vector<Content> found;
        while (rows.executeStep()) found.push_back({rows.getColumn(0).getString(), rows.getColumn(1).getString()});
        return found;
    });
}

std::int64_t remove_old_damaged_databases(const fs::path& database) {
    std::vector<Aside> aside = moved_aside(database);
    std::sort(aside.begin(), aside.end(), [](const Aside& a, const Aside& b) {
        return std::tie(b.second, b.number) < std::tie(a.second, a.number);
    });
    std::size_t kept = 0;
    std::int64_t removed = 0;
    for (const Aside& old : aside) {
        if (!holds_nothing(old.file) && ++kept <= kKeptDatabases) continue;
        std::error_code error;
        for (const char* part : {"-wal", "-shm"}) fs::remove(old.file.native() + part, error);
        removed += fs::remove(old.file, error) ? 1 : 0;
    }
    return removed;
}

}  // namespace lacquer::library
