#include "src/recipe_json.h"

#include <array>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include <fmt/format.h>
#include <xxhash.h>

namespace lacquer {
namespace {

using Json = nlohmann::json;

// Each struct says its fields once; a Writer or a Reader goes over them.
template <typename Fields>
void visit(Fields& f, std::conditional_t<Fields::kReads, dsp::BiquadCoefficients&, const dsp::BiquadCoefficients&> v) {
    f("b0", v.b0), f("b1", v.b1), f("b2", v.b2), f("a1", v.a1), f("a2", v.a2);
}
template <typename Fields>
void visit(Fields& f, std::conditional_t<Fields::kReads, dsp::EqualiserSettings&, const dsp::EqualiserSettings&> v) {
    f("sections", v.sections);
}
template <typename Fields>
void visit(Fields& f, std::conditional_t<Fields::kReads, dsp::CrossoverSettings&, const dsp::CrossoverSettings&> v) {
    f("lowPass", v.low_pass), f("highPass", v.high_pass), f("allPass", v.all_pass);
}
template <typename Fields>
void visit(Fields& f,
           std::conditional_t<Fields::kReads, dsp::CompressorBandSettings&, const dsp::CompressorBandSettings&> v) {
    f("thresholdDb", v.threshold_db), f("kneeDb", v.knee_db), f("slope", v.slope);
    f("detector", v.detector), f("attack", v.attack), f("release", v.release);
}
template <typename Fields>
void visit(Fields& f, std::conditional_t<Fields::kReads, dsp::CompressorSettings&, const dsp::CompressorSettings&> v) {
    f("borders", v.borders), f("bands", v.bands);
}
template <typename Fields>
void visit(Fields& f, std::conditional_t<Fields::kReads, dsp::SaturationSettings&, const dsp::SaturationSettings&> v) {
    f("amount", v.amount);
}
template <typename Fields>
void visit(Fields& f, std::conditional_t<Fields::kReads, dsp::WidthSettings&, const dsp::WidthSettings&> v) {
    f("width", v.width), f("monoBass", v.mono_bass), f("border", v.border);
}
template <typename Fields>
void visit(Fields& f, std::conditional_t<Fields::kReads, dsp::LevelCurveSettings&, const dsp::LevelCurveSettings&> v) {
    f("gain", v.gain), f("curveDb", v.curve_db);
}
template <typename Fields>
void visit(Fields& f, std::conditional_t<Fields::kReads, dsp::LimiterSettings&, const dsp::LimiterSettings&> v) {
    f("ceiling", v.ceiling), f("lookAheadFrames", v.look_ahead_frames), f("release", v.release);
}
template <typename Fields>
void visit(Fields& f, std::conditional_t<Fields::kReads, dsp::Recipe&, const dsp::Recipe&> v) {
    f("sampleRateHz", v.sample_rate_hz), f("channelCount", v.channel_count), f("bypass", v.bypass), f("trim", v.trim);
    f("equaliser", v.equaliser), f("compressor", v.compressor), f("saturation", v.saturation), f("width", v.width);
    f("level", v.level), f("limiter", v.limiter);
}

class Writer {
public:
    static constexpr bool kReads = false;
    template <typename T>
    void operator()(const char* name, const T& value) {
        json_[name] = write(value);
    }
    template <typename T>
    static Json write(const T& value) {
        if constexpr (std::is_arithmetic_v<T>) {
            return value;
        } else {
            Writer inner;
            visit<Writer>(inner, value);
            return std::move(inner.json_);
        }
    }
    template <typename T, std::size_t count>
    static Json write(const std::array<T, count>& values) {
        Json items = Json::array();
        for (const T& value : values) items.push_back(write(value));
        return items;
    }
    static Json write(const std::vector<double>& values) { return values; }

private:
    Json json_ = Json::object();
};

class Reader {
public:
    static constexpr bool kReads = true;
    explicit Reader(const Json& json) : json_(json) {}
    template <typename T>
    void operator()(const char* name, T& value) {
        const auto field = json_.find(name);
        if (field == json_.end()) throw std::invalid_argument(std::string("recipe: ") + name + " is missing");
        if (!read(*field, value)) {
            throw std::invalid_argument(std::string("recipe: ") + name + " is of the wrong type or length");
        }
    }
    // False when `json` is not what `value` needs.
    template <typename T>
    static bool read(const Json& json, T& value) {
        if constexpr (std::is_same_v<T, bool>) {
            if (json.is_boolean()) value = json.get<bool>();
            return json.is_boolean();
        } else if constexpr (std::is_unsigned_v<T>) {
            const bool fits = json.is_number_unsigned() && json.get<std::uint64_t>() <= std::numeric_limits<T>::max();
            if (fits) value = json.get<T>();
            return fits;
        } else if constexpr (std::is_floating_point_v<T>) {
            if (json.is_number()) value = json.get<T>();
            return json.is_number();
        } else {
            if (!json.is_object()) return false;
            Reader inner(json);
            visit<Reader>(inner, value);
            return true;
        }
    }
    template <typename T, std::size_t count>
    static bool read(const Json& json, std::array<T, count>& values) {
        return json.is_array() && json.size() == count && read_items(json, values);
    }
    static bool read(const Json& json, std::vector<double>& values) {
        if (!json.is_array()) return false;
        values.resize(json.size());
        return read_items(json, values);
    }

private:
    template <typename List>
    static bool read_items(const Json& json, List& values) {
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (!read(json[i], values[i])) return false;
        }
        return true;
    }

    const Json& json_;
};

}  // namespace

std::string recipe_to_json(const dsp::Recipe& recipe) {
    return Writer::write(recipe).dump();
}

dsp::Recipe recipe_from_json(std::string_view json) {
    const Json parsed = Json::parse(json, nullptr, false);
    if (parsed.is_discarded()) throw std::invalid_argument("recipe: not JSON");
    dsp::Recipe recipe;
    if (!Reader::read(parsed, recipe)) throw std::invalid_argument("recipe: not an object");
    return recipe;
}

std::string recipe_id(const std::string& json) {
    const XXH128_hash_t hash = XXH3_128bits(json.data(), json.size());
    return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace lacquer
