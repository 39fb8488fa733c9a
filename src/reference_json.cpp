#include "src/reference_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace lacquer {

nlohmann::json reference_to_json(const dsp::ReferenceTarget& target) {
    return {{"octaveDb", target.octave_db},
            {"integratedLufs", target.integrated_lufs},
            {"sideToMidDb", target.side_to_mid_db},
            {"loudnessRangeLu", target.loudness_range_lu},
            {"crestDb", target.crest_db}};
}

dsp::ReferenceTarget reference_from_json(const nlohmann::json& json) {
    try {
        dsp::ReferenceTarget target;
        const auto octaves = json.at("octaveDb").get<std::vector<double>>();
        if (octaves.size() != target.octave_db.size()) throw std::invalid_argument("octaveDb has the wrong length");
        std::copy(octaves.begin(), octaves.end(), target.octave_db.begin());
        target.integrated_lufs = json.at("integratedLufs").get<double>();
        target.side_to_mid_db = json.at("sideToMidDb").get<double>();
        target.loudness_range_lu = json.at("loudnessRangeLu").get<double>();
        target.crest_db = json.at("crestDb").get<double>();
        return target;
    } catch (const nlohmann::json::exception& error) {
        throw std::invalid_argument(std::string("stored reference: ") + error.what());
    }
}

}  // namespace lacquer
