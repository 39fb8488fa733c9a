#include "dsp/simd.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <stdexcept>

#include <hwy/highway.h>

namespace lacquer::dsp {
namespace {

std::string name_of(std::int64_t target) {
    std::string name = hwy::TargetName(target);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    return name;
}

// What the processor has and this binary was built for, forced or not; Highway's lower bits are the better targets.
std::vector<std::int64_t> targets_of(std::int64_t supported) {
    std::vector<std::int64_t> targets;
    for (std::int64_t left = supported & HWY_TARGETS; left != 0; left &= left - 1) targets.push_back(left & -left);
    std::reverse(targets.begin(), targets.end());
    return targets;
}

// Asked once, before anything can be forced.
const std::vector<std::int64_t>& runnable_targets() {
    static const std::vector<std::int64_t> targets = targets_of(hwy::SupportedTargets());
    return targets;
}

}  // namespace

std::vector<std::string> runnable_simd() {
    std::vector<std::string> names;
    for (const std::int64_t target : runnable_targets()) names.push_back(name_of(target));
    return names;
}

std::string simd_in_use() {
    return name_of(targets_of(hwy::SupportedTargets()).back());
}

void force_simd(std::string_view name) {
    if (name.empty()) return hwy::SetSupportedTargetsForTest(0);
    std::string allowed;
    for (const std::int64_t target : runnable_targets()) {
        if (name_of(target) == name) return hwy::SetSupportedTargetsForTest(target);
        allowed += (allowed.empty() ? "" : ", ") + name_of(target);
    }
    throw std::invalid_argument("instruction set '" + std::string(name) +
                                "' is not one this processor runs: " + allowed);
}

}  // namespace lacquer::dsp
