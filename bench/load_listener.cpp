#include "bench/load_listener.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace lacquer::bench {
namespace {

constexpr std::chrono::milliseconds kReadPeriod{100};
constexpr std::size_t kMaxHeadBytes = 16 * 1024;
constexpr std::uint64_t kWavHeaderBytes = 44;
constexpr std::uint64_t kFirstReadBytes = 4096;
constexpr std::uint64_t kBulkReadBytes = 1 << 20;

LoadClock::duration ticks(Seconds time) {
    return std::chrono::duration_cast<LoadClock::duration>(time);
}

std::uint64_t length_in(const std::string& head) {
    constexpr const char* name = "Content-Length: ";
    const auto at = head.find(name);
    return at == std::string::npos ? 0 : std::strtoull(head.c_str() + at + std::strlen(name), nullptr, 10);
}

}  // namespace

const char* name_of(Outcome outcome) {
    constexpr std::array names{"open", "complete", "refused", "reset", "cut short", "wrong bytes", "no connection"};
    return names[static_cast<std::size_t>(outcome)];
}

Listener::Listener(ListenerPlan plan, int epoll, std::uint32_t number, LoadClock::time_point begin)
    : plan_(std::move(plan)), epoll_(epoll), number_(number), due_(begin + ticks(plan_.starts_after)) {}

Listener::~Listener() {
    if (socket_ >= 0) ::close(socket_);
}

void Listener::connect(LoadClock::time_point now) {
    due_ = LoadClock::time_point::max();
    if (total_bytes_ == 0) asked_at_ = now;
    state_ = State::connecting;
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket_ < 0) return end(Outcome::no_connection);
    const int bytes = plan_.receive_buffer_bytes;
    if (bytes > 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(plan_.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 && errno != EINPROGRESS) {
        return end(Outcome::no_connection);
    }
    epoll_event event{};
    event.events = EPOLLOUT;
    event.data.u32 = number_;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket_, &event);
}

void Listener::on_ready(LoadClock::time_point now) {
    if (state_ == State::connecting) {
        ask();
    } else if (state_ == State::asked) {
        read_head(now);
    } else if (state_ == State::answered) {
        receive(kFirstReadBytes);
        begin_to_play(now);
    } else if (state_ == State::playing && is_bulk()) {
        receive(kBulkReadBytes);
    }
}

void Listener::ask() {
    const std::string range =
        plan_.offset_bytes > 0 ? "Range: bytes=" + std::to_string(plan_.offset_bytes) + "-\r\n" : std::string();
    const std::string request =
        "GET " + plan_.path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" + range + "\r\n";
    if (::send(socket_, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
        return end(Outcome::no_connection);
    }
    state_ = State::asked;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = number_;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, socket_, &event);
}

void Listener::read_head(LoadClock::time_point now) {
    std::array<char, 4096> piece{};
    const ssize_t count = ::recv(socket_, piece.data(), piece.size(), 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return end(Outcome::reset);
    head_.append(piece.data(), static_cast<std::size_t>(count));
    const auto head_end = head_.find("\r\n\r\n");
    if (head_end == std::string::npos) return head_.size() > kMaxHeadBytes ? end(Outcome::refused) : void();
    status_ = head_.size() > 12 ? std::atoi(head_.c_str() + 9) : 0;
    if (status_ != 200 && status_ != 206) return end(Outcome::refused);
    body_bytes_ = length_in(head_);
    state_ = State::answered;
    const std::string rest = std::exchange(head_, {}).substr(head_end + 4);
    if (rest.empty() || !take(std::as_bytes(std::span(rest)))) return;
    begin_to_play(now);
}

void Listener::begin_to_play(LoadClock::time_point now) {
    if (state_ != State::answered || plan_.offset_bytes + received_bytes_ <= kWavHeaderBytes) return;
    if (total_bytes_ == received_bytes_) first_byte_at_ = now;
    state_ = State::playing;
    if (is_bulk()) return;
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, socket_, nullptr);
    due_ = now + kReadPeriod;
}

Seconds Listener::played(LoadClock::time_point now) const {
    const Seconds since = now - first_byte_at_;
    return paused_ ? since - plan_.pause : since;
}

void Listener::on_due(LoadClock::time_point now) {
    worst_lateness_ = std::max<Seconds>(worst_lateness_, now - due_);
    if (state_ == State::not_started) return connect(now);
    if (!paused_ && plan_.pause > Seconds(0) && played(now) >= plan_.pauses_after) {
        paused_ = true;
        starved_ = false;
        due_ = now + ticks(plan_.pause);
        return;
    }
    due_ = std::max(due_ + kReadPeriod, now);
    play(now);
}

void Listener::play(LoadClock::time_point now) {
    const auto lag = [&] { return played(now) - Seconds(static_cast<double>(received_bytes_) / plan_.bytes_per_s); };
    if (starved_) worst_lag_ = std::max(worst_lag_, lag());
    const auto wanted = static_cast<std::uint64_t>(std::max(0.0, played(now).count() * plan_.bytes_per_s));
    if (wanted <= received_bytes_) return;
    starved_ = !receive(wanted - received_bytes_) && is_open();
    if (starved_) worst_lag_ = std::max(worst_lag_, lag());
}

bool Listener::receive(std::uint64_t bytes) {
    static std::array<std::byte, 1 << 20> buffer;
    while (bytes > 0 && socket_ >= 0) {
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, buffer.size()));
        const bool is_compared = !plan_.expected.empty();
        const ssize_t got = ::recv(socket_, buffer.data(), count, is_compared ? 0 : MSG_TRUNC);  // TRUNC: not copied
        if (got < 0 && errno == EAGAIN) return false;
        if (got < 0) return end(Outcome::reset), false;
        if (got == 0) return end(Outcome::cut_short), false;
        bytes -= static_cast<std::uint64_t>(got);
        if (!take(std::span(buffer).first(static_cast<std::size_t>(got)))) return false;
    }
    return true;
}

bool Listener::take(std::span<const std::byte> bytes) {
    const std::uint64_t at = plan_.offset_bytes + received_bytes_;
    if (!plan_.expected.empty() && (at + bytes.size() > plan_.expected.size() ||
                                    std::memcmp(plan_.expected.data() + at, bytes.data(), bytes.size()) != 0)) {
        return end(Outcome::wrong_bytes), false;
    }
    received_bytes_ += bytes.size();
    total_bytes_ += bytes.size();
    if (received_bytes_ >= body_bytes_) end(Outcome::complete);
    return true;
}

void Listener::end(Outcome outcome) {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
    outcome_ = outcome;
    state_ = State::over;
    due_ = LoadClock::time_point::max();
    if (outcome != Outcome::complete || !is_bulk()) return;
    outcome_ = Outcome::open;  // a bulk download begins again
    state_ = State::not_started;
    received_bytes_ = 0;
    due_ = LoadClock::now();
}

}  // namespace lacquer::bench
