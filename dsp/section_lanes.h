// Coefficients and state of second-order sections that run side by side, lane by lane as the vectors load them.
//
// Method:  the state-space form of the transposed direct form II,
//              y = b0 x + s1,  s1 <- (c1 x + s2) - a1 s1,  s2 <- c2 x - a2 s1,   c = b - b0 a,
//          whose loop is one multiplication and one subtraction long; the usual form's is an addition longer.
#pragma once

#include <array>
#include <cstddef>

#include "dsp/biquad.h"
#include "dsp/realtime.h"

namespace lacquer::dsp {

template <std::size_t Lanes>
struct SectionLanes {
    using Line = std::array<double, Lanes>;
    alignas(64) Line b0{};
    alignas(64) Line c1{};
    alignas(64) Line c2{};
    alignas(64) Line a1{};
    alignas(64) Line a2{};
    alignas(64) Line s1{};
    alignas(64) Line s2{};

    void set(std::size_t lane, const BiquadCoefficients& section) noexcept {
        b0[lane] = section.b0;
        c1[lane] = section.b1 - section.b0 * section.a1;
        c2[lane] = section.b2 - section.b0 * section.a2;
        a1[lane] = section.a1;
        a2[lane] = section.a2;
    }
    void set_pair(std::size_t pair, const BiquadCoefficients& section) noexcept {
        set(2 * pair, section);
        set(2 * pair + 1, section);
    }
    void reset() LACQUER_REALTIME {
        s1.fill(0.0);
        s2.fill(0.0);
    }
};

// The same section with b0 = 1, where it is not zero; what was taken out is multiplied to `gain`.
inline BiquadCoefficients with_unit_b0(const BiquadCoefficients& section, double& gain) {
    gain *= section.b0;
    return {1.0, section.b1 / section.b0, section.b2 / section.b0, section.a1, section.a2};
}

}  // namespace lacquer::dsp
