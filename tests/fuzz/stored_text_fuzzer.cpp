// Whatever the library's rows hold: a std::invalid_argument, or a profile, recipe or reference that is written the same
// way again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

#include "src/profile_json.h"
#include "src/recipe_json.h"
#include "src/reference_json.h"

namespace {

using namespace lacquer;

template <typename Parse>
void attempt(Parse parse) {
    try {
        if (!parse()) std::abort();
    } catch (const std::invalid_argument&) {  // the one way to refuse
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    attempt([&] {
        const std::string written = recipe_to_json(recipe_from_json(text));
        return recipe_to_json(recipe_from_json(written)) == written;
    });
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (json.is_discarded()) return 0;
    attempt([&] {
        const auto written = profile_to_json(profile_from_json(json));
        return profile_to_json(profile_from_json(written)) == written;
    });
    attempt([&] {
        const auto written = reference_to_json(reference_from_json(json));
        return reference_to_json(reference_from_json(written)) == written;
    });
    return 0;
}
