// One second-order section in double. Float would not do: a 31 Hz section alone then errs by -55 dBFS.
//
// Method:  transposed direct form II, H(z) = (b0 + b1 z^-1 + b2 z^-2) / (1 + a1 z^-1 + a2 z^-2).
// Threads: one instance per channel of one run.
// Latency: none.
#pragma once

#include <cmath>

#include "dsp/realtime.h"

namespace lacquer::dsp {

struct BiquadCoefficients {  // normalised: a0 = 1
    double b0 = 1.0;
    double b1 = 0.0;
    double b2 = 0.0;
    double a1 = 0.0;
    double a2 = 0.0;

    bool operator==(const BiquadCoefficients&) const = default;
};

class Biquad {
public:
    Biquad() = default;
    explicit Biquad(const BiquadCoefficients& coefficients) noexcept : c_(coefficients) {}

    double process(double x) LACQUER_REALTIME {
        const double y = c_.b0 * x + s1_;
        s1_ = c_.b1 * x - c_.a1 * y + s2_;
        s2_ = c_.b2 * x - c_.a2 * y;
        return y;
    }
    void reset() LACQUER_REALTIME {
        s1_ = 0.0;
        s2_ = 0.0;
    }

    // Lets go of a tail too faint to matter, before it becomes a crawl of denormal numbers. For a result that does not
    // depend on how a stream is cut, call it at positions that do not either, a few times a second.
    void settle() LACQUER_REALTIME {
        constexpr double kFaint = 1e-30;
        if (std::abs(s1_) < kFaint && std::abs(s2_) < kFaint) reset();
    }

private:
    BiquadCoefficients c_;
    double s1_ = 0.0;
    double s2_ = 0.0;
};

}  // namespace lacquer::dsp
