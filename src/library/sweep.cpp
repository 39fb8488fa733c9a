#include "src/library/sweep.h"

#include <algorithm>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

namespace lacquer::library {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kKeptSeconds = 30 * 24 * 3600;
constexpr std::size_t kKeptDatabases = 2;
constexpr std::size_t kContentsPerTransaction = 100;

using Ids = std::vector<std::string>;

constexpr const char* kNewlyAbsent =
    "SELECT content_id FROM (SELECT content_id FROM profiles UNION SELECT content_id FROM served_recipes) AS kept "
    "WHERE NOT EXISTS (SELECT 1 FROM absent_contents WHERE absent_contents.content_id = kept.content_id) "
    "AND NOT EXISTS (SELECT 1 FROM tracks WHERE tracks.content_id = kept.content_id AND vanished = 0)";
constexpr const char* kBack =
    "SELECT content_id FROM absent_contents WHERE EXISTS "
    "(SELECT 1 FROM tracks WHERE tracks.content_id = absent_contents.content_id AND vanished = 0)";
constexpr const char* kLongAbsent = "SELECT content_id FROM absent_contents WHERE since_unix_s <= ?";

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
    int rows = 0;
    if (!is_present(database, content_id)) {
        for (const char* sql : {"DELETE FROM profiles WHERE content_id = ?",
                                "DELETE FROM recipes WHERE recipe_id IN (SELECT recipe_id FROM served_recipes WHERE "
                                "content_id = ?1) AND NOT EXISTS (SELECT 1 FROM served_recipes WHERE recipe_id = "
                                "recipes.recipe_id AND content_id <> ?1)",
                                "DELETE FROM served_recipes WHERE content_id = ?"})
            rows += execute(database, sql, content_id);
    }
    execute(database, "DELETE FROM absent_contents WHERE content_id = ?", content_id);
    return rows;
}

bool is_log(const fs::path& file) {
    return file.native().ends_with("-wal") || file.native().ends_with("-shm");
}

}  // namespace

std::int64_t sweep_absent_contents(Connection& connection, std::int64_t now_unix_s) {
    const auto selected = [&](const char* sql) {
        return connection.list([&](SQLite::Database& database) {
            SQLite::Statement rows(database, sql);
            if (rows.getBindParameterCount() > 0) rows.bind(1, now_unix_s - kKeptSeconds);
            return ids(rows);
        });
    };
    for_each(connection, selected(kBack), [](SQLite::Database& database, const std::string& content_id) {
        execute(database, "DELETE FROM absent_contents WHERE content_id = ?", content_id);
    });
    for_each(connection, selected(kNewlyAbsent), [&](SQLite::Database& database, const std::string& content_id) {
        SQLite::Statement statement(database, "INSERT OR IGNORE INTO absent_contents VALUES (?, ?)");
        statement.bind(1, content_id);
        statement.bind(2, now_unix_s);
        statement.exec();
    });
    std::int64_t rows = 0;
    for_each(connection, selected(kLongAbsent),
             [&](SQLite::Database& database, const std::string& content_id) { rows += forget(database, content_id); });
    return rows;
}

std::int64_t remove_old_damaged_databases(const fs::path& database) {
    const std::string prefix = database.filename().native() + ".damaged-";
    std::vector<fs::path> aside;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(database.parent_path(), error)) {
        const bool is_aside = entry.path().filename().native().starts_with(prefix) && !is_log(entry.path());
        if (is_aside && entry.is_regular_file(error)) aside.push_back(entry.path());
    }
    if (aside.size() <= kKeptDatabases) return 0;
    // By the time in the name; "-2" to "-10" follow it where there were several in one second.
    std::sort(aside.begin(), aside.end(), [&](const fs::path& a, const fs::path& b) {
        const auto second = [&](const fs::path& file) {
            return file.filename().native().substr(0, prefix.size() + 16);
        };
        return std::tuple(second(b), b.native().size(), b) < std::tuple(second(a), a.native().size(), a);
    });
    std::int64_t removed = 0;
    for (const fs::path& old : std::span(aside).subspan(kKeptDatabases)) {
        for (const char* part : {"-wal", "-shm"}) fs::remove(old.native() + part, error);
        removed += fs::remove(old, error) ? 1 : 0;
    }
    return removed;
}

}  // namespace lacquer::library
