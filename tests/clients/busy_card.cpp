// A sound card that another program takes: ALSA's devices can be opened for playback as often as BUSY_CARD_AFTER says,
// and are busy from then on. Preloaded into the player by tests/clients/test_devices.py.
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <alsa/asoundlib.h>
#include <dlfcn.h>

extern "C" int snd_pcm_open(snd_pcm_t** pcm, const char* name, snd_pcm_stream_t stream, int mode) {
    static const auto real = reinterpret_cast<decltype(&snd_pcm_open)>(dlsym(RTLD_NEXT, "snd_pcm_open"));
    static std::atomic<int> left = std::atoi(std::getenv("BUSY_CARD_AFTER"));
    const bool counts = stream == SND_PCM_STREAM_PLAYBACK && std::strcmp(name, "default") == 0;
    if (counts && left-- <= 0) return -EBUSY;
    return real(pcm, name, stream, mode);
}
