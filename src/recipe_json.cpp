#include "src/recipe_json.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include <xxhash.h>

namespace lacquer {
namespace {

using Json = nlohmann::json;

// One list of names per part, for writing and for reading alike: `visit(name, field)`.
template <typename Visit, typename Part>
void for_each_field(Part& part, Visit visit) {
    using Plain = std::remove_const_t<Part>;
    if constexpr (std::is_same_v<Plain, dsp::BiquadCoefficients>) {
        visit("b0", part.b0), visit("b1", part.b1), visit("b2", part.b2), visit("a1", part.a1), visit("a2", part.a2);
    } else if constexpr (std::is_same_v<Plain, dsp::CrossoverSettings>) {
        visit("lowPass", part.low_pass), visit("highPass", part.high_pass), visit("allPass", part.all_pass);
    } else if constexpr (std::is_same_v<Plain, dsp::EqualiserSettings>) {
        visit("sections", part.sections);
    } else if constexpr (std::is_same_v<Plain, dsp::CompressorBandSettings>) {
        visit("thresholdDb", part.threshold_db), visit("kneeDb", part.knee_db), visit("slope", part.slope);
        visit("detector", part.detector), visit("attack", part.attack), visit("release", part.release);
    } else if constexpr (std::is_same_v<Plain, dsp::CompressorSettings>) {
        visit("borders", part.borders), visit("bands", part.bands);
    } else if constexpr (std::is_same_v<Plain, dsp::SaturationSettings>) {
        visit("amount", part.amount);
    } else if constexpr (std::is_same_v<Plain, dsp::WidthSettings>) {
        visit("width", part.width), visit("monoBass", part.mono_bass), visit("border", part.border);
    } else if constexpr (std::is_same_v<Plain, dsp::LevelCurveSettings>) {
        visit("gain", part.gain), visit("curveDb", part.curve_db);
    } else if constexpr (std::is_same_v<Plain, dsp::LimiterSettings>) {
        visit("ceiling", part.ceiling), visit("lookAheadFrames", part.look_ahead_frames);
        visit("fastRelease", part.fast_release), visit("slowRelease", part.slow_release);
        visit("buildUp", part.build_up);
    } else {
        static_assert(std::is_same_v<Plain, dsp::Recipe>);
        visit("sampleRateHz", part.sample_rate_hz), visit("channelCount", part.channel_count);
        visit("bypass", part.bypass), visit("trim", part.trim), visit("equaliser", part.equaliser);
        visit("compressor", part.compressor), visit("saturation", part.saturation), visit("width", part.width);
        visit("level", part.level), visit("limiter", part.limiter);
    }
}

template <typename Value>
inline constexpr bool is_list = false;
template <typename Value, std::size_t Count>
inline constexpr bool is_list<std::array<Value, Count>> = true;
template <typename Value>
inline constexpr bool is_list<std::vector<Value>> = true;

template <typename Value>
Json written(const Value& value) {
    if constexpr (std::is_arithmetic_v<Value>) {
        return Json(value);
    } else if constexpr (is_list<Value>) {
        Json list = Json::array();
        for (const auto& item : value) list.push_back(written(item));
        return list;
    } else {
        Json object = Json::object();
        for_each_field(value, [&](const char* name, const auto& field) { object[name] = written(field); });
        return object;
    }
}

[[noreturn]] void refuse(const std::string& name, const char* reason) {
    throw std::invalid_argument("recipe field \"" + name + "\" " + reason);
}

template <typename Value>
void read(const std::string& name, const Json& json, Value& value);

template <typename Number>
void read_number(const std::string& name, const Json& json, Number& value) {
    if constexpr (std::is_same_v<Number, bool>) {
        if (!json.is_boolean()) refuse(name, "must be true or false");
    } else if constexpr (std::is_integral_v<Number>) {
        const bool fits = json.is_number_integer() && json >= 0 && json <= std::numeric_limits<Number>::max();
        if (!fits) refuse(name, "must be a whole number that is not negative and fits");
    } else {
        if (!json.is_number() || !std::isfinite(json.get<double>())) refuse(name, "must be a finite number");
    }
    value = json.get<Number>();
}

template <typename List>
void read_list(const std::string& name, const Json& json, List& list) {
    if (!json.is_array()) refuse(name, "must be a list");
    if constexpr (requires { list.resize(1); }) {
        list.resize(json.size());
    } else {
        if (json.size() != list.size()) refuse(name, "has the wrong length");
    }
    for (std::size_t i = 0; i < list.size(); ++i) read(name + "[" + std::to_string(i) + "]", json[i], list[i]);
}

template <typename Value>
void read(const std::string& name, const Json& json, Value& value) {
    if constexpr (std::is_arithmetic_v<Value>) {
        read_number(name, json, value);
    } else if constexpr (is_list<Value>) {
        read_list(name, json, value);
    } else {
        if (!json.is_object()) refuse(name, "must be an object");
        for_each_field(value, [&](const char* key, auto& field) {
            const std::string full_name = name.empty() ? key : name + "." + key;
            const auto found = json.find(key);
            if (found == json.end()) refuse(full_name, "is missing");
            read(full_name, *found, field);
        });
    }
}

}  // namespace

std::string recipe_to_json(const dsp::Recipe& recipe) {
    return written(recipe).dump();
}

dsp::Recipe recipe_from_json(std::string_view json) {
    const Json parsed = Json::parse(json, nullptr, false);
    if (parsed.is_discarded()) throw std::invalid_argument("recipe is no JSON");
    dsp::Recipe recipe;
    read("", parsed, recipe);
    return recipe;
}

std::string recipe_id(const std::string& json) {
    const XXH128_hash_t hash = XXH3_128bits(json.data(), json.size());
    char digits[33];
    std::snprintf(digits, sizeof digits, "%016llx%016llx", static_cast<unsigned long long>(hash.high64),
                  static_cast<unsigned long long>(hash.low64));
    return digits;
}

}  // namespace lacquer
