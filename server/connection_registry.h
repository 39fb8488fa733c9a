// Which descriptors are open and what they are doing, so that others can end them: a full server closes the connection
// that idles longest, a stopping one closes all that idle, then all.
//
// Threads: any. A descriptor is removed before it is closed, so none is ever shut down after its number was reused.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>

#include "thread/mutex.h"

namespace lacquer::server {

class ConnectionRegistry {
public:
    enum class Phase { reading, idle, responding };  // reading: a head; idle: between two requests

    // False when the connection should end instead: stopping, or it would idle while another waits for its place.
    [[nodiscard]] bool enter(int descriptor, Phase phase);
    // `frees_place`: whether one that waits gets its thread.
    void remove(int descriptor, bool frees_place = true);

    // Makes room: ends the connection that has been idle longest, or else the next one that would begin to idle.
    void make_room();
    // How many still wait for room: those that were served or refused meanwhile need none any more.
    void limit_places_owed(std::size_t waiting);
    bool is_stopping() const;
    // Whether a connection that is answered now would end afterwards: enter() said beforehand.
    bool ends_the_idle() const;
    // No connection may go on to a further request; those that are reading or idle end now.
    void stop();
    // True when no connection is left within `patience`.
    bool wait_until_empty(std::chrono::milliseconds patience);
    void end_all();

private:
    struct Entry {
        Phase phase = Phase::reading;
        std::uint64_t since = 0;  // counts phase changes
    };
    mutable thread::Mutex mutex_;
    std::condition_variable_any removed_;
    std::map<int, Entry> entries_ GUARDED_BY(mutex_);
    std::uint64_t changes_ GUARDED_BY(mutex_) = 0;
    std::size_t places_owed_ GUARDED_BY(mutex_) = 0;  // to those that wait, at most one each
    bool stopping_ GUARDED_BY(mutex_) = false;
};

}  // namespace lacquer::server
