// Load for a running daemon: many listeners that read at the pace of playback, beside them bulk downloads and idle
// connections, from one thread; and what that costs the daemon. Loopback only, bounded in time and count.
//
//     load_client PORT PATH... --listeners 2000 --seconds 30
//
// Each listener takes the next path, round robin. Prints a table, or one JSON object with --json; the exit code says
// whether the load could be put on, not what the figures are. bench/load runs the scenarios.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <deque>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <queue>
#include <stdexcept>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load_listener.h"
#include "bench/load_process.h"

namespace {

using namespace lacquer::bench;
using Json = nlohmann::json;
using TimePoint = LoadClock::time_point;

struct Options {
    std::uint16_t port = 0;
    std::vector<std::string> paths;
    std::vector<std::string> bulk_paths;
    std::vector<std::string> expected_files;
    int listeners = 100;
    int idle_connections = 0;
    double bytes_per_s = 176'400;
    double seconds = 30;
    double spread_s = 5;
    double buffer_s = 0.25;
    double pause_after_s = 2;
    double pause_s = 0;
    double pause_share = 1;
    bool seeks = false;
    int receive_buffer_bytes = 128 * 1024;
    bool as_json = false;
};

Options parsed(int argc, char** argv) {
    Options o;
    CLI::App app{"Puts listeners on a daemon of this machine and says whether any was ever behind."};
    app.add_option("port", o.port, "Where the daemon listens, on 127.0.0.1")->required();
    app.add_option("paths", o.paths, "What is listened to, in turn");
    app.add_option("--listeners", o.listeners)->check(CLI::Range(0, 10'000));
    app.add_option("--idle", o.idle_connections, "Kept-alive connections that ask once and then idle")
        ->check(CLI::Range(0, 10'000));
    app.add_option("--rate", o.bytes_per_s, "Bytes per second of each listener")->check(CLI::Range(1.0, 1e9));
    app.add_option("--seconds", o.seconds, "How long, from the first start")->check(CLI::Range(1.0, 7200.0));
    app.add_option("--spread", o.spread_s, "Seconds over which the listeners start")->check(CLI::Range(0.0, 600.0));
    app.add_option("--buffer", o.buffer_s, "Seconds that a player holds before it begins")
        ->check(CLI::Range(0.0, 10.0));
    app.add_option("--pause-after", o.pause_after_s, "Seconds played before the pause")->check(CLI::Range(0.0, 7200.0));
    app.add_option("--pause", o.pause_s, "Seconds of pause; 0: none")->check(CLI::Range(0.0, 7200.0));
    app.add_option("--pause-share", o.pause_share, "Share of the listeners that pause")->check(CLI::Range(0.0, 1.0));
    app.add_flag("--seek", o.seeks, "Listeners start at different places of their tracks");
    app.add_option("--receive-buffer", o.receive_buffer_bytes, "SO_RCVBUF of listeners; 0: the system's");
    app.add_option("--bulk", o.bulk_paths, "Downloaded beside, as fast as it comes, again and again");
    app.add_option("--expect", o.expected_files,
                   "Files with what the paths must answer, byte for byte, in their order");
    app.add_flag("--json", o.as_json);
    try {
        app.parse(argc, argv);
        if (o.listeners > 0 && o.paths.empty()) throw CLI::ValidationError("paths", "there is nothing to listen to");
        if (!o.expected_files.empty() && o.expected_files.size() != o.paths.size()) {
            throw CLI::ValidationError("--expect", "one file for each path");
        }
    } catch (const CLI::ParseError& error) {
        std::exit(app.exit(error) == 0 ? 0 : 2);
    }
    return o;
}

void raise_descriptor_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::vector<std::byte> content_of(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw std::runtime_error(file + " cannot be read");
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

// A connection that asked for something small and was answered. Blocks.
class QuietConnection {
public:
    QuietConnection(std::uint16_t port, const std::string& method, const std::string& path)
        : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const std::string request = method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
        if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
            ::send(socket_, request.data(), request.size(), MSG_NOSIGNAL) < 0) {
            throw std::runtime_error(fmt::format("port {} does not answer", port));
        }
        std::array<char, 4096> piece{};
        while (answer_.find("\r\n\r\n") == std::string::npos) {
            const ssize_t count = ::recv(socket_, piece.data(), piece.size(), 0);
            if (count <= 0) throw std::runtime_error(method + " " + path + " was not answered");
            answer_.append(piece.data(), static_cast<std::size_t>(count));
        }
    }
    QuietConnection(const QuietConnection&) = delete;
    QuietConnection& operator=(const QuietConnection&) = delete;
    ~QuietConnection() { ::close(socket_); }

    std::uint64_t content_length() const {
        const std::string name = "Content-Length: ";
        const auto at = answer_.find(name);
        return at == std::string::npos ? 0 : std::strtoull(answer_.c_str() + at + name.size(), nullptr, 10);
    }
    bool is_open() const {
        char byte = 0;
        return ::recv(socket_, &byte, 1, MSG_DONTWAIT | MSG_PEEK) != 0;
    }

private:
    int socket_;
    std::string answer_;
};

// Where listener `i` starts: spread evenly by the golden ratio, leaving it enough to listen to.
std::uint64_t starting_place(const Options& o, std::uint64_t size_bytes, int i) {
    const double needed = o.bytes_per_s * o.seconds;
    const double free_bytes = static_cast<double>(size_bytes) - needed;
    if (!o.seeks || free_bytes <= 0) return 0;
    const double turn = i * 0.6180339887498949;
    return static_cast<std::uint64_t>((turn - std::floor(turn)) * free_bytes) / 4 * 4;
}

class Load {
public:
    explicit Load(const Options& options) : o_(options), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        const auto pid = listening_process(o_.port);
        if (!pid) throw std::runtime_error(fmt::format("nobody listens on port {}", o_.port));
        pid_ = *pid;
        for (const std::string& file : o_.expected_files) expected_.push_back(content_of(file));
        before_ = figures_of(pid_);
        for (int i = 0; i < o_.idle_connections; ++i) {
            idle_.push_back(std::make_unique<QuietConnection>(o_.port, "GET", "/healthz"));
        }
        std::map<std::string, std::uint64_t> sizes;
        if (o_.seeks) {
            for (const auto& path : o_.paths) sizes[path] = QuietConnection(o_.port, "HEAD", path).content_length();
        }
        begin_ = LoadClock::now();
        for (int i = 0; i < o_.listeners; ++i) add_listener(i, sizes);
        for (const std::string& path : o_.bulk_paths) add_bulk(path);
    }

    void run() {
        const TimePoint steady = begin_ + duration(std::min(o_.spread_s + 1, o_.seconds / 2));
        const TimePoint end = begin_ + duration(o_.seconds);
        drive(steady);
        const double cpu_before = cpu_seconds_of(pid_);
        const TimePoint measured_from = LoadClock::now();
        drive(end);
        measured_s_ = Seconds(LoadClock::now() - measured_from).count();
        steady_cpu_s_ = cpu_seconds_of(pid_) - cpu_before;
        during_ = figures_of(pid_);
    }

    Json report() const;

private:
    static LoadClock::duration duration(double seconds) {
        return std::chrono::duration_cast<LoadClock::duration>(Seconds(seconds));
    }

    void add_listener(int i, std::map<std::string, std::uint64_t>& sizes) {
        const std::size_t which = static_cast<std::size_t>(i) % o_.paths.size();
        ListenerPlan plan;
        plan.port = o_.port;
        plan.path = o_.paths[which];
        plan.offset_bytes = starting_place(o_, sizes[plan.path], i);
        plan.bytes_per_s = o_.bytes_per_s;
        plan.buffer = Seconds(o_.buffer_s);
        plan.starts_after = Seconds(o_.spread_s * i / std::max(1, o_.listeners));
        plan.pauses_after = Seconds(o_.pause_after_s);
        plan.pause = Seconds(i < o_.pause_share * o_.listeners ? o_.pause_s : 0);
        plan.receive_buffer_bytes = o_.receive_buffer_bytes;
        if (!expected_.empty()) plan.expected = expected_[which];
        add(std::move(plan));
    }

    void add_bulk(const std::string& path) {
        ListenerPlan plan;
        plan.port = o_.port;
        plan.path = path;
        plan.receive_buffer_bytes = 0;
        add(std::move(plan));
    }

    void add(ListenerPlan plan) {
        const auto number = static_cast<std::uint32_t>(listeners_.size());
        listeners_.emplace_back(std::move(plan), epoll_, number, begin_);
        schedule(number);
    }

    void schedule(std::uint32_t number) {
        const TimePoint due = listeners_[number].due();
        if (due != TimePoint::max()) due_.emplace(due, number);
    }

    void drive(TimePoint end) {
        std::array<epoll_event, 256> events{};
        while (LoadClock::now() < end) {
            const TimePoint next = due_.empty() ? end : std::min(end, due_.top().first);
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - LoadClock::now()).count();
            const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                                           static_cast<int>(std::clamp<long long>(left, 0, 1000)));
            for (int i = 0; i < count; ++i) {
                const std::uint32_t number = events[static_cast<std::size_t>(i)].data.u32;
                listeners_[number].on_ready(LoadClock::now());
                if (listeners_[number].due() != TimePoint::max()) schedule(number);
            }
            drive_due();
        }
    }

    // A few at a time, so that an answer to somebody's request is seen when it comes.
    void drive_due() {
        constexpr int kAtOnce = 32;
        for (int i = 0; i < kAtOnce && !due_.empty() && due_.top().first <= LoadClock::now(); ++i) {
            const auto [due, number] = due_.top();
            due_.pop();
            if (listeners_[number].due() != due) continue;
            listeners_[number].on_due(LoadClock::now());
            schedule(number);
        }
    }

    using Due = std::pair<TimePoint, std::uint32_t>;

    const Options o_;
    const int epoll_;
    pid_t pid_ = 0;
    TimePoint begin_;
    std::vector<std::vector<std::byte>> expected_;
    std::deque<Listener> listeners_;  // the bulk downloads last
    std::vector<std::unique_ptr<QuietConnection>> idle_;
    std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
    ProcessFigures before_;
    ProcessFigures during_;
    double steady_cpu_s_ = 0;
    double measured_s_ = 0;
};

double at_share(const std::vector<double>& sorted, double share) {
    if (sorted.empty()) return 0;
    const auto index = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
    return sorted[std::clamp<std::size_t>(index, 1, sorted.size()) - 1];
}

Json first_byte_ms(std::vector<double> times) {
    std::sort(times.begin(), times.end());
    return {{"p50", at_share(times, 0.5)}, {"p99", at_share(times, 0.99)}, {"max", at_share(times, 1)}};
}

Json of_process(const ProcessFigures& figures) {
    return {
        {"rssKib", figures.rss_kib},          {"pssKib", figures.pss_kib},  {"privateDirtyKib", figures.private_kib},
        {"peakRssKib", figures.peak_rss_kib}, {"threads", figures.threads}, {"descriptors", figures.descriptors}};
}

Json Load::report() const {
    std::map<std::string, int> outcomes;
    std::vector<double> first_bytes;
    Json bulk = Json::array();
    int behind = 0, resumed = 0;
    Seconds lag{0}, lateness{0};
    for (std::size_t i = 0; i < listeners_.size(); ++i) {
        const Listener& listener = listeners_[i];
        if (i >= static_cast<std::size_t>(o_.listeners)) {
            bulk.push_back({{"bytes", listener.received_bytes()}, {"outcome", name_of(listener.outcome())}});
            continue;
        }
        ++outcomes[listener.is_open() && !listener.has_first_byte() ? "silent" : name_of(listener.outcome())];
        if (listener.has_first_byte()) first_bytes.push_back(listener.first_byte().count() * 1000);
        behind += listener.is_behind() ? 1 : 0;
        resumed += listener.was_paused() ? 1 : 0;
        lag = std::max(lag, listener.worst_lag());
        lateness = std::max(lateness, listener.worst_lateness());
    }
    const int served = outcomes["open"] + outcomes["complete"];
    const auto idle_open = std::count_if(idle_.begin(), idle_.end(), [](const auto& c) { return c->is_open(); });
    std::erase_if(outcomes, [](const auto& outcome) { return outcome.second == 0; });
    Json server = {{"pid", pid_},
                   {"cpuPercent", 100 * steady_cpu_s_ / measured_s_},
                   {"cpuSeconds", during_.cpu_s - before_.cpu_s},
                   {"before", of_process(before_)},
                   {"during", of_process(during_)}};
    const int connections = std::max(1, o_.listeners + o_.idle_connections);
    server["rssKibPerConnection"] = static_cast<double>(during_.rss_kib - before_.rss_kib) / connections;
    return {{"listeners", o_.listeners},
            {"bytesPerSecond", o_.bytes_per_s},
            {"seconds", o_.seconds},
            {"bufferMs", o_.buffer_s * 1000},
            {"served", served},
            {"behind", behind},
            {"worstLagMs", lag.count() * 1000},
            {"outcomes", outcomes},
            {"paused", resumed},
            {"firstByteMs", first_byte_ms(std::move(first_bytes))},
            {"idleOpen", idle_open},
            {"clientLateMs", lateness.count() * 1000},
            {"bulk", std::move(bulk)},
            {"server", std::move(server)}};
}

void print(const Json& r) {
    const auto& server = r["server"];
    fmt::print("listeners {}, served {}, behind {} (worst lag {:.0f} ms, buffer {:.0f} ms), paused {}\n",
               r["listeners"].get<int>(), r["served"].get<int>(), r["behind"].get<int>(), r["worstLagMs"].get<double>(),
               r["bufferMs"].get<double>(), r["paused"].get<int>());
    fmt::print("outcomes {}, idle connections open {}, this program at most {:.1f} ms late\n", r["outcomes"].dump(),
               r["idleOpen"].get<int>(), r["clientLateMs"].get<double>());
    fmt::print("first byte p50 {:.2f} ms, p99 {:.2f} ms, max {:.2f} ms\n", r["firstByteMs"]["p50"].get<double>(),
               r["firstByteMs"]["p99"].get<double>(), r["firstByteMs"]["max"].get<double>());
    fmt::print("server {:.1f} % of a core, {:.1f} kB resident per connection\n  before {}\n  during {}\n",
               server["cpuPercent"].get<double>(), server["rssKibPerConnection"].get<double>(), server["before"].dump(),
               server["during"].dump());
    if (!r["bulk"].empty()) fmt::print("bulk {}\n", r["bulk"].dump());
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parsed(argc, argv);
    raise_descriptor_limit();
    try {
        Load load(options);
        load.run();
        const Json report = load.report();
        options.as_json ? fmt::print("{}\n", report.dump()) : print(report);
        return 0;
    } catch (const std::exception& error) {
        fmt::print(stderr, "load_client: {}\n", error.what());
        return 1;
    }
}
