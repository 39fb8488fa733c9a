#include "src/player/http_client.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include <fcntl.h>
#include <httplib.h>
#include <poll.h>
#include <sys/socket.h>

#include "server/query.h"

namespace lacquer::player {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLook{50};
constexpr std::size_t kMaxHeadBytes = 64 * 1024;
constexpr std::size_t kMaxLineBytes = 8000;
constexpr std::uint64_t kMaxAroundBodyBytes = 4'000'000;
constexpr std::size_t kReadBytes = 16 * 1024;

// How one request goes: written by the stream and the callbacks, which are called in turn.
struct Course {
    const HttpCalls& calls;
    const std::chrono::milliseconds silence_timeout;
    std::optional<HttpEnd> end = std::nullopt;
    bool head_is_done = false;
    std::uint64_t received_bytes = 0;
    std::uint64_t body_bytes = 0;
    std::size_t line_bytes = 0;  // of the head's current line
};

class WatchedStream final : public httplib::Stream {
public:
    WatchedStream(int socket, SSL* tls, Course& course) : socket_(socket), tls_(tls), course_(course) {
        ::fcntl(socket_, F_SETFL, ::fcntl(socket_, F_GETFL) | O_NONBLOCK);
    }

    bool is_readable() const override { return begin_ < end_; }
    bool is_writable() const override { return true; }
    void get_remote_ip_and_port(std::string& ip, int& port) const override { none(ip, port); }
    void get_local_ip_and_port(std::string& ip, int& port) const override { none(ip, port); }
    socket_t socket() const override { return socket_; }

    ssize_t read(char* target, std::size_t size) override {
        if (begin_ == end_ && !fill()) return course_.end ? -1 : 0;
        const std::size_t count = std::min(size, end_ - begin_);
        std::memcpy(target, buffer_.data() + begin_, count);
        if (!course_.head_is_done && !head_fits(buffer_.data() + begin_, count)) return fail(HttpEnd::too_much);
        begin_ += count;
        return static_cast<ssize_t>(count);
    }

    ssize_t write(const char* bytes, std::size_t size) override {
        const Clock::time_point deadline = Clock::now() + course_.silence_timeout;
        while (true) {
            const ssize_t count = tls_ != nullptr ? ::SSL_write(tls_, bytes, static_cast<int>(size))
                                                  : ::send(socket_, bytes, size, MSG_NOSIGNAL);
            if (count > 0) return count;
            if (!wait(wanted(count, POLLOUT), deadline)) return -1;
        }
    }

private:
    static void none(std::string& ip, int& port) {
        ip.clear();
        port = 0;
    }
    ssize_t fail(HttpEnd end) {
        if (!course_.end) course_.end = end;
        return -1;
    }

    // Not thrown: the library between here and there does not expect it.
    bool head_fits(const char* bytes, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            course_.line_bytes = bytes[i] == '\n' ? 0 : course_.line_bytes + 1;
            if (course_.line_bytes > kMaxLineBytes) return false;
        }
        head_bytes_ += count;
        return head_bytes_ <= kMaxHeadBytes;
    }

    bool fill() {
        const Clock::time_point deadline = Clock::now() + course_.silence_timeout;
        while (true) {
            const ssize_t count = tls_ != nullptr ? ::SSL_read(tls_, buffer_.data(), static_cast<int>(buffer_.size()))
                                                  : ::recv(socket_, buffer_.data(), buffer_.size(), 0);
            if (count > 0) return take(static_cast<std::size_t>(count));
            if (!wait(wanted(count, POLLIN), deadline)) return false;
        }
    }

    bool take(std::size_t count) {
        begin_ = 0;
        end_ = count;
        course_.received_bytes += count;
        if (course_.calls.cancelled()) return fail(HttpEnd::given_up) > 0;
        const std::uint64_t around = course_.received_bytes - std::min(course_.received_bytes, course_.body_bytes);
        return around <= course_.body_bytes + kMaxAroundBodyBytes || fail(HttpEnd::too_much) > 0;
    }

    // What to wait for after a read or write gave `result` <= 0; 0: nothing more comes, cleanly or not.
    short wanted(ssize_t result, short events) {
        if (tls_ == nullptr) {
            if (result < 0 && (errno == EAGAIN || errno == EINTR)) return events;
            if (result < 0) fail(HttpEnd::broken);
            return 0;
        }
        switch (::SSL_get_error(tls_, static_cast<int>(result))) {
            case SSL_ERROR_WANT_READ:
                return POLLIN;
            case SSL_ERROR_WANT_WRITE:
                return POLLOUT;
            case SSL_ERROR_ZERO_RETURN:
                return 0;
            default:
                fail(HttpEnd::broken);
                return 0;
        }
    }

    bool wait(short events, Clock::time_point deadline) {
        while (events != 0) {
            if (course_.calls.cancelled()) return fail(HttpEnd::given_up) > 0;
            pollfd entry{socket_, events, 0};
            if (::poll(&entry, 1, static_cast<int>(kLook.count())) > 0) return true;
            if (Clock::now() >= deadline) return fail(HttpEnd::timed_out) > 0;
        }
        return false;
    }

    const int socket_;
    SSL* const tls_;
    Course& course_;
    std::array<char, kReadBytes> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t head_bytes_ = 0;
};

template <typename Base>
class WatchedClient final : public Base {
public:
    WatchedClient(const Url& url, Course& course) : Base(url.host, url.port), course_(course) {}

private:
    bool process_socket(const httplib::ClientImpl::Socket& socket,
                        std::function<bool(httplib::Stream&)> callback) override {
        WatchedStream stream(socket.sock, socket.ssl, course_);
        return callback(stream);
    }

    Course& course_;
};

std::unique_ptr<httplib::ClientImpl> client_for(const Url& url, Course& course) {
    if (url.is_https) return std::make_unique<WatchedClient<httplib::SSLClient>>(url, course);
    return std::make_unique<WatchedClient<httplib::ClientImpl>>(url, course);
}

std::optional<std::uint64_t> whole_number(const std::string& text) {
    const auto number = server::parse_integer(text);
    return number && *number >= 0 ? std::optional(static_cast<std::uint64_t>(*number)) : std::nullopt;
}

HttpHead head_of(const httplib::Response& response) {
    HttpHead head;
    head.status = response.status;
    head.content_type = response.get_header_value("Content-Type");
    head.etag = response.get_header_value("ETag");
    head.location = response.get_header_value("Location");
    head.content_range = response.get_header_value("Content-Range");
    head.content_encoding = response.get_header_value("Content-Encoding");
    head.content_bytes = whole_number(response.get_header_value("Content-Length"));
    head.retry_after = std::chrono::seconds(
        std::min<std::uint64_t>(whole_number(response.get_header_value("Retry-After")).value_or(0), 1'000'000));
    head.has_audio_status = response.has_header("X-Audio-Status");
    return head;
}

httplib::Headers headers_of(const HttpGet& request) {
    httplib::Headers headers{{"User-Agent", "lacquer/" LACQUER_VERSION},
                             {"Accept", "*/*"},
                             {"Accept-Encoding", "identity"},
                             {"Connection", "close"}};
    if (request.from_byte > 0) {
        headers.emplace("Range", "bytes=" + std::to_string(request.from_byte) + "-");
        headers.emplace("If-Range", request.if_range);
    }
    return headers;
}

HttpEnd end_of(httplib::Error error) {
    switch (error) {
        case httplib::Error::Success:
            return HttpEnd::complete;
        case httplib::Error::Canceled:
            return HttpEnd::given_up;
        case httplib::Error::ConnectionTimeout:
            return HttpEnd::timed_out;
        case httplib::Error::SSLConnection:
        case httplib::Error::SSLLoadingCerts:
        case httplib::Error::SSLServerVerification:
            return HttpEnd::untrusted;
        case httplib::Error::Connection:
            return HttpEnd::unreachable;
        default:
            return HttpEnd::broken;
    }
}

}  // namespace

HttpEnd http_get(const HttpGet& request, const HttpCalls& calls) {
    Course course{calls, request.silence_timeout};
    const std::unique_ptr<httplib::ClientImpl> client = client_for(request.url, course);
    client->set_connection_timeout(request.connect_timeout);
    client->set_read_timeout(request.silence_timeout);  // of the TLS handshake; the rest is the stream's
    client->set_write_timeout(request.silence_timeout);
    client->set_url_encode(false);
    client->set_decompress(false);
    client->set_follow_location(false);
    if (!request.url.user.empty() || !request.url.password.empty()) {
        client->set_basic_auth(request.url.user, request.url.password);
    }
    const auto result = client->Get(
        request.url.target, headers_of(request),
        [&](const httplib::Response& response) {
            course.head_is_done = true;
            return calls.on_head(head_of(response));
        },
        [&](const char* bytes, std::size_t count) {
            course.body_bytes += count;
            return calls.on_body({reinterpret_cast<const std::byte*>(bytes), count});
        });
    const HttpEnd end = course.end.value_or(end_of(result.error()));
    if (end != HttpEnd::complete || course.head_is_done) return end;
    return calls.on_head(head_of(*result)) ? end : HttpEnd::given_up;  // 204, of which the library tells no handler
}

}  // namespace lacquer::player
