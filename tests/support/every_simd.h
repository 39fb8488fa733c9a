// Runs a test body once per instruction set that this processor has.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "dsp/simd.h"

namespace lacquer::test {

template <typename Body>
void on_every_simd(Body body) {
    struct Restore {
        ~Restore() { dsp::force_simd(""); }
    } restore;
    for (const std::string& name : dsp::runnable_simd()) {
        SCOPED_TRACE("on " + name);
        dsp::force_simd(name);
        body(name);
    }
}

}  // namespace lacquer::test
