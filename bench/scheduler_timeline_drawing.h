// A scenario as lines of text or as SVG: the workers' lanes in the colours of what they do; a row per listener with
// when each chunk was rendered, when the listener came to it, and whether there was silence in between.
#pragma once

#include <ostream>

#include "bench/scheduler_timeline_scenario.h"

namespace lacquer::bench {

void draw_text(const Scenario& scenario, std::ostream& out);
void draw_svg(const Scenario& scenario, std::ostream& out);
// Listeners behind, waits for a first byte, tasks started by class, how busy the workers were.
void print_summary(const Scenario& scenario, std::ostream& out);

}  // namespace lacquer::bench
