// First byte over HTTP: a real daemon, a new connection per request, five minutes of real music in the page cache.
//   cold    nothing of this recipe was ever rendered (each request asks for another intensity)
//   cached  the chunk is in the cache
//   unseen  the track was never measured: measured first, on all cores, while the daemon measures a long file in the
//           background
// "start" is byte 0 of the samples, "early" two seconds into a body (five seconds of context come first), "seek" the
// middle of a body (and half of it), "seam" the first second of a body, which needs the tail of the chunk before and so
// all of that chunk. p50, p99 and the worst are printed in milliseconds, and "target_ms" where there is one.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
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

#include "bench/material.h"
#include "src/daemon.h"
#include "src/wav_header.h"

namespace {

using namespace lacquer;
namespace fs = std::filesystem;

constexpr int kTrackSeconds = 300;
constexpr int kUnseenTracks = 4;  // of each format
constexpr const char* kFormats[] = {"wav", "flac", "mp3"};

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

std::unique_ptr<Daemon> start_daemon(const fs::path& home) {
    spdlog::set_level(spdlog::level::off);
    Settings settings = load_settings({}, {});
    settings.music = {home / "music"};
    settings.port = 0;
    settings.cache_dir = home / "cache";
    settings.state_dir = home / "state";
    return std::make_unique<Daemon>(settings);
}

int port_of(const Daemon& daemon) {
    return std::stoi(daemon.base_url().substr(daemon.base_url().rfind(':') + 1));
}

nlohmann::json ask_json(int port, const std::string& path, const std::string& method = "GET") {
    Connection connection(port);
    connection.ask(path, "", method);
    const std::string answer = connection.read(1 << 30);
    return nlohmann::json::parse(answer.substr(answer.find("\r\n\r\n") + 4), nullptr, false);
}

// A daemon and the numbers of its tracks by file name.
class Fixture {
public:
    int port() const { return port_; }
    int track(const std::string& file) const { return tracks_.at(file); }

protected:
    explicit Fixture(const std::string& name) : home_(bench::folder() / name) {
        fs::create_directories(home_ / "music");
    }
    ~Fixture() {
        daemon_.reset();
        std::error_code ignored;
        fs::remove_all(home_, ignored);
    }
    fs::path music() const { return home_ / "music"; }
    void start() {
        daemon_ = start_daemon(home_);
        port_ = port_of(*daemon_);
    }
    // Waits until the library has `count` tracks, measured if asked for.
    void wait_for(std::size_t count, bool is_measured) {
        for (int i = 0; i < 6000; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
            const auto tracks = ask_json(port_, "/api/tracks").at("items");
            std::size_t ready = 0;
            for (const auto& track : tracks) {
                tracks_[track.at("fileName")] = track.at("id");
                ready += !is_measured || track.at("measured").get<bool>() ? 1 : 0;
            }
            if (ready == count) return;
        }
        throw std::runtime_error("the library was not ready in time");
    }

private:
    const fs::path home_;
    std::unique_ptr<Daemon> daemon_;
    int port_ = 0;
    std::map<std::string, int> tracks_;
};

class MeasuredTracks : public Fixture {
public:
    MeasuredTracks() : Fixture("measured") {
        for (const char* format : kFormats)
            fs::copy_file(bench::music_file(format, kTrackSeconds), music() / fmt::format("track.{}", format));
        start();
        wait_for(std::size(kFormats), true);
    }
};

// The first track is 40 hours of silence in a file with a hole, so that the background never gets to the others.
class UnseenTracks : public Fixture {
public:
    explicit UnseenTracks(const std::string& format) : Fixture("unseen") {
        const WavShape shape{8000, 1, dsp::SampleFormat::s16, std::int64_t{40} * 3600 * 8000};
        const auto header = wav_header(shape);
        const fs::path decoy = music() / "a.wav";
        std::ofstream(decoy, std::ios::binary)
            .write(reinterpret_cast<const char*>(header.data()), static_cast<std::streamsize>(header.size()));
        fs::resize_file(decoy, header.size() + shape.data_bytes());
        for (int n = 0; n < kUnseenTracks; ++n)
            fs::copy_file(bench::music_file(format, kTrackSeconds), music() / fmt::format("track{}.{}", n, format));
        start();
        wait_for(1 + kUnseenTracks, false);
    }
};

const Fixture& measured_tracks() {
    static const MeasuredTracks instance;
    return instance;
}

double percentile(std::vector<double> values, double fraction) {
    std::sort(values.begin(), values.end());
    return values[std::min(values.size() - 1, static_cast<std::size_t>(fraction * static_cast<double>(values.size())))];
}

// So that the rest of this track does not disturb the next request.
void cancel(int port, int track, double intensity) {
    const std::string path = fmt::format("/api/tracks/{}/render?intensity={:.3f}", track, intensity);
    ask_json(port, path, "DELETE");
    for (bool busy = true; busy;) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        busy = ask_json(port, path).dump().find("\"rendering\"") != std::string::npos;
    }
}

// The seconds until four bytes of a track's samples are here.
double wait_for_bytes(int port, int track, double intensity, double at_seconds) {
    const std::string path = fmt::format("/api/player/stream/{}.wav?intensity={:.3f}", track, intensity);
    const long first = 44 + static_cast<long>(at_seconds * bench::kRateHz) * 4;
    const auto started = std::chrono::steady_clock::now();
    Connection connection(port);
    connection.ask(path, fmt::format("Range: bytes={}-{}\r\n", first, first + 3));
    if (connection.read(4).rfind("HTTP/1.1 206", 0) != 0) throw std::runtime_error("no 206");
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

void report(benchmark::State& state, const std::vector<double>& times_ms, double target_ms) {
    state.counters["p50_ms"] = percentile(times_ms, 0.5);
    state.counters["p99_ms"] = percentile(times_ms, 0.99);
    state.counters["worst_ms"] = percentile(times_ms, 1.0);
    if (target_ms > 0.0) state.counters["target_ms"] = target_ms;
}

void first_byte(benchmark::State& state, const std::string& format, bool cold, double at_seconds, double target_ms) {
    static int request = 0;
    const Fixture& daemon = measured_tracks();
    const int track = daemon.track("track." + format);
    std::vector<double> times_ms;
    if (!cold) wait_for_bytes(daemon.port(), track, 1.0, at_seconds);
    for (auto _ : state) {
        const double intensity = cold ? 0.999 - 0.001 * ++request : 1.0;
        const double seconds = wait_for_bytes(daemon.port(), track, intensity, at_seconds);
        state.SetIterationTime(seconds);
        times_ms.push_back(seconds * 1000);
        if (cold) cancel(daemon.port(), track, intensity);
    }
    report(state, times_ms, target_ms);
}

void never_seen(benchmark::State& state, const std::string& format) {
    const UnseenTracks daemon(format);
    std::vector<double> times_ms;
    for (auto _ : state) {
        const int track = daemon.track(fmt::format("track{}.{}", times_ms.size(), format));
        const double seconds = wait_for_bytes(daemon.port(), track, 1.0, 0.0);
        state.SetIterationTime(seconds);
        times_ms.push_back(seconds * 1000);
        cancel(daemon.port(), track, 1.0);
    }
    report(state, times_ms, 150.0);
}

struct Place {
    const char* name;
    double at_seconds;
};
constexpr Place kPlaces[] = {{"start", 0.0}, {"early", 152.0}, {"seek", 165.0}, {"seam", 150.5}};

constexpr double kCachedTargetMs = 0.2;  // of the median

double cold_target_ms(const std::string& format) {
    return format == "wav" ? 5.0 : format == "flac" ? 12.0 : 25.0;
}

template <typename Run>
void add(const std::string& name, int iterations, Run run) {
    benchmark::RegisterBenchmark(("first_byte/" + name).c_str(), run)
        ->UseManualTime()
        ->Iterations(iterations)
        ->Unit(benchmark::kMillisecond);
}

const bool registered = [] {
    for (const std::string format : kFormats) {
        for (const Place& place : kPlaces) {
            const double at = place.at_seconds;
            const double cold_target = at == 0.0 ? cold_target_ms(format) : 0.0;
            add(fmt::format("{}/cold/{}", format, place.name), 10,
                [=](benchmark::State& s) { first_byte(s, format, true, at, cold_target); });
            add(fmt::format("{}/cached/{}", format, place.name), 300,
                [=](benchmark::State& s) { first_byte(s, format, false, at, kCachedTargetMs); });
        }
        add(format + "/unseen/start", kUnseenTracks, [=](benchmark::State& s) { never_seen(s, format); });
    }
    return true;
}();

}  // namespace
