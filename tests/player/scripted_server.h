// An HTTP server on loopback that answers each request as the test says, broken on purpose where it says so: what no
// sound server would send.
#pragma once

#include <atomic>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace lacquer::test {

class ScriptedServer {
public:
    // The rest of one exchange: returns when the connection is to be closed. Called on the server's thread, one at a
    // time.
    class Client {
    public:
        Client(int descriptor, std::string head) : descriptor_(descriptor), head_(std::move(head)) {}
        const std::string& head() const { return head_; }
        bool asks(const std::string& text) const { return head_.find(text) != std::string::npos; }
        // False once the other side is gone.
        bool send(const std::string& bytes) const {
            std::size_t sent = 0;
            while (sent < bytes.size()) {
                const ssize_t count = ::send(descriptor_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
                if (count <= 0) return false;
                sent += static_cast<std::size_t>(count);
            }
            return true;
        }
        void reset() const {  // when the connection is closed: no clean end
            const linger now{1, 0};
            ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        }
        bool is_gone(int patience_ms) const {
            pollfd entry{descriptor_, POLLIN, 0};
            char byte = 0;
            return ::poll(&entry, 1, patience_ms) == 1 && ::recv(descriptor_, &byte, 1, MSG_PEEK) <= 0;
        }

    private:
        int descriptor_;
        std::string head_;
    };
    using Answer = std::function<void(const Client&)>;

    explicit ScriptedServer(Answer answer) : answer_(std::move(answer)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        (void)::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
        (void)::listen(listener_, 16);
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
        thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    }
    ~ScriptedServer() {
        thread_.request_stop();
        thread_.join();
        ::close(listener_);
    }
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;

    std::string url(const std::string& target = "/") const {
        return "http://127.0.0.1:" + std::to_string(port_) + target;
    }
    std::vector<std::string> heads() const {
        const std::lock_guard lock(mutex_);
        return heads_;
    }

private:
    void run(const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            pollfd entry{listener_, POLLIN, 0};
            if (::poll(&entry, 1, 20) != 1) continue;
            const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (client < 0) continue;
            serve(client);
            ::close(client);
        }
    }
    void serve(int client) {
        std::string head;
        char byte = 0;
        while (!head.ends_with("\r\n\r\n") && ::recv(client, &byte, 1, 0) == 1) head += byte;
        {
            const std::lock_guard lock(mutex_);
            heads_.push_back(head);
        }
        answer_(Client(client, head));
        linger how{};
        socklen_t size = sizeof how;
        ::getsockopt(client, SOL_SOCKET, SO_LINGER, &how, &size);
        if (how.l_onoff != 0) return;
        ::shutdown(client, SHUT_WR);
        while (::recv(client, &byte, 1, MSG_DONTWAIT) > 0) {}
    }

    Answer answer_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    mutable std::mutex mutex_;
    std::vector<std::string> heads_;
    std::jthread thread_;
};

}  // namespace lacquer::test
