#include "dsp/recipe.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "dsp/compressor.h"
#include "dsp/eq_fit.h"
#include "dsp/filter_design.h"
#include "dsp/level_plan.h"
#include "dsp/prediction.h"
#include "dsp/tone_curve.h"
#include "dsp/true_peak_limiter.h"
#include "dsp/units.h"

namespace lacquer::dsp {
namespace {

constexpr double kWorkingLufs = -18.0;  // what the chain's first stage trims to
constexpr double kCeilingDbtp = -1.0;
constexpr double kMaxMakeUpDb = 9.0;
constexpr double kMinMakeUpDb = -12.0;
constexpr double kMaxLimitingDb = 3.0;
constexpr double kLookAheadMs = 5.0;
constexpr double kPeakMs = 8.0;  // how long a peak lasts against the attack of the compressor
constexpr double kLimiterFastReleaseMs = 50.0;
constexpr double kLimiterSlowReleaseMs = 200.0;
constexpr double kLimiterBuildUpMs = 180.0;
constexpr double kKneeDb = 6.0;
constexpr double kMaxReferenceToneDb = 6.0;
constexpr double kMaxReferenceWidthDb = 3.0;
constexpr double kMonoBelowHz = 120.0;
constexpr double kHighPassNeutralHz = 10.0;
constexpr std::array<double, kDynamicsBands> kDetectorMs{30.0, 20.0, 10.0};

struct Job {
    const Profile& profile;
    const Preset& wanted;
    double intensity;
    const ReferenceTarget* reference;  // null: the preset's own targets

    double rate_hz() const { return profile.sample_rate_hz; }
    double scaled(double neutral, double full) const { return neutral + intensity * (full - neutral); }
};

void check_format(std::uint32_t sample_rate_hz, std::uint32_t channel_count) {
    if (sample_rate_hz == 0) throw std::invalid_argument("sample_rate_hz");
    if (channel_count < 1 || channel_count > kMaxChannels) throw std::invalid_argument("channel_count");
}

double limited_frequency(double hz, double rate_hz) {
    return std::min(hz, 0.4 * rate_hz) / rate_hz;
}

LimiterSettings limiter_settings(double rate_hz) {
    const double group_ms = 1000.0 * static_cast<double>(kGroupFrames) / rate_hz;
    const auto look_ahead = static_cast<std::uint32_t>(std::lround(kLookAheadMs * rate_hz / 1000.0));
    return {db_to_gain(kCeilingDbtp - kLimiterMarginDb), std::max(look_ahead, 1u),
            std::exp(-group_ms / kLimiterFastReleaseMs), std::exp(-group_ms / kLimiterSlowReleaseMs),
            1.0 - std::exp(-group_ms / kLimiterBuildUpMs)};
}

ToneCurve matching_curve(const Job& job) {
    if (!job.reference) return match_correction(job.profile, recorded_music(), job.wanted.match);
    return match_correction(job.profile, {job.reference->octave_db, kMaxReferenceToneDb}, 1.0);
}

EqualiserSettings equaliser_settings(const Job& job) {
    ToneCurve curve = matching_curve(job);
    const ToneCurve tone = preset_tone(job.wanted.tone_db);
    for (std::size_t b = 0; b < kOctaveBands; ++b) curve[b] = job.intensity * (curve[b] + tone[b]);

    EqualiserSettings settings;
    auto next = settings.sections.begin();
    if (job.wanted.high_pass_hz > 0.0) {  // Butterworth, 4th order
        const double ratio = job.wanted.high_pass_hz / kHighPassNeutralHz;
        const double frequency = kHighPassNeutralHz * std::pow(ratio, job.intensity) / job.rate_hz();
        *next++ = high_pass(frequency, 0.54119610014619698440);
        *next++ = high_pass(frequency, 1.30656296487637652786);
    }
    const auto room = static_cast<std::size_t>(settings.sections.end() - next);
    const auto sections = fit_sections(curve, room, job.profile.sample_rate_hz);
    std::copy(sections.begin(), sections.end(), next);
    return settings;
}

// Less for what was squashed already: [0, 1] from the crest factor and the loudness range.
double liveliness(double crest_db, double loudness_range_lu) {
    const double crest = std::clamp((crest_db - 9.0) / 9.0, 0.0, 1.0);
    const double range = std::clamp((loudness_range_lu - 3.0) / 9.0, 0.0, 1.0);
    return 0.5 * (crest + range);
}

double ratio_of(const Job& job) {
    const double own = liveliness(job.profile.crest_db, job.profile.loudness_range_lu);
    if (job.reference) {
        const double wanted = liveliness(job.reference->crest_db, job.reference->loudness_range_lu);
        return 1.0 + (job.wanted.compression.ratio - 1.0) * std::max(own - wanted, 0.0);
    }
    if (!job.wanted.adapts) return job.wanted.compression.ratio;
    return 1.2 + (job.wanted.compression.ratio - 1.2) * own;
}

// Narrow enough for out-of-phase tracks, a little wider for tracks close to mono, untouched when they are mono.
double adaptive_width(double correlation) {
    if (correlation < 0.3) return 0.9 + 0.1 * std::clamp(correlation / 0.3, 0.0, 1.0);
    if (correlation < 0.7) return 1.0 + 0.1 * (correlation - 0.3) / 0.4;
    return 1.1 - 0.1 * std::clamp((correlation - 0.9) / 0.1, 0.0, 1.0);
}

double reference_width(const Profile& profile, const ReferenceTarget& reference) {
    if (profile.side_to_mid_db <= kSilenceDb) return 1.0;  // there is no side to make louder
    const double wanted_db = reference.side_to_mid_db - profile.side_to_mid_db;
    return db_to_gain(std::clamp(wanted_db, -kMaxReferenceWidthDb, kMaxReferenceWidthDb));
}

CompressorBandSettings band_settings(const Job& job, std::size_t band, double shift_db) {
    const PresetCompression& wanted = job.wanted.compression;
    const LevelHistogram& levels = job.profile.band_levels[band];
    CompressorBandSettings settings;
    settings.knee_db = kKneeDb;
    settings.threshold_db = level_percentile_db(levels, 0.5) + shift_db + wanted.threshold_db;
    settings.slope = job.intensity * (1.0 - 1.0 / ratio_of(job));
    settings.detector = smoothing_step(kDetectorMs[band], job.rate_hz());
    settings.attack = smoothing_step(wanted.bands[band].attack_ms, job.rate_hz());
    settings.release = smoothing_step(wanted.bands[band].release_ms, job.rate_hz());

    const double loud_db = level_percentile_db(levels, 0.95) + shift_db;
    const double reduction_db = static_reduction_db(settings, loud_db);
    if (reduction_db > wanted.max_reduction_db) settings.slope *= wanted.max_reduction_db / reduction_db;
    return settings;
}

// The changes the chain makes before its constant gain, in dB.
struct Prediction {
    double loudness_db = 0.0;
    double peak_db = 0.0;

    void add(double change_db) {
        loudness_db += change_db;
        peak_db += change_db;
    }
};

double loudest(const std::vector<float>& short_term_lufs, const std::vector<double>& gains_db) {
    double loudest_lufs = kLoudnessFloorLufs;
    for (std::size_t i = 0; i < short_term_lufs.size(); ++i) {
        loudest_lufs = std::max(loudest_lufs, static_cast<double>(short_term_lufs[i]) + gains_db[i]);
    }
    return loudest_lufs;
}

// Compressor, level curve, saturation and width; the equaliser stands already.
Prediction derive_dynamics(const Job& job, Recipe& recipe) {
    const Profile& profile = job.profile;
    const ShapedSpectrum spectrum(profile, recipe.equaliser, recipe.compressor.borders);
    std::array<double, kDynamicsBands> shifts_db{};
    std::array<double, kDynamicsBands> gains_db{};
    std::array<double, kDynamicsBands> peak_gains_db{};
    for (std::size_t b = 0; b < kDynamicsBands; ++b) {
        shifts_db[b] = gain_to_db(recipe.trim) + spectrum.equaliser_change_db(b);
        recipe.compressor.bands[b] = band_settings(job, b, shifts_db[b]);
        gains_db[b] = compression_change_db(profile.band_levels[b], recipe.compressor.bands[b], shifts_db[b]);
        peak_gains_db[b] = gains_db[b] * (1.0 - std::exp(-kPeakMs / job.wanted.compression.bands[b].attack_ms));
    }
    Prediction change;
    change.loudness_db =
        spectrum.equaliser_change_db(Weighting::k) + spectrum.dynamics_change_db(gains_db, Weighting::k);
    change.peak_db =
        spectrum.equaliser_change_db(Weighting::flat) + spectrum.dynamics_change_db(peak_gains_db, Weighting::flat);

    recipe.saturation.amount = job.intensity * job.wanted.saturation;
    change.add(
        saturation_change_db(profile.rms_dbfs + gain_to_db(recipe.trim) + change.peak_db, recipe.saturation.amount));
    if (profile.channel_count == 2) {
        change.loudness_db += spectrum.width_change_db(profile.side_to_mid_db, recipe.width, Weighting::k);
        change.peak_db += spectrum.width_change_db(profile.side_to_mid_db, recipe.width, Weighting::flat);
    }
    const auto by_second_db = compression_by_second_db(profile, spectrum, recipe.compressor.bands, shifts_db);
    const std::vector<double>& curve_db = recipe.level.curve_db;
    change.loudness_db += gating_change_db(block_loudness(profile, spectrum), by_second_db, curve_db);
    if (!curve_db.empty()) {
        const std::vector<double> none(curve_db.size(), 0.0);
        change.peak_db += loudest(profile.short_term_lufs, curve_db) - loudest(profile.short_term_lufs, none);
    }
    return change;
}

std::vector<double> derive_level_curve(const Job& job) {
    PresetLevelCurve wanted = job.wanted.level_curve;
    wanted.strength *= job.intensity;
    wanted.max_db *= job.intensity;
    return plan_level_curve(job.profile.short_term_lufs, job.profile.integrated_lufs, wanted);
}

// A track whose peaks hardly stand out would be limited all the time.
double max_limiting_db(const Profile& profile) {
    return kMaxLimitingDb * std::clamp((profile.crest_db - 4.0) / 8.0, 0.25, 1.0);
}

void derive_make_up(const Job& job, bool loudness_match, const Prediction& change, RecipeOutcome& outcome) {
    const double before_lufs = job.profile.integrated_lufs;
    const double full_lufs = job.reference ? job.reference->integrated_lufs : job.wanted.loudness_lufs;
    const double target_lufs = loudness_match ? job.scaled(before_lufs, full_lufs) : before_lufs;
    const double wanted_db = target_lufs - before_lufs - change.loudness_db;
    const double room_db = kCeilingDbtp - (job.profile.true_peak_dbtp + change.peak_db);
    const double headroom_db = room_db + max_limiting_db(job.profile);
    const auto limited_db = [&](double gain_db) { return limiting_change_db(gain_db - room_db, job.profile.crest_db); };

    double gain_db = wanted_db;
    for (int step = 0; step < 20; ++step) gain_db = wanted_db - limited_db(gain_db);
    const auto bind = [&](const char* rule, double bound_db) {
        outcome.bound = rule;
        gain_db = bound_db;
    };
    if (before_lufs < kNearSilenceLufs) {
        bind("near-silence", 0.0);
    } else {
        if (gain_db > kMaxMakeUpDb) bind("max-gain", kMaxMakeUpDb);
        if (gain_db > headroom_db) bind("peak-headroom", headroom_db);
        if (gain_db < kMinMakeUpDb) bind("min-gain", kMinMakeUpDb);
    }
    outcome.make_up_gain_db = gain_db;
    outcome.predicted_lufs = before_lufs + change.loudness_db + gain_db + limited_db(gain_db);
    outcome.recipe.level.gain = db_to_gain(gain_db) / outcome.recipe.trim;
}

WidthSettings width_settings(const Job& job) {
    const CrossoverSettings border = linkwitz_riley(limited_frequency(job.wanted.mono_below_hz, job.rate_hz()));
    // The bass too stays as wide as the reference has it.
    if (job.reference) return {job.scaled(1.0, reference_width(job.profile, *job.reference)), 0.0, border};
    const double full = job.wanted.adapts ? adaptive_width(job.profile.stereo_correlation) : job.wanted.width;
    return {job.scaled(1.0, full), job.intensity, border};
}

}  // namespace

Recipe neutral_recipe(std::uint32_t sample_rate_hz, std::uint32_t channel_count) {
    check_format(sample_rate_hz, channel_count);
    const double rate_hz = sample_rate_hz;
    Recipe recipe;
    recipe.sample_rate_hz = sample_rate_hz;
    recipe.channel_count = channel_count;
    for (std::size_t b = 0; b < recipe.compressor.borders.size(); ++b) {
        recipe.compressor.borders[b] = linkwitz_riley(limited_frequency(kCrossoversHz[b], rate_hz));
    }
    recipe.width.border = linkwitz_riley(limited_frequency(kMonoBelowHz, rate_hz));
    recipe.limiter = limiter_settings(rate_hz);
    return recipe;
}

RecipeOutcome derive_recipe(const Profile& profile, const RecipeRequest& request) {
    if (!(request.intensity >= 0.0 && request.intensity <= 1.0)) throw std::invalid_argument("intensity");
    RecipeOutcome outcome;
    outcome.recipe = neutral_recipe(profile.sample_rate_hz, profile.channel_count);
    outcome.predicted_lufs = profile.integrated_lufs;
    Recipe& recipe = outcome.recipe;
    if (request.intensity == 0.0) {
        recipe.bypass = true;
        return outcome;
    }
    if (profile.integrated_lufs <= kLoudnessFloorLufs) {
        outcome.bound = "near-silence";
        return outcome;
    }
    const ReferenceTarget* const reference = request.reference ? &*request.reference : nullptr;
    const PresetId base = reference ? PresetId::adaptive : request.preset;
    const Job job{profile, preset(base), request.intensity, reference};
    if (profile.integrated_lufs >= kNearSilenceLufs) recipe.trim = db_to_gain(kWorkingLufs - profile.integrated_lufs);
    recipe.equaliser = equaliser_settings(job);
    recipe.width = width_settings(job);
    recipe.level.curve_db = derive_level_curve(job);
    const Prediction change = derive_dynamics(job, recipe);
    derive_make_up(job, request.loudness_match, change, outcome);
    return outcome;
}

}  // namespace lacquer::dsp
