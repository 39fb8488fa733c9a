#include "src/profile_json.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace lacquer {
namespace {

using Json = nlohmann::json;

// The one list of names; `visit` is called with each name and field, for writing and for reading alike.
template <typename Profile, typename Visit>
void for_each_field(Profile& profile, Visit visit) {
    visit("sampleRateHz", profile.sample_rate_hz);
    visit("channelCount", profile.channel_count);
    visit("frameCount", profile.frame_count);
    visit("provisional", profile.provisional);
    visit("integratedLufs", profile.integrated_lufs);
    visit("loudnessRangeLu", profile.loudness_range_lu);
    visit("truePeakDbtp", profile.true_peak_dbtp);
    visit("samplePeakDbfs", profile.sample_peak_dbfs);
    visit("rmsDbfs", profile.rms_dbfs);
    visit("crestDb", profile.crest_db);
    visit("stereoCorrelation", profile.stereo_correlation);
    visit("sideToMidDb", profile.side_to_mid_db);
    visit("octaveDbfs", profile.octave_dbfs);
    visit("thirdOctaveDbfs", profile.third_octave_dbfs);
    visit("bandLevels", profile.band_levels);
    visit("shortTermLufs", profile.short_term_lufs);
    visit("speechConfidence", profile.speech_confidence);
}

[[noreturn]] void refuse(const std::string& name, const std::string& reason) {
    throw std::invalid_argument("profile field \"" + name + "\" " + reason);
}

void read(const std::string& name, const Json& json, bool& value) {
    if (!json.is_boolean()) refuse(name, "must be true or false");
    value = json.get<bool>();
}

template <typename Number>
requires std::is_arithmetic_v<Number>
void read(const std::string& name, const Json& json, Number& value) {
    if constexpr (std::is_integral_v<Number>) {
        const bool fits = json.is_number_integer() && json >= 0 && json <= std::numeric_limits<Number>::max();
        if (!fits) refuse(name, "must be a whole number that is not negative and fits");
        value = json.get<Number>();
    } else {
        const double read = json.is_number() ? json.get<double>() : std::numeric_limits<double>::quiet_NaN();
        if (!(std::abs(read) <= double{std::numeric_limits<Number>::max()})) refuse(name, "must be a finite number");
        value = static_cast<Number>(read);
    }
}

template <typename Value>
void read(const std::string& name, const Json& json, std::vector<Value>& values) {
    if (!json.is_array()) refuse(name, "must be an array");
    values.resize(json.size());
    for (std::size_t i = 0; i < values.size(); ++i) read(name + "[" + std::to_string(i) + "]", json[i], values[i]);
}

template <typename Value, std::size_t Size>
void read(const std::string& name, const Json& json, std::array<Value, Size>& values) {
    if (!json.is_array() || json.size() != Size) refuse(name, "must be an array of " + std::to_string(Size));
    for (std::size_t i = 0; i < Size; ++i) read(name + "[" + std::to_string(i) + "]", json[i], values[i]);
}

}  // namespace

Json profile_to_json(const dsp::Profile& profile) {
    Json json = Json::object();
    for_each_field(profile, [&json](const char* name, const auto& value) { json[name] = value; });
    return json;
}

dsp::Profile profile_from_json(const Json& json) {
    if (!json.is_object()) throw std::invalid_argument("a profile must be a JSON object");
    dsp::Profile profile;
    for_each_field(profile, [&json](const char* name, auto& value) {
        const auto found = json.find(name);
        if (found == json.end()) refuse(name, "is missing");
        read(name, *found, value);
    });
    return profile;
}

}  // namespace lacquer
