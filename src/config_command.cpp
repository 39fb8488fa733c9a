#include <fmt/format.h>

#include "dsp/simd.h"
#include "src/commands.h"

namespace lacquer {

int print_settings(const Settings& settings) {
    for (const SettingRow& row : setting_rows()) fmt::print("{} = {}\n", row.name, row.get(settings));
    fmt::print("# computing on {}\n", dsp::simd_in_use());
    return 0;
}

}  // namespace lacquer
