// While alive, results too small for a normal number are zero: silence after music would otherwise cost the filters a
// hundred times their usual work. Restores the thread's mode at the end. x86 only; elsewhere it does nothing.
#pragma once

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include "dsp/realtime.h"

namespace lacquer::dsp {

class FlushDenormals {
public:
#if defined(__SSE2__)
    FlushDenormals() LACQUER_REALTIME : before_(_mm_getcsr()) {
        _mm_setcsr(before_ | kFlushToZero | kDenormalsAreZero);
    }
    ~FlushDenormals() {
        _mm_setcsr(before_);
    }
#else
    FlushDenormals() LACQUER_REALTIME {}
    ~FlushDenormals() {}
#endif
    FlushDenormals(const FlushDenormals&) = delete;  // a copy would restore the mode twice
    FlushDenormals& operator=(const FlushDenormals&) = delete;

private:
#if defined(__SSE2__)
    static constexpr unsigned kFlushToZero = 0x8000;
    static constexpr unsigned kDenormalsAreZero = 0x0040;
    unsigned before_;
#endif
};

}  // namespace lacquer::dsp
