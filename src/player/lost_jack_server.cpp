#include "src/player/lost_jack_server.h"

#include <chrono>

#include <dlfcn.h>

namespace lacquer::player {
namespace {

using Listener = void (*)(void*);

// Of the one client that PortAudio is. Global as JACK's functions are, which know no more than the client.
struct Shutdown {
    thread::Mutex mutex;
    Listener listener GUARDED_BY(mutex) = nullptr;
    void* argument GUARDED_BY(mutex) = nullptr;
    bool happened GUARDED_BY(mutex) = false;
};

Shutdown& shutdown() {
    static Shutdown& state = *new Shutdown;  // never destroyed: JACK's threads may come late
    return state;
}

void listen(Listener listener, void* argument) {
    Shutdown& state = shutdown();
    const thread::MutexLock lock(state.mutex);
    state.listener = listener;
    state.argument = argument;
    state.happened = false;
}

void tell(bool now_happened) {
    Shutdown& state = shutdown();
    Listener listener = nullptr;
    void* argument = nullptr;
    {
        const thread::MutexLock lock(state.mutex);
        state.happened |= now_happened;
        if (!state.happened) return;
        listener = state.listener;
        argument = state.argument;
    }
    if (listener != nullptr) listener(argument);
}

void on_shutdown(void*) {
    tell(true);
}

// PortAudio brings libjack along; there is no need to link it.
template <class... Arguments>
int of_jack(const char* name, Arguments... arguments) {
    void* const real = ::dlsym(RTLD_NEXT, name);
    return real == nullptr ? 0 : reinterpret_cast<int (*)(Arguments...)>(real)(arguments...);
}

}  // namespace

LostJackServer::LostJackServer() : teller_([this](const std::stop_token& stop) { tell_again(stop); }) {}

void LostJackServer::tell_again(const std::stop_token& stop) {
    const thread::MutexLock lock(mutex_);
    while (!stop.stop_requested()) {
        woken_.wait_for(mutex_, stop, std::chrono::milliseconds(50), [] { return false; });
        if (!stop.stop_requested()) tell(false);
    }
}

}  // namespace lacquer::player

extern "C" {
int jack_deactivate(void* client) {
    lacquer::player::of_jack("jack_deactivate", client);
    return 0;
}
int jack_client_close(void* client) {
    lacquer::player::listen(nullptr, nullptr);
    lacquer::player::of_jack("jack_client_close", client);
    return 0;
}
int jack_port_unregister(void* client, void* port) {
    lacquer::player::of_jack("jack_port_unregister", client, port);
    return 0;
}
void jack_on_shutdown(void* client, void (*listener)(void*), void* argument) {
    lacquer::player::listen(listener, argument);
    lacquer::player::of_jack("jack_on_shutdown", client, lacquer::player::on_shutdown, static_cast<void*>(nullptr));
}
}
