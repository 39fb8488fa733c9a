// First byte over HTTP: a real daemon, a new connection per request, real music. "cold": nothing of this recipe was
// ever rendered (each request asks for another intensity); "cached": the chunk is in the cache. "start" is byte 0 of
// the samples, "early" two seconds into a body (five seconds of context come first), "seek" the middle of a body (and
// half of it), "seam" the first second of a body, which needs the tail of the chunk before and so all of that chunk.
// p50, p99 and the worst are printed in milliseconds.

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/daemon.h"
#include "src/offline.h"

namespace {

using namespace lacquer;
namespace fs = std::filesystem;

constexpr const char* kMusic = "/usr/share/games/singularity/music";  // Debian's singularity-music
constexpr int kTrackSeconds = 300;

class Connection {
public:
    explicit Connection(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            throw std::runtime_error("the daemon does not answer");
        }
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() { ::close(socket_); }

    void ask(const std::string& path, const std::string& headers, const std::string& method = "GET") {
        const std::string request =
            method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" + headers + "\r\n";
        if (::send(socket_, request.data(), request.size(), 0) != static_cast<ssize_t>(request.size())) {
            throw std::runtime_error("the request could not be sent");
        }
    }
    // Header and body, until there are `body_bytes` of the body or the end.
    std::string read(std::size_t body_bytes) {
        std::string answer;
        std::vector<char> buffer(65536);
        while (true) {
            const std::size_t head = answer.find("\r\n\r\n");
            if (head != std::string::npos && answer.size() >= head + 4 + body_bytes) return answer;
            const ssize_t got = ::recv(socket_, buffer.data(), buffer.size(), 0);
            if (got <= 0) return answer;
            answer.append(buffer.data(), static_cast<std::size_t>(got));
        }
    }

private:
    int socket_;
};

// A daemon over one track in three formats, measured, made once for all benchmarks.
class Fixture {
public:
    Fixture() {
        spdlog::set_level(spdlog::level::off);
        const fs::path music = folder_.path() / "music";
        fs::create_directories(music);
        std::vector<fs::path> sources;
        for (const auto& entry : fs::directory_iterator(kMusic)) {
            if (entry.path().extension() == ".ogg") sources.push_back(entry.path());
        }
        std::sort(sources.begin(), sources.end());
        const std::string wav = (music / "track.wav").string();
        run(fmt::format("ffmpeg -v error -y -stream_loop 2 -i '{}' -t {} -ar 44100 -sample_fmt s16 '{}'",
                        sources.at(0).string(), kTrackSeconds, wav));
        for (const char* format : {"flac", "mp3"})
            run(fmt::format("ffmpeg -v error -y -i '{}' '{}/track.{}'", wav, music.string(), format));
        Settings settings = load_settings({}, {});
        settings.music = {music};
        settings.port = 0;
        settings.cache_dir = folder_.path() / "cache";
        settings.state_dir = folder_.path() / "state";
        daemon_ = std::make_unique<Daemon>(settings);
        port_ = std::stoi(daemon_->base_url().substr(daemon_->base_url().rfind(':') + 1));
        wait_until_measured();
    }

    int port() const { return port_; }
    int track(const std::string& format) const { return tracks_.at("track." + format); }

private:
    static void run(const std::string& command) {
        if (std::system(command.c_str()) != 0) throw std::runtime_error(command + " failed");
    }
    void wait_until_measured() {
        for (int i = 0; i < 600; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(200));
            Connection connection(port_);
            connection.ask("/api/tracks", "");
            const std::string answer = connection.read(1 << 30);
            const auto tracks = nlohmann::json::parse(answer.substr(answer.find("\r\n\r\n") + 4));
            std::size_t measured = 0;
            for (const auto& track : tracks.at("items")) {
                tracks_[track.at("fileName")] = track.at("id");
                measured += track.at("measured").get<bool>() ? 1 : 0;
            }
            if (measured == 3) return;
        }
        throw std::runtime_error("the tracks were not measured in time");
    }

    const TemporaryFolder folder_;
    std::unique_ptr<Daemon> daemon_;
    int port_ = 0;
    std::map<std::string, int> tracks_;
};

Fixture& fixture() {
    static Fixture instance;
    return instance;
}

double percentile(std::vector<double> values, double fraction) {
    std::sort(values.begin(), values.end());
    return values[std::min(values.size() - 1, static_cast<std::size_t>(fraction * static_cast<double>(values.size())))];
}

void cancel(const Fixture& daemon, const std::string& format, double intensity) {
    const std::string path = fmt::format("/api/tracks/{}/render?intensity={:.3f}", daemon.track(format), intensity);
    Connection connection(daemon.port());
    connection.ask(path, "", "DELETE");
    connection.read(0);
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
}

void first_byte(benchmark::State& state, const std::string& format, bool cold, double at_seconds) {
    static int request = 0;
    Fixture& daemon = fixture();
    std::vector<double> times_ms;
    for (auto _ : state) {
        const double intensity = cold ? 0.999 - 0.001 * ++request : 1.0;
        const std::string path =
            fmt::format("/api/player/stream/{}.wav?intensity={:.3f}", daemon.track(format), intensity);
        const long first = 44 + static_cast<long>(at_seconds * 44100) * 4;
        const auto started = std::chrono::steady_clock::now();
        {
            Connection connection(daemon.port());
            connection.ask(path, fmt::format("Range: bytes={}-{}\r\n", first, first + 3));
            if (connection.read(4).rfind("HTTP/1.1 206", 0) != 0) throw std::runtime_error("no 206");
        }
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
        state.SetIterationTime(seconds);
        times_ms.push_back(seconds * 1000);
        if (!cold) continue;
        cancel(daemon, format, intensity);  // so that the rest of this track does not disturb the next request
    }
    state.counters["p50_ms"] = percentile(times_ms, 0.5);
    state.counters["p99_ms"] = percentile(times_ms, 0.99);
    state.counters["worst_ms"] = percentile(times_ms, 1.0);
}

struct Place {
    const char* name;
    double at_seconds;
};
constexpr Place kPlaces[] = {{"start", 0.0}, {"early", 152.0}, {"seek", 165.0}, {"seam", 150.5}};

const bool registered = [] {
    for (const char* format : {"wav", "flac", "mp3"}) {
        for (const Place& place : kPlaces) {
            for (const bool cold : {true, false}) {
                const std::string name =
                    fmt::format("first_byte/{}/{}/{}", format, cold ? "cold" : "cached", place.name);
                benchmark::RegisterBenchmark(
                    name.c_str(), [=](benchmark::State& s) { first_byte(s, format, cold, place.at_seconds); })
                    ->UseManualTime()
                    ->Iterations(cold ? 20 : 200)
                    ->Unit(benchmark::kMillisecond);
            }
        }
    }
    return true;
}();

}  // namespace
