// What the library need not keep: rows about content that no track has any more, and damaged databases.
#pragma once

#include <cstdint>
#include <filesystem>

#include "src/library/database.h"

namespace lacquer::library {

// Content is absent while no track that is not vanished has it. Notes since when, and removes the profiles, the served
// recipes, and the recipes that nobody else is served with, of what was absent for 30 days. Returns how many rows.
// Other users of the connection wait for 100 contents at most.
std::int64_t sweep_absent_contents(Connection& connection, std::int64_t now_unix_s);

// Keeps the newest two of what was moved aside for `database`; a log that belongs to one goes with it. Returns how many
// were removed.
std::int64_t remove_old_damaged_databases(const std::filesystem::path& database);

}  // namespace lacquer::library
