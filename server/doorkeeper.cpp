#include "server/doorkeeper.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/problem.h"
#include "server/response_writer.h"

namespace lacquer::server {
namespace {

constexpr int backlog = 4096;
constexpr int send_buffer_bytes = 128 * 1024;
constexpr std::chrono::milliseconds pause_without_descriptors{100};
constexpr std::chrono::seconds refused_life{1};
constexpr std::size_t max_refused = 256;
constexpr std::array<std::string_view, 4> health_requests{"GET /healthz ", "HEAD /healthz ", "GET /readyz ",
                                                          "GET /metrics "};

[[noreturn]] void cannot_bind(const ServerOptions& options, const std::string& reason) {
    throw std::runtime_error("cannot listen on " + options.host + " port " + std::to_string(options.port) + ": " +
                             reason);
}

// A bound, listening descriptor, or -1 with errno set.
int listen_on(const addrinfo& address) {
    const int descriptor = ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -1;
    const int on = 1;
    const int off = 0;
    // Not SO_REUSEPORT, which would let a second daemon share the port silently.
    ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &send_buffer_bytes, sizeof send_buffer_bytes);
    if (address.ai_family == AF_INET6) ::setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (::bind(descriptor, address.ai_addr, address.ai_addrlen) == 0 && ::listen(descriptor, backlog) == 0) {
        return descriptor;
    }
    const int error = errno;
    ::close(descriptor);
    errno = error;
    return -1;
}

int open_listener(const ServerOptions& options) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const std::string port = std::to_string(options.port);
    const int error = ::getaddrinfo(options.host.c_str(), port.c_str(), &hints, &found);
    if (error != 0) cannot_bind(options, ::gai_strerror(error));
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
    int listener = -1;
    for (const addrinfo* address = found; address != nullptr && listener < 0; address = address->ai_next) {
        listener = listen_on(*address);
    }
    if (listener < 0) cannot_bind(options, std::strerror(errno));
    return listener;
}

std::uint16_t bound_port(int listener) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
    return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                                               : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

const std::string& refusal_text() {
    static const std::string text = [] {
        const Response response =
            problem_response(503, "all connections are taken", Json::object(), {{"Retry-After", "5"}});
        return response_head(response, true) + response.segments.front().text;
    }();
    return text;
}

// By the first bytes of its request, which are left where they are.
bool asks_for_health(int descriptor) {
    std::array<char, 16> bytes{};
    const ssize_t count = ::recv(descriptor, bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
    const std::string_view start(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    return std::any_of(health_requests.begin(), health_requests.end(),
                       [&](std::string_view request) { return start.starts_with(request); });
}

}  // namespace

Doorkeeper::Doorkeeper(const ServerOptions& options, WorkerPool& workers, ConnectionRegistry& registry)
    : waiting_timeout_(options.waiting_timeout), workers_(workers), registry_(registry) {
    wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake_ < 0) throw std::runtime_error(std::string("cannot create an eventfd: ") + std::strerror(errno));
    try {
        listener_ = open_listener(options);
    } catch (const std::runtime_error&) {
        ::close(wake_);
        throw;
    }
    port_ = bound_port(listener_);
}

Doorkeeper::~Doorkeeper() {
    stop();
    ::close(wake_);
}

void Doorkeeper::start() {
    thread_ = std::thread([this] { run(); });
}

void Doorkeeper::stop() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);
    if (thread_.joinable()) thread_.join();
    if (listener_ >= 0) ::close(listener_);
    listener_ = -1;
    for (const Refused& refused : refused_) ::close(refused.descriptor);
    refused_.clear();
}

void Doorkeeper::run() {
    while (true) {
        const auto now = Clock::now();
        for (const int descriptor : workers_.take_overdue(now)) refuse(descriptor);
        const std::size_t not_accepted = pausing_ ? 1 : 0;
        registry_.limit_places_owed(workers_.waiting() + not_accepted);
        end_refused(now);
        entries_.assign({{wake_, POLLIN, 0}, {pausing_ ? -1 : listener_, POLLIN, 0}});
        for (const Refused& refused : refused_) entries_.push_back({refused.descriptor, POLLIN, 0});
        const std::size_t first_unread = entries_.size();
        for (const int descriptor : unread_) entries_.push_back({descriptor, POLLIN, 0});
        const bool was_pausing = pausing_;
        if (::poll(entries_.data(), entries_.size(), timeout_ms(now)) < 0 && errno != EINTR) pausing_ = true;
        if (entries_[0].revents != 0) return;
        if (was_pausing) pausing_ = false;
        look_at_unread(first_unread);
        if (entries_[1].revents != 0) accept_all();
    }
}

// A descriptor may have gone to a worker meanwhile, be closed, be another connection's: the pool knows.
void Doorkeeper::look_at_unread(std::size_t first_entry) {
    unread_.clear();
    for (std::size_t i = first_entry; i < entries_.size(); ++i) {
        if (entries_[i].revents != 0) {
            workers_.express(entries_[i].fd, asks_for_health);
        } else if (workers_.waits(entries_[i].fd)) {
            unread_.push_back(entries_[i].fd);
        }
    }
}

int Doorkeeper::timeout_ms(Clock::time_point now) const {
    if (pausing_) return static_cast<int>(pause_without_descriptors.count());
    auto deadline = workers_.next_deadline();
    if (!refused_.empty()) deadline = std::min(deadline.value_or(refused_.front().deadline), refused_.front().deadline);
    if (!deadline) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - now).count();
    return static_cast<int>(std::clamp<long long>(left, 0, 1 << 30));
}

void Doorkeeper::accept_all() {
    while (true) {
        const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (descriptor >= 0) {
            admit(descriptor);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            registry_.make_room();
            pausing_ = true;
        }
        // What else accept reports is about that one connection, which is gone.
        if (errno == EAGAIN || pausing_) return;
    }
}

void Doorkeeper::admit(int descriptor) {
    const int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const auto admission = workers_.submit(descriptor, Clock::now() + waiting_timeout_);
    if (admission == WorkerPool::Admission::waiting) {
        unread_.push_back(descriptor);
        registry_.make_room();
    }
    if (admission == WorkerPool::Admission::refused) refuse(descriptor);
}

void Doorkeeper::refuse(int descriptor) {
    const std::string& text = refusal_text();
    ::send(descriptor, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    ::shutdown(descriptor, SHUT_WR);
    // Closed at once, unread request bytes would reset the connection and with it the answer.
    refused_.push_back({descriptor, Clock::now() + refused_life});
    if (refused_.size() > max_refused) {
        ::close(refused_.front().descriptor);
        refused_.erase(refused_.begin());
    }
}

void Doorkeeper::end_refused(Clock::time_point now) {
    std::array<char, 4096> forgotten{};
    const auto is_done = [&](const Refused& refused) {
        const ssize_t count = ::recv(refused.descriptor, forgotten.data(), forgotten.size(), MSG_DONTWAIT);
        const bool ended = count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR);
        if (ended || refused.deadline <= now) ::close(refused.descriptor);
        return ended || refused.deadline <= now;
    };
    refused_.erase(std::remove_if(refused_.begin(), refused_.end(), is_done), refused_.end());
}

}  // namespace lacquer::server
