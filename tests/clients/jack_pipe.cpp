// What JACK's server plays, to standard output; or standard input into it. Samples are floats, two channels
// interleaved.
//
//   jack_pipe record [PORTS]     what reaches the playback ports, cycle by cycle (jackd -d dummy --monitor has ports
//   for
//                                it), or what the ports PORTS1 and PORTS2 give. Ends with the server.
//   jack_pipe play NAME          a device NAME that others can listen to, until it is killed; silence after the input
//   jack_pipe play NAME system   the same, connected to the playback ports; ends when all is played
//
// A cycle that could not be kept is an error (exit 3): a recording has no holes of its own.
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <jack/jack.h>
#include <jack/ringbuffer.h>
#include <semaphore.h>
#include <unistd.h>

namespace {

constexpr std::size_t kChannels = 2;
constexpr std::size_t kFrameBytes = kChannels * sizeof(float);
constexpr std::size_t kRingFrames = 1U << 18;

// SIGTERM, or the end of the server, which JACK does not always tell. A client that leaves without a word leaves its
// semaphores behind.
std::atomic<bool> over = false;
sem_t moved;

void end(int) noexcept {
    over = true;
    sem_post(&moved);
}

// False: no cycle has come for so long that the server must be gone; a cycle waits for its clients for 2 s at most.
bool wait_for_cycle() noexcept {
    constexpr time_t kGoneSeconds = 5;
    timespec until{};
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += kGoneSeconds;
    while (sem_timedwait(&moved, &until) != 0) {
        if (errno == ETIMEDOUT) return false;
    }
    return true;
}

// From here on the process ends within 3 s: with the server gone, leaving it in good order may take for ever.
volatile std::sig_atomic_t exit_code = 0;
int end_soon(int code) {
    exit_code = code;
    std::signal(SIGALRM, [](int) { _exit(exit_code); });
    alarm(3);
    return code;
}

class Pipe {
public:
    Pipe(const std::string& name, bool records) : records_(records) {
        client_.reset(jack_client_open(name.c_str(), JackNoStartServer, nullptr));
        if (!client_ || !ring_) throw std::runtime_error("no JACK server");
        jack_set_process_callback(
            client_.get(),
            [](jack_nframes_t frames, void* self) {
                static_cast<Pipe*>(self)->process(frames);
                return 0;
            },
            this);
        jack_on_shutdown(
            client_.get(), [](void*) { end(0); }, nullptr);
        for (std::size_t c = 0; c < kChannels; ++c) {
            const std::string port = (records ? "in_" : "out_") + std::to_string(c + 1);
            ports_[c] = jack_port_register(client_.get(), port.c_str(), JACK_DEFAULT_AUDIO_TYPE,
                                           records ? JackPortIsInput : JackPortIsOutput, 0);
        }
    }

    void start(const char* others) {
        if (jack_activate(client_.get()) != 0) throw std::runtime_error("cannot activate");
        for (std::size_t c = 0; others != nullptr && c < kChannels; ++c) {
            const std::string other = others + std::to_string(c + 1);
            const char* own = jack_port_name(ports_[c]);
            const char* from = records_ ? other.c_str() : own;
            const char* to = records_ ? own : other.c_str();
            if (jack_connect(client_.get(), from, to) != 0) throw std::runtime_error("cannot connect " + other);
        }
    }

    int record(const char* ports) {
        start(ports);
        std::vector<char> piece(kRingFrames * kFrameBytes);
        while (!over || jack_ringbuffer_read_space(ring_.get()) > 0) {
            const std::size_t size = jack_ringbuffer_read(ring_.get(), piece.data(), piece.size());
            if (size == 0 && !wait_for_cycle()) break;
            if (write(STDOUT_FILENO, piece.data(), size) != static_cast<ssize_t>(size)) break;
        }
        return end_soon(lost_ ? 3 : 0);
    }

    int play(bool to_system) {
        start(to_system ? "system:playback_" : nullptr);
        std::vector<char> piece(4096 * kFrameBytes);
        while (const std::size_t size = over ? 0 : std::fread(piece.data(), 1, piece.size(), stdin)) {
            while (jack_ringbuffer_write_space(ring_.get()) < size && !over) {
                flows_ = true;
                sem_wait(&moved);
            }
            jack_ringbuffer_write(ring_.get(), piece.data(), size);
        }
        flows_ = true;
        while (!over && (!to_system || jack_ringbuffer_read_space(ring_.get()) > 0)) sem_wait(&moved);
        usleep(100000);  // the last cycle reaches the server
        return 0;
    }

private:
    void process(jack_nframes_t frames) noexcept {
        std::array<float*, kChannels> port{};
        for (std::size_t c = 0; c < kChannels; ++c) {
            port[c] = static_cast<float*>(jack_port_get_buffer(ports_[c], frames));
        }
        for (jack_nframes_t i = 0; i < frames; ++i) {
            std::array<float, kChannels> frame{};
            if (records_) {
                for (std::size_t c = 0; c < kChannels; ++c) frame[c] = port[c][i];
                if (jack_ringbuffer_write_space(ring_.get()) < kFrameBytes)
                    lost_ = true;
                else
                    jack_ringbuffer_write(ring_.get(), reinterpret_cast<const char*>(frame.data()), kFrameBytes);
            } else {
                if (flows_) jack_ringbuffer_read(ring_.get(), reinterpret_cast<char*>(frame.data()), kFrameBytes);
                for (std::size_t c = 0; c < kChannels; ++c) port[c][i] = frame[c];
            }
        }
        sem_post(&moved);
    }

    struct Free {
        void operator()(jack_ringbuffer_t* ring) const { jack_ringbuffer_free(ring); }
        void operator()(jack_client_t* client) const { jack_client_close(client); }
    };
    bool records_;
    std::atomic<bool> lost_ = false;
    std::atomic<bool> flows_ = false;  // not before the ring is full or holds all there is: no hole at the start
    std::array<jack_port_t*, kChannels> ports_{};
    std::unique_ptr<jack_ringbuffer_t, Free> ring_{jack_ringbuffer_create(kRingFrames * kFrameBytes)};
    std::unique_ptr<jack_client_t, Free> client_;
};

}  // namespace

int main(int count, char** arguments) try {
    sem_init(&moved, 0, 0);
    struct sigaction ends {};  // and interrupts a read
    ends.sa_handler = end;
    sigaction(SIGTERM, &ends, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    const std::string what = count > 1 ? arguments[1] : "";
    if (what == "record")
        return Pipe("recorder-" + std::to_string(getpid()), true).record(count > 2 ? arguments[2] : "system:monitor_");
    if (what == "play" && count > 2) return Pipe(arguments[2], false).play(count > 3);
    std::fputs("usage: jack_pipe record | play NAME [system]\n", stderr);
    return 2;
} catch (const std::exception& error) {
    std::fprintf(stderr, "jack_pipe: %s\n", error.what());
    return 1;
}
