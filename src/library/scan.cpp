#include "src/library/scan.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

#include "src/library/examine.h"

namespace lacquer::library {
namespace {

constexpr std::size_t kFilesPerTransaction = 100;
constexpr int kRowsPerLook = 1000;
constexpr std::chrono::seconds kLongestUnstored{2};  // so that a few slow files show up soon

}  // namespace

Scan::Scan(Connection& connection, const FolderWalk& walk, std::stop_token stop,
           std::function<void(const Track&)> on_track)
    : connection_(connection),
      walk_(walk),
      stop_(std::move(stop)),
      on_track_(std::move(on_track)),
      may_exist_([&walk](const std::filesystem::path& file) { return walk.may_exist(file); }),
      stored_at_(std::chrono::steady_clock::now()) {}

ScanResult Scan::run() {
    result_.unreadable_folders = static_cast<std::int64_t>(walk_.unreadable_folders().size());
    std::span<const FoundFile> files(walk_.files());
    while (!files.empty() && !stop_.stop_requested()) {
        const std::size_t count = std::min(files.size(), kFilesPerTransaction);
        look_at(files.first(count));
        files = files.subspan(count);
    }
    store();
    if (!stop_.stop_requested()) mark_vanished();
    return result_;
}

void Scan::look_at(std::span<const FoundFile> files) {
    std::vector<std::optional<KnownFile>> known;
    connection_.use([&](SQLite::Database& database) {
        for (const FoundFile& file : files) known.push_back(known_file(database, file.path));
    });
    for (std::size_t i = 0; i < files.size() && !stop_.stop_requested(); ++i) {
        if (known[i] && known[i]->stamp == files[i].stamp && known[i]->readable) {
            take_note(*known[i]);
        } else {
            examine_file(files[i], known[i].has_value());
        }
        store_when_due();
    }
}

void Scan::take_note(const KnownFile& known) {
    if (!known.decodable) ++result_.undecodable;
    if (known.vanished) {
        returned_.push_back(known.id);
    } else {
        ++result_.unchanged;
    }
}

void Scan::examine_file(const FoundFile& file, bool known) {
    ExaminedFile examined{examine(file.path), file.stamp, std::nullopt};
    const bool hash = !known && connection_.use([&](SQLite::Database& database) {
        return needs_sha256(database, examined, may_exist_);
    });
    if (hash) examined.sha256 = sha256_of(file.path, stop_);
    pending_.push_back(std::move(examined));
}

void Scan::store_when_due() {
    const bool long_ago = std::chrono::steady_clock::now() - stored_at_ > kLongestUnstored;
    if (pending_.size() + returned_.size() >= kFilesPerTransaction || long_ago) store();
}

void Scan::store() {
    const auto tracks = connection_.use([&](SQLite::Database& database) { return store_pending(database); });
    pending_.clear();
    returned_.clear();
    stored_at_ = std::chrono::steady_clock::now();
    if (!on_track_) return;
    for (const Track& track : tracks) on_track_(track);
}

std::vector<Track> Scan::store_pending(SQLite::Database& database) {
    std::vector<Track> tracks;
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    for (ExaminedFile& file : pending_) {
        const Change change = store_file(database, file, may_exist_);
        ++(change == Change::added ? result_.added : change == Change::moved ? result_.moved : result_.changed);
        if (!file.track.error.empty()) ++result_.undecodable;
        tracks.push_back(std::move(file.track));
    }
    SQLite::Statement row(database, present_track_sql());
    for (const std::int64_t id : returned_) {
        set_vanished(database, id, false);
        ++result_.added;
        row.reset();
        if (auto track = present_track(row, id)) tracks.push_back(std::move(*track));
    }
    transaction.commit();
    return tracks;
}

void Scan::mark_vanished() {
    std::vector<Listed> listed;
    do {
        const std::int64_t after_id = listed.empty() ? 0 : listed.back().id;
        connection_.use([&](SQLite::Database& database) {
            listed = listed_after(database, after_id, kRowsPerLook);
            SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
            for (const Listed& track : listed) {
                if (may_exist_(track.path)) continue;
                set_vanished(database, track.id, true);
                ++result_.removed;
            }
            transaction.commit();
        });
    } while (!listed.empty());
}

void forget_outdated_decoders(Connection& connection) {
    struct Sample {
        std::string decoder;
        std::filesystem::path path;
    };
    const auto samples = connection.use([](SQLite::Database& database) {
        SQLite::Statement rows(database,
                               "SELECT decoder, path, max(id) FROM tracks WHERE vanished = 0 AND error = '' "
                               "GROUP BY decoder");
        std::vector<Sample> found;
        while (rows.executeStep()) found.push_back({rows.getColumn(0).getString(), rows.getColumn(1).getString()});
        return found;
    });
    for (const Sample& sample : samples) {
        const Track now = examine(sample.path);
        if (!now.error.empty() || now.media.decoder == sample.decoder) continue;
        connection.use([&](SQLite::Database& database) {
            SQLite::Statement statement(database, "UPDATE tracks SET mtime_ns = -1 WHERE decoder = ? OR error <> ''");
            statement.bind(1, sample.decoder);
            statement.exec();
        });
    }
}

}  // namespace lacquer::library
