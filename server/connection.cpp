#include "server/connection.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/head_guard.h"

namespace lacquer::server {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t read_bytes = 4096;
constexpr std::chrono::milliseconds half_close_grace{1000};
constexpr std::chrono::milliseconds gentle_close_patience{1000};
constexpr std::size_t gentle_close_bytes = 256 * 1024;

std::size_t drop_leading_empty_lines(std::string& received) {
    std::size_t skip = 0;
    while (received.compare(skip, 2, "\r\n") == 0) skip += 2;
    received.erase(0, skip);
    return skip;
}

}  // namespace

Connection::Connection(int descriptor, Milliseconds write_timeout)
    : descriptor_(descriptor), write_timeout_(write_timeout) {}

Connection::~Connection() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

bool Connection::wait(short events, Clock::time_point deadline) const {
    pollfd entry{descriptor_, events, 0};
    while (true) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        const int ready = ::poll(&entry, 1, static_cast<int>(std::clamp<long long>(left, 0, 1 << 30)));
        if (ready > 0) return true;
        if (ready == 0 && Clock::now() >= deadline) return false;
        if (ready < 0 && errno != EINTR) return false;
    }
}

bool Connection::receive(Clock::time_point deadline) {
    std::array<char, read_bytes> buffer;  // NOLINT: filled by recv
    while (!input_ended_) {
        const ssize_t count = ::recv(descriptor_, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (count > 0) {
            received_.append(buffer.data(), static_cast<std::size_t>(count));
            return true;
        }
        const bool may_come = count < 0 && (errno == EAGAIN || errno == EINTR);
        if (!may_come) input_ended_ = true;
        if (may_come && !wait(POLLIN, deadline)) return false;
    }
    return false;
}

bool Connection::wait_for_request(Milliseconds patience) {
    const auto deadline = Clock::now() + patience;
    std::size_t dropped_bytes = drop_leading_empty_lines(received_);
    while (received_.empty()) {
        if (dropped_bytes > max_head_bytes || !receive(deadline)) return false;
        dropped_bytes += drop_leading_empty_lines(received_);
    }
    return true;
}

Connection::Head Connection::read_head(std::string& head, Milliseconds patience) {
    const auto deadline = Clock::now() + patience;
    std::size_t searched = 0;
    while (true) {
        drop_leading_empty_lines(received_);
        const auto end = received_.find("\r\n\r\n", searched);
        if (end != std::string::npos && end + 4 <= max_head_bytes) {
            head = received_.substr(0, end + 4);
            received_.erase(0, end + 4);
            return Head::complete;
        }
        if (received_.size() > max_head_bytes) return Head::too_large;
        searched = received_.size() < 3 ? 0 : received_.size() - 3;
        if (Clock::now() >= deadline) return Head::too_slow;
        if (!receive(deadline)) return input_ended_ ? Head::closed : Head::too_slow;
    }
}

template <typename Take>
bool Connection::take_body(std::uint64_t bytes, Milliseconds patience, Take take) {
    const auto deadline = Clock::now() + patience;
    while (bytes > 0) {
        if (received_.empty() && !receive(deadline)) return false;
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, received_.size()));
        take(std::string_view(received_).substr(0, count));
        received_.erase(0, count);
        bytes -= count;
    }
    return true;
}

bool Connection::read_body(std::string& body, std::uint64_t bytes, Milliseconds patience) {
    return take_body(bytes, patience, [&body](std::string_view piece) { body += piece; });
}

bool Connection::skip_body(std::uint64_t bytes, Milliseconds patience) {
    return take_body(bytes, patience, [](std::string_view) {});
}

bool Connection::write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count > 0) {
            bytes = bytes.subspan(static_cast<std::size_t>(count));
            written_bytes_ += static_cast<std::uint64_t>(count);
        } else if (errno == EAGAIN) {
            if (!wait(POLLOUT, Clock::now() + write_timeout_)) return false;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

bool Connection::write(std::string_view text) {
    return write(std::as_bytes(std::span(text.data(), text.size())));
}

bool Connection::wait_until_writable() const {
    return wait(POLLOUT, Clock::now() + write_timeout_);
}

bool Connection::peer_is_present() {
    pollfd entry{descriptor_, POLLRDHUP, 0};
    if (::poll(&entry, 1, 0) <= 0) return true;
    if ((entry.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) return false;
    if ((entry.revents & POLLRDHUP) == 0) return true;
    if (!is_half_closed_) {
        is_half_closed_ = true;
        half_closed_at_ = Clock::now();
        written_at_half_close_ = written_bytes_;
    }
    if (!probe_.empty() && !write(std::exchange(probe_, {}))) return false;
    return written_bytes_ > written_at_half_close_ || Clock::now() - half_closed_at_ < half_close_grace;
}

void Connection::reset() {
    const linger at_once{1, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(descriptor_);
    descriptor_ = -1;
}

void Connection::close_gently() {
    ::shutdown(descriptor_, SHUT_WR);
    const auto deadline = Clock::now() + gentle_close_patience;
    std::size_t forgotten = 0;
    received_.clear();
    while (forgotten < gentle_close_bytes && Clock::now() < deadline && receive(deadline)) {
        forgotten += received_.size();
        received_.clear();
    }
}

}  // namespace lacquer::server
