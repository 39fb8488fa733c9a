// Which instruction set the vector kernels run on. Each kernel is compiled once per set (Highway, run-time dispatch)
// and gives the same bytes on all of them: no fused multiply-add, every sum in a fixed order that does not depend on
// the number of lanes.
//
// Names, slowest first: "scalar", "ssse3", "sse4", "avx2", "avx3" (AVX-512); on Arm "neon" alone.
// Threads: force_simd() before anything renders; the others any time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lacquer::dsp {

std::vector<std::string> runnable_simd();  // what this processor can run, slowest first
std::string simd_in_use();

// From now on every kernel runs on `name`; "" goes back to the fastest. Throws std::invalid_argument saying what this
// processor can run.
void force_simd(std::string_view name);

}  // namespace lacquer::dsp
