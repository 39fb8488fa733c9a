#include <fmt/format.h>

#include "src/commands.h"

namespace lacquer {

int print_settings(const Settings& settings) {
    for (const SettingRow& row : setting_rows()) fmt::print("{} = {}\n", row.name, row.get(settings));
    return 0;
}

}  // namespace lacquer
