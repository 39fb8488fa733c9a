// A line of the last `past` values followed by the block at hand, for stages that look back further than the block.
//
// Memory: allocated by the constructor.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "dsp/realtime.h"
#include "dsp/work_block.h"

namespace lacquer::dsp {

template <typename Value>
class History {
public:
    explicit History(std::size_t past) : past_(past), values_(past + kWorkFrames) {}

    // The block's first value; the `past` values before it are valid as well.
    Value* block() LACQUER_REALTIME { return values_.data() + past_; }
    std::size_t past() const LACQUER_REALTIME { return past_; }

    // The block's first `count` values become the past.
    void advance(std::size_t count) LACQUER_REALTIME {
        std::copy(values_.begin() + static_cast<std::ptrdiff_t>(count),
                  values_.begin() + static_cast<std::ptrdiff_t>(count + past_), values_.begin());
    }
    void reset() LACQUER_REALTIME { std::fill(values_.begin(), values_.end(), Value{}); }

private:
    std::size_t past_;
    std::vector<Value> values_;
};

}  // namespace lacquer::dsp
