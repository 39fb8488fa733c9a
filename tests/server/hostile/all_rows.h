// Every row, by the name of its table.
#pragma once

#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "tests/server/hostile/content_rows.h"
#include "tests/server/hostile/framing_rows.h"

namespace lacquer::test {

inline std::vector<std::pair<std::string, Rows>> hostile_tables() {
    return {{"lengths", length_rows()}, {"heads", head_rows()},  {"targets", target_rows()},
            {"queries", query_rows()},  {"bodies", body_rows()}, {"strangers", stranger_rows()},
            {"ranges", range_rows()}};
}

}  // namespace lacquer::test
