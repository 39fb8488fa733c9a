// What names a chunk, and how long it should be kept.
#pragma once

#include <array>
#include <cstddef>

namespace lacquer::cache {

using ChunkKey = std::array<std::byte, 16>;

enum class Keep { normal, longer };  // longer: evicted after all normal ones, as long as they take <= 25 % of the cap

}  // namespace lacquer::cache
