#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

namespace lacquer::player {

// As people sort paths: folder by folder, letter case aside, and numbers by their value ("2" before "10"). A strict
// total order over all byte strings: what is alike otherwise is ordered by its bytes.
bool natural_less(std::string_view a, std::string_view b);
void sort_naturally(std::vector<std::filesystem::path>& paths);

}  // namespace lacquer::player
