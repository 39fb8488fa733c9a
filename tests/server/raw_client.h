// A client that sends exactly the bytes it is told to and says exactly what came back, resets included.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace lacquer::test {

struct RawResponse {
    int status = 0;
    std::string head;
    std::multimap<std::string, std::string> headers;  // names in lower case
    std::string body;

    std::string header(const std::string& name) const {
        const auto found = headers.find(name);
        return found == headers.end() ? "" : found->second;
    }
    bool has(const std::string& name) const { return headers.contains(name); }
};

enum class Ending { closed, reset, open };

class RawClient {
public:
    explicit RawClient(std::uint16_t port, int receive_buffer_bytes = 0) {
        descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (receive_buffer_bytes > 0) {
            ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
        }
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            ::close(descriptor_);
            throw std::runtime_error("cannot connect");
        }
    }
    RawClient(RawClient&& other) noexcept
        : descriptor_(std::exchange(other.descriptor_, -1)),
          received_(std::move(other.received_)),
          ending_(other.ending_) {}
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;
    ~RawClient() { close(); }

    void close() {
        if (descriptor_ >= 0) ::close(descriptor_);
        descriptor_ = -1;
    }
    void half_close() { ::shutdown(descriptor_, SHUT_WR); }

    // False when the server does not take it.
    bool send(std::string_view text) {
        while (!text.empty()) {
            const ssize_t count = ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL);
            if (count <= 0) return false;
            text.remove_prefix(static_cast<std::size_t>(count));
        }
        return true;
    }

    // Sends until the server has taken nothing for 200 ms; the rest is forgotten.
    void send_what_fits(std::string_view text) {
        pollfd entry{descriptor_, POLLOUT, 0};
        while (!text.empty() && ::poll(&entry, 1, 200) > 0) {
            const ssize_t count = ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (count <= 0) return;
            text.remove_prefix(static_cast<std::size_t>(count));
        }
    }

    // `target` with the headers that a well-behaved client sends, and `further` lines, each ended by CRLF.
    bool request(const std::string& method, const std::string& target, const std::string& further = "") {
        return send(method + " " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + further + "\r\n");
    }

    // The next response; nullopt when none came, or it is not whole. Interim ones are skipped.
    std::optional<RawResponse> response(bool without_body = false, int patience_ms = 10'000) {
        RawResponse result;
        do {
            if (!receive_until([&] { return received_.find("\r\n\r\n") != std::string::npos; }, patience_ms)) {
                return std::nullopt;
            }
            result = parse_head();
        } while (result.status >= 100 && result.status < 200);
        const bool is_bare = without_body || result.status == 204 || result.status == 304;
        const std::size_t bytes = is_bare ? 0 : std::stoull("0" + result.header("content-length"));
        if (!receive_until([&] { return received_.size() >= bytes; }, patience_ms)) return std::nullopt;
        result.body = received_.substr(0, bytes);
        received_.erase(0, bytes);
        return result;
    }

    std::optional<RawResponse> get(const std::string& target, const std::string& further = "") {
        request("GET", target, further);
        return response();
    }

    // Waits until `text` has been received; what came so far is received().
    bool receive_text(const std::string& text, int patience_ms = 10'000) {
        return receive_until([&] { return received_.find(text) != std::string::npos; }, patience_ms);
    }
    bool receive_bytes(std::size_t bytes, int patience_ms = 10'000) {
        return receive_until([&] { return received_.size() >= bytes; }, patience_ms);
    }
    // Reads on to the end.
    Ending ending(int patience_ms = 10'000) {
        receive_until([] { return false; }, patience_ms);
        return ending_;
    }
    const std::string& received() const { return received_; }

private:
    template <typename Done>
    bool receive_until(Done done, int patience_ms) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
        std::array<char, 65536> buffer{};
        while (!done()) {
            const auto left =
                std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
            pollfd entry{descriptor_, POLLIN, 0};
            if (left.count() <= 0 || ::poll(&entry, 1, static_cast<int>(left.count())) <= 0) return false;
            const ssize_t count = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
            if (count == 0) ending_ = Ending::closed;
            if (count < 0) ending_ = Ending::reset;
            if (count <= 0) return false;
            received_.append(buffer.data(), static_cast<std::size_t>(count));
        }
        return true;
    }

    RawResponse parse_head() {
        RawResponse result;
        const auto end = received_.find("\r\n\r\n");
        result.head = received_.substr(0, end + 2);
        received_.erase(0, end + 4);
        result.status = std::stoi(result.head.substr(9, 3));
        std::size_t line = result.head.find("\r\n") + 2;
        while (line < result.head.size()) {
            const auto line_end = result.head.find("\r\n", line);
            const auto colon = result.head.find(": ", line);
            std::string name = result.head.substr(line, colon - line);
            std::transform(name.begin(), name.end(), name.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
            result.headers.emplace(name, result.head.substr(colon + 2, line_end - colon - 2));
            line = line_end + 2;
        }
        return result;
    }

    int descriptor_ = -1;
    std::string received_;
    Ending ending_ = Ending::open;
};

}  // namespace lacquer::test
