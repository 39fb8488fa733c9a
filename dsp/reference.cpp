#include "dsp/reference.h"

#include <algorithm>
#include <stdexcept>

#include "dsp/units.h"

namespace lacquer::dsp {

ReferenceTarget reference_of(const Profile& profile) {
    if (profile.integrated_lufs < kNearSilenceLufs) throw std::invalid_argument("the reference is near silence");
    const double strongest_dbfs = *std::max_element(profile.octave_dbfs.begin(), profile.octave_dbfs.end());
    ReferenceTarget target;
    for (std::size_t b = 0; b < kOctaveBands; ++b) {
        const double level_db = profile.octave_dbfs[b] - strongest_dbfs;
        target.octave_db[b] = level_db < -kAudibleShareDb ? kSilenceDb : level_db;
    }
    target.integrated_lufs = profile.integrated_lufs;
    target.side_to_mid_db = profile.side_to_mid_db;
    target.loudness_range_lu = profile.loudness_range_lu;
    target.crest_db = profile.crest_db;
    return target;
}

}  // namespace lacquer::dsp
