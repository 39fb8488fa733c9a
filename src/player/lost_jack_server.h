// PortAudio 19.6 cannot bear the end of its JACK server, and this mends it from outside:
//
// - It asserts, also in Debian's build, that JACK lets it go in good order: the program would end with the server. So
//   jack_deactivate, jack_client_close and jack_port_unregister are wrapped, and PortAudio never learns.
// - Having heard that the server has gone, it waits ten minutes for a stream to start or to stop, for a signal that it
//   has had already. So jack_on_shutdown is wrapped, and the signal can be given again.
//
// The wrappers take effect by being in the program: PortAudio finds them before JACK's own.
#pragma once

#include <condition_variable>
#include <thread>

#include "thread/mutex.h"

namespace lacquer::player {

// To be held while PortAudio starts or stops a stream, but not while it closes one, which frees what it would be told
// of. Does nothing unless a server has gone.
class LostJackServer {
public:
    LostJackServer();
    LostJackServer(const LostJackServer&) = delete;
    LostJackServer& operator=(const LostJackServer&) = delete;

private:
    void tell_again(const std::stop_token& stop);

    thread::Mutex mutex_;
    std::condition_variable_any woken_;
    std::jthread teller_;  // last: uses the others
};

}  // namespace lacquer::player
