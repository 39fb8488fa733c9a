// One listener of bench/load_client: asks for a stream on a new connection and reads it at the pace of playback, never
// faster, as a player with a full buffer does. It is behind when at any moment everything that has arrived is less than
// real-time playback since its first byte needs, apart from a stated buffer.
//
// Threads: one, which drives all listeners: on_ready() when epoll says so, on_due() when due() has come. Nothing
// blocks.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace lacquer::bench {

using LoadClock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

struct ListenerPlan {
    std::uint16_t port = 0;  // on loopback
    std::string path;
    std::uint64_t offset_bytes = 0;  // where it starts to listen
    double bytes_per_s = 0;          // 0: as fast as the bytes come, and the same again at the end
    Seconds buffer{0.25};            // what a player holds: that much later than the first byte it begins to play
    Seconds starts_after{0};
    Seconds pauses_after{0};  // of playing
    Seconds pause{0};         // 0: none
    int receive_buffer_bytes = 128 * 1024;
    std::span<const std::byte> expected;  // what the whole body must be; empty: bytes are counted and thrown away
};

enum class Outcome { open, complete, refused, reset, cut_short, wrong_bytes, no_connection };
const char* name_of(Outcome outcome);

class Listener {
public:
    // `epoll` gets the socket, with `number` as its data.
    Listener(ListenerPlan plan, int epoll, std::uint32_t number, LoadClock::time_point begin);
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    ~Listener();

    bool is_open() const { return outcome_ == Outcome::open; }
    LoadClock::time_point due() const { return due_; }  // max(): only on_ready() goes on
    void on_due(LoadClock::time_point now);
    void on_ready(LoadClock::time_point now);

    Outcome outcome() const { return outcome_; }
    int status() const { return status_; }                                             // of the answer; 0: none yet
    bool has_first_byte() const { return first_byte_at_ != LoadClock::time_point(); }  // of the samples
    bool was_paused() const { return paused_; }
    Seconds first_byte() const { return first_byte_at_ - asked_at_; }
    Seconds worst_lag() const { return worst_lag_; }
    bool is_behind() const { return worst_lag_ > plan_.buffer; }
    Seconds worst_lateness() const { return worst_lateness_; }  // of this program, not of the server
    std::uint64_t received_bytes() const { return total_bytes_; }

private:
    enum class State { not_started, connecting, asked, answered, playing, over };

    bool is_bulk() const { return plan_.bytes_per_s == 0; }
    void connect(LoadClock::time_point now);
    void ask();
    void read_head(LoadClock::time_point now);
    void begin_to_play(LoadClock::time_point now);
    void play(LoadClock::time_point now);
    // Reads at most `bytes`; false when there were fewer.
    bool receive(std::uint64_t bytes);
    bool take(std::span<const std::byte> bytes);
    void end(Outcome outcome);
    Seconds played(LoadClock::time_point now) const;

    ListenerPlan plan_;
    int epoll_;
    std::uint32_t number_;
    int socket_ = -1;
    Outcome outcome_ = Outcome::open;
    State state_ = State::not_started;
    std::string head_;
    int status_ = 0;
    std::uint64_t body_bytes_ = 0;
    std::uint64_t received_bytes_ = 0;  // of this body
    std::uint64_t total_bytes_ = 0;
    bool starved_ = false;  // the last read wanted more than there was
    bool paused_ = false;
    LoadClock::time_point due_;
    LoadClock::time_point asked_at_;
    LoadClock::time_point first_byte_at_{};
    Seconds worst_lag_{0};
    Seconds worst_lateness_{0};
};

}  // namespace lacquer::bench
