#include "src/library/library.h"

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "src/library/database.h"
#include "src/library/examine.h"
#include "src/library/folder_walk.h"
#include "src/library/scan.h"
#include "src/library/sweep.h"
#include "src/library/text.h"
#include "src/library/track_rows.h"

namespace lacquer::library {
namespace fs = std::filesystem;
namespace {

std::vector<fs::path> existing_folders(std::vector<fs::path> roots) {
    for (fs::path& root : roots) {
        std::error_code error;
        const fs::path given = root;
        root = fs::canonical(given, error);
        if (!error && !fs::is_directory(root)) error = std::make_error_code(std::errc::not_a_directory);
        if (error) throw std::runtime_error(fmt::format("{}: {}", given.native(), error.message()));
    }
    return roots;
}

std::optional<std::int64_t> device_of(const fs::path& folder) {
    struct stat status {};
    if (::stat(folder.c_str(), &status) != 0) return std::nullopt;
    return static_cast<std::int64_t>(status.st_dev);
}

// An empty folder on another device than the one that held files is where the disk of music was mounted.
bool is_unmounted(SQLite::Database& database, const fs::path& root) {
    SQLite::Statement row(database, "SELECT device FROM roots WHERE path = ?");
    bind_bytes(row, 1, root.native());
    return row.executeStep() && row.getColumn(0).getInt64() != device_of(root);
}

void remember_devices(SQLite::Database& database, const std::vector<fs::path>& roots) {
    for (const fs::path& root : roots) {
        std::error_code error;
        const auto device = device_of(root);
        if (!device || fs::is_empty(root, error) || error) continue;
        SQLite::Statement statement(database, "INSERT OR REPLACE INTO roots (path, device) VALUES (?, ?)");
        bind_bytes(statement, 1, root.native());
        statement.bind(2, *device);
        statement.exec();
    }
}

std::string matching(std::size_t word_count) {
    std::string condition = "WHERE vanished = 0";
    for (std::size_t i = 0; i < word_count; ++i) condition += " AND instr(search_text, ?) > 0";
    return condition;
}

int bind_words(SQLite::Statement& statement, const std::vector<std::string>& query_words) {
    int index = 0;
    for (const std::string& word : query_words) statement.bind(++index, word);
    return index;
}

constexpr const char* kSelectProfile = "SELECT profile FROM profiles WHERE content_id = ? AND decoder = ?";
constexpr const char* kSelectPreset = "SELECT json FROM reference_presets WHERE name = ? COLLATE BINARY";

std::optional<std::string> first_text(SQLite::Statement& row, std::initializer_list<std::string> keys) {
    int index = 0;
    for (const std::string& key : keys) row.bind(++index, key);
    if (!row.executeStep()) return std::nullopt;
    return row.getColumn(0).getString();
}

std::optional<std::string> text_in(const fs::path& database, const char* sql, std::initializer_list<std::string> keys) {
    constexpr int kBusyTimeoutMs = 2000;
    try {
        SQLite::Database reader(database.string(), SQLite::OPEN_READONLY, kBusyTimeoutMs);
        SQLite::Statement row(reader, sql);
        return first_text(row, keys);
    } catch (const SQLite::Exception&) {  // not there, damaged or of another version: then there is nothing to have
        return std::nullopt;
    }
}

}  // namespace

struct Library::State {
    State(const fs::path& database, std::vector<fs::path> music)
        : roots(existing_folders(std::move(music))), file(database), connection(database) {}

    std::optional<std::string> text(const char* sql, std::initializer_list<std::string> keys) {
        return connection.with(sql, [&](SQLite::Statement& row) { return first_text(row, keys); });
    }

    // How many rows were changed.
    int execute(const char* sql, std::initializer_list<std::string> values) {
        return connection.with(sql, [&](SQLite::Statement& statement) {
            int index = 0;
            for (const std::string& value : values) statement.bind(++index, value);
            return statement.exec();
        });
    }

    const std::vector<fs::path> roots;
    const fs::path file;
    Connection connection;
    thread::Mutex scan_mutex;  // held for a whole scan
    bool decoders_checked GUARDED_BY(scan_mutex) = false;
    thread::Mutex hash_mutex;  // held while a file is hashed
    // Ids up to here have a SHA-256 or were passed over since the last scan.
    std::int64_t hashed_up_to GUARDED_BY(hash_mutex) = 0;
    std::atomic<bool> hash_again = false;  // a scan has found new files
};

Library::Library(const fs::path& database, std::vector<fs::path> roots)
    : state_(std::make_unique<State>(database, std::move(roots))) {}

Library::~Library() = default;

const std::string& Library::notice() const {
    return state_->connection.notice();
}

bool Library::damaged() const noexcept {
    return state_->connection.damaged();
}

std::string Library::repair() {
    const thread::MutexLock lock(state_->scan_mutex);
    const thread::MutexLock hash_lock(state_->hash_mutex);
    state_->decoders_checked = false;
    state_->hashed_up_to = 0;
    return state_->connection.repair();
}

ScanResult Library::scan(std::stop_token stop, const std::function<void(const Track&)>& on_track) {
    const thread::MutexLock lock(state_->scan_mutex);
    Connection& connection = state_->connection;
    if (!std::exchange(state_->decoders_checked, true)) forget_outdated_decoders(connection);
    const FolderWalk walk(state_->roots, stop, [&](const fs::path& root) {
        return connection.use([&](SQLite::Database& database) { return is_unmounted(database, root); });
    });
    if (stop.stop_requested()) return {};
    const ScanResult result = Scan(connection, walk, stop, on_track).run();
    connection.use([&](SQLite::Database& database) { remember_devices(database, state_->roots); });
    if (!stop.stop_requested() && walk.is_complete()) note_complete_scan(connection);
    state_->hash_again = true;
    return result;
}

bool Library::hash_one(std::stop_token stop) {
    const thread::MutexLock lock(state_->hash_mutex);
    if (state_->hash_again.exchange(false)) state_->hashed_up_to = 0;
    while (!stop.stop_requested()) {
        const std::int64_t after_id = state_->hashed_up_to;
        const auto next =
            state_->connection.use([&](SQLite::Database& database) { return unhashed_after(database, after_id); });
        if (!next) return false;
        const auto sha256 = stamp_of(next->path) == next->stamp ? sha256_of(next->path, stop) : std::nullopt;
        if (stop.stop_requested()) return false;
        state_->hashed_up_to = next->id;
        if (!sha256 || stamp_of(next->path) != next->stamp) continue;
        state_->connection.use([&](SQLite::Database& database) { set_sha256(database, *next, *sha256); });
        return true;
    }
    return false;
}

std::optional<Track> Library::track(std::int64_t id) const {
    return state_->connection.with(present_track_sql(), [&](SQLite::Statement& row) { return present_track(row, id); });
}

std::optional<Track> Library::fresh_track(std::int64_t id) {
    auto known = track(id);
    const auto holds = [&](const fs::path& root) { return is_below(known->path, root); };
    // Until the first scan, tracks of folders that are not served any more are still in the list.
    if (!known || std::none_of(state_->roots.begin(), state_->roots.end(), holds)) return std::nullopt;
    std::error_code error, unknown;
    const auto stamp = stamp_of(known->path, &unknown);
    if (unknown) return known;  // whoever reads the file will know, and may try again
    if (!stamp || fs::canonical(known->path, error) != known->path) return std::nullopt;
    const auto stored =
        state_->connection.use([&](SQLite::Database& database) { return known_file(database, known->path); });
    if (stored && stored->stamp == *stamp && stored->readable) return known;
    ExaminedFile file{examine(known->path), *stamp, std::nullopt};
    state_->connection.use([&](SQLite::Database& database) {
        SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
        store_file(database, file, [](const fs::path&) { return true; });
        transaction.commit();
    });
    state_->hash_again = true;
    return file.track;
}

TrackPage Library::tracks(const std::string& query, std::int64_t start_index, std::int64_t limit) const {
    const std::vector<std::string> query_words = words(folded(clean_text(query)));
    const std::string condition = matching(query_words.size());
    return state_->connection.list([&](SQLite::Database& database) {
        const SQLite::Transaction one_state(database);  // for the total and the page
        TrackPage page;
        SQLite::Statement count(database, "SELECT count(*) FROM tracks " + condition);
        bind_words(count, query_words);
        if (count.executeStep()) page.total = count.getColumn(0).getInt64();
        SQLite::Statement rows(database, select_tracks(condition + " ORDER BY sort_key LIMIT ? OFFSET ?"));
        const int index = bind_words(rows, query_words);
        rows.bind(index + 1, std::max<std::int64_t>(limit, 0));
        rows.bind(index + 2, std::max<std::int64_t>(start_index, 0));
        while (rows.executeStep()) page.items.push_back(read_track(rows));
        return page;
    });
}

std::vector<std::int64_t> Library::unmeasured() const {
    return state_->connection.list([](SQLite::Database& database) {
        SQLite::Statement rows(database,
                               "SELECT id FROM tracks WHERE vanished = 0 AND error = '' AND NOT EXISTS (SELECT 1 FROM "
                               "profiles WHERE profiles.content_id = tracks.content_id AND profiles.decoder = "
                               "tracks.decoder) ORDER BY id");
        std::vector<std::int64_t> ids;
        while (rows.executeStep()) ids.push_back(rows.getColumn(0).getInt64());
        return ids;
    });
}

std::optional<std::string> Library::profile_text(const Track& track) const {
    return state_->text(kSelectProfile, {track.content_id, track.media.decoder});
}

void Library::store_profile_text(const Track& track, const std::string& profile) {
    state_->execute("INSERT OR REPLACE INTO profiles (content_id, decoder, profile) VALUES (?, ?, ?)",
                    {track.content_id, track.media.decoder, profile});
}

bool Library::has_profile(const Track& track) const {
    return state_
        ->text("SELECT '' FROM profiles WHERE content_id = ? AND decoder = ?", {track.content_id, track.media.decoder})
        .has_value();
}

void Library::store_recipe(const std::string& recipe_id, const std::string& json) {
    state_->execute("INSERT OR IGNORE INTO recipes (recipe_id, json) VALUES (?, ?)", {recipe_id, json});
}

std::optional<std::string> Library::recipe(const std::string& recipe_id) const {
    return state_->text("SELECT json FROM recipes WHERE recipe_id = ?", {recipe_id});
}

std::optional<ServedRecipe> Library::served_recipe(const std::string& content_id, const std::string& request) const {
    constexpr const char* kSql =
        "SELECT recipe_id, last_served_unix_s FROM served_recipes WHERE content_id = ? AND request = ?";
    return state_->connection.with(kSql, [&](SQLite::Statement& row) -> std::optional<ServedRecipe> {
        row.bind(1, content_id);
        row.bind(2, request);
        if (!row.executeStep()) return std::nullopt;
        return ServedRecipe{row.getColumn(0).getString(), row.getColumn(1).getInt64()};
    });
}

void Library::note_served(const std::string& content_id, const std::string& request, const ServedRecipe& served) {
    constexpr const char* kSql =
        "UPDATE served_recipes SET last_served_unix_s = ? WHERE content_id = ? AND request = ? AND recipe_id = ?";
    state_->connection.with(kSql, [&](SQLite::Statement& statement) {
        statement.bind(1, served.last_served_unix_s);
        statement.bind(2, content_id);
        statement.bind(3, request);
        statement.bind(4, served.recipe_id);
        statement.exec();
    });
}

void Library::set_served_recipe(const std::string& content_id, const std::string& request, const ServedRecipe& served) {
    constexpr const char* kSql =
        "INSERT OR REPLACE INTO served_recipes (content_id, request, recipe_id, last_served_unix_s) VALUES (?, ?, ?, "
        "?)";
    state_->connection.with(kSql, [&](SQLite::Statement& statement) {
        statement.bind(1, content_id);
        statement.bind(2, request);
        statement.bind(3, served.recipe_id);
        statement.bind(4, served.last_served_unix_s);
        statement.exec();
    });
}

bool Library::store_preset(const std::string& name, const std::string& json) {
    return state_->execute("INSERT OR IGNORE INTO reference_presets (name, json) VALUES (?, ?)", {name, json}) > 0;
}

bool Library::remove_preset(const std::string& name) {
    return state_->execute("DELETE FROM reference_presets WHERE name = ? COLLATE BINARY", {name}) > 0;
}

std::optional<std::string> Library::preset(const std::string& name) const {
    return state_->text(kSelectPreset, {name});
}

std::vector<std::pair<std::string, std::string>> Library::presets() const {
    return state_->connection.use([](SQLite::Database& database) {
        SQLite::Statement rows(database, "SELECT name, json FROM reference_presets ORDER BY name");
        std::vector<std::pair<std::string, std::string>> found;
        while (rows.executeStep()) found.emplace_back(rows.getColumn(0).getString(), rows.getColumn(1).getString());
        return found;
    });
}

std::optional<std::vector<Content>> Library::contents() const {
    return contents_not_long_absent(state_->connection);
}

SweptLibrary Library::sweep(std::int64_t now_unix_s) {
    SweptLibrary swept;
    swept.rows = sweep_absent_contents(state_->connection, now_unix_s);
    swept.files = remove_old_damaged_databases(state_->file);
    return swept;
}

std::optional<std::string> profile_text_in(const fs::path& database, const std::string& content_id,
                                           const std::string& decoder) {
    return text_in(database, kSelectProfile, {content_id, decoder});
}

std::optional<std::string> preset_in(const fs::path& database, const std::string& name) {
    return text_in(database, kSelectPreset, {name});
}

}  // namespace lacquer::library
