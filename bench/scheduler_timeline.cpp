// Draws what the scheduler does: docs/scheduler-timeline.svg, or text. In virtual time, so it takes no time and is the
// same on every machine.
#include <CLI/CLI.hpp>
#include <iostream>

#include "bench/scheduler_timeline_drawing.h"
#include "bench/scheduler_timeline_scenario.h"

namespace lacquer::bench {

using namespace std::chrono_literals;

Scenario::Scenario(const ScenarioWish& wish)
    : wish_(wish),
      workers_(wish.workers),
      // Something can be heard when the 5 s of context before the chunk have been rendered: 5 s of 36.
      chunks_(workers_, {30s, wish.render_ms * 1ms * 5 / 36, wish.render_ms * 1ms}),
      measuring_(workers_, wish.render_ms * 1ms * 7 / 10, 8) {
    std::mt19937_64 random(wish.seed);
    for (int track = 0; track < wish.listeners; ++track) add_listener(track, random);
    add_batch(1, 8s);
    add_batch(2, 20s);
    measuring_.measure_next_track();
    workers_.run_until(Deadline{} + wish.seconds * 1s);
}

void Scenario::add_listener(int track, std::mt19937_64& random) {
    auto& listener = listeners_.emplace_back(chunks_, track);
    const Deadline comes = Deadline{} + std::chrono::milliseconds(random() % 60'000);
    auto& rest =
        jobs_.emplace_back(chunks_, Urgency{TaskClass::rest_of_track, Deadline::max(), 100u + track}, track, 2, 5);
    workers_.at(comes, [this, &listener, &rest] {
        listener.play(0);
        workers_.at(workers_.now() + 2s, [&rest] { rest.go(); });
    });
    if (track == kSeeker) workers_.at(std::max(comes, Deadline{} + kSeekAt), [&listener] { listener.play(12); });
    if (track == kLeaver) workers_.at(std::max(comes, Deadline{} + kLeaveAt), [&listener] { listener.leave(); });
}

void Scenario::add_batch(int number, std::chrono::seconds at) {
    const auto job = static_cast<std::uint64_t>(number);
    auto& batch = jobs_.emplace_back(chunks_, Urgency{TaskClass::batch, Deadline::max(), job}, 1000 * number, 0, 12);
    workers_.at(Deadline{} + at, [&batch] { batch.go(); });
}

}  // namespace lacquer::bench

int main(int argc, char** argv) {
    using namespace lacquer::bench;
    ScenarioWish wish;
    bool text = false;
    CLI::App app{"Draws what the scheduler does with listeners, batches and measuring, in virtual time."};
    app.add_flag("--text", text, "as text instead of SVG");
    app.add_option("--workers", wish.workers, "workers")->check(CLI::Range(1, 20))->capture_default_str();
    app.add_option("--listeners", wish.listeners, "listeners, all of them here after 60 s")
        ->check(CLI::Range(0, 200))
        ->capture_default_str();
    app.add_option("--seconds", wish.seconds, "length of the picture")
        ->check(CLI::Range(10, 600))
        ->capture_default_str();
    app.add_option("--render-ms", wish.render_ms, "what a chunk of 30 s takes")
        ->check(CLI::Range(10, 60'000))
        ->capture_default_str();
    app.add_option("--seed", wish.seed, "when the listeners come")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    const Scenario scenario(wish);
    (text ? draw_text : draw_svg)(scenario, std::cout);
    print_summary(scenario, text ? std::cout : std::cerr);
}
