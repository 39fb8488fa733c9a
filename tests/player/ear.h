// A device whose clock is turned by hand: takes frames from a callback, each time under the guards, and keeps them.
#pragma once

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "src/player/mixer.h"
#include "tests/support/allocation_guard.h"
#include "tests/support/realtime_guard.h"

namespace lacquer::test {

class Ear {
public:
    Ear(player::AudioCallback& callback, std::size_t channels) : callback_(callback), channels_(channels) {}

    // Calls of `period` frames (the last one shorter); what they gave.
    std::vector<float> take(std::size_t frames, std::size_t period = 480) {
        std::vector<float> taken(frames * channels_, std::nanf(""));
        for (std::size_t done = 0; done < frames; done += period) {
            const std::size_t count = std::min(period, frames - done);
            std::size_t allocated = 0;
            std::size_t offences = 0;
            const char* offender = "";
            {
                const AllocationGuard allocations;
                const RealtimeGuard guard;
                callback_.process(nullptr, taken.data() + done * channels_, count);
                allocated = allocations.count() + allocations.freed_count();
                offences = guard.count();
                offender = guard.first_offender();
            }
            EXPECT_EQ(allocated, 0u);
            EXPECT_EQ(offences, 0u) << offender;
        }
        return taken;
    }

private:
    player::AudioCallback& callback_;
    const std::size_t channels_;
};

}  // namespace lacquer::test
