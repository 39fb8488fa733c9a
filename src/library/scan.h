// One pass over the folders, bringing the table `tracks` in line with them:
//
//     FolderWalk --files--> known with the same size and mtime? --no--> examine() --up to 100--> one transaction
//                               yes: nothing is opened                  (no lock held)
//
// then tracks whose file was not found are marked as vanished.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <vector>

#include "src/library/database.h"
#include "src/library/folder_walk.h"
#include "src/library/track_rows.h"

namespace lacquer::library {

class Scan {
public:
    Scan(Connection& connection, const FolderWalk& walk, std::stop_token stop,
         std::function<void(const Track&)> on_track);

    ScanResult run();

private:
    void look_at(std::span<const FoundFile> files);
    void take_note(const KnownFile& known);
    void examine_file(const FoundFile& file, bool known);
    void store_when_due();
    void store();
    void mark_vanished();
    std::vector<Track> store_pending(SQLite::Database& database);

    Connection& connection_;
    const FolderWalk& walk_;
    std::stop_token stop_;
    std::function<void(const Track&)> on_track_;
    PathTest may_exist_;
    ScanResult result_;
    std::vector<ExaminedFile> pending_;
    std::vector<std::int64_t> returned_;  // ids whose unchanged file is back
    std::chrono::steady_clock::time_point stored_at_;
};

// Probes one track per decoder that the table names; where the decoder now calls itself otherwise, all its tracks, and
// those that could not be decoded, are examined again by the next Scan.
void forget_outdated_decoders(Connection& connection);

}  // namespace lacquer::library
