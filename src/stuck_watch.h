// Looks for workers that do not get on, a few times per patience, and has the scheduler write them off.
//
// Threads: works on the timers' thread. To be destroyed after the timers were stopped.
#pragma once

#include <chrono>

#include "src/scheduler.h"
#include "src/timers.h"

namespace lacquer {

class StuckWatch {
public:
    StuckWatch(Timers& timers, Scheduler& scheduler, std::chrono::milliseconds patience)
        : timers_(timers), scheduler_(scheduler), patience_(patience) {
        look_again();
    }

private:
    static constexpr int kLooksPerPatience = 8;

    // A pause of the whole process is nobody's lack of progress: what passes between two looks counts as one period.
    void look_again() {
        timers_.call_after(patience_ / kLooksPerPatience, [this] {
            watched_ += patience_ / kLooksPerPatience;
            scheduler_.write_off_stuck(watched_, patience_);
            look_again();
        });
    }

    Timers& timers_;
    Scheduler& scheduler_;
    const std::chrono::milliseconds patience_;
    Timers::Clock::time_point watched_{};
};

}  // namespace lacquer
