#include "server/httplib_parser.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <httplib.h>

namespace lacquer::server {
namespace {

class HeadStream : public httplib::Stream {
public:
    explicit HeadStream(std::string_view head) : rest_(head) {}

    bool is_readable() const override { return !rest_.empty(); }
    bool is_writable() const override { return true; }
    ssize_t read(char* target, std::size_t size) override {
        const std::size_t count = std::min(size, rest_.size());
        std::memcpy(target, rest_.data(), count);
        rest_.remove_prefix(count);
        return static_cast<ssize_t>(count);
    }
    ssize_t write(const char*, std::size_t size) override { return static_cast<ssize_t>(size); }
    void get_remote_ip_and_port(std::string& ip, int& port) const override {
        ip.clear();
        port = 0;
    }
    void get_local_ip_and_port(std::string& ip, int& port) const override {
        ip.clear();
        port = 0;
    }
    socket_t socket() const override { return INVALID_SOCKET; }

private:
    std::string_view rest_;
};

bool is_set_by_the_library(const std::string& name) {
    return name == "REMOTE_ADDR" || name == "REMOTE_PORT" || name == "LOCAL_ADDR" || name == "LOCAL_PORT";
}

Request converted(const httplib::Request& parsed) {
    Request request;
    request.method = parsed.method;
    request.minor_version = parsed.version == "HTTP/1.0" ? 0 : 1;
    const auto mark = std::min(parsed.target.find('?'), parsed.target.size());
    request.path = parsed.target.substr(0, mark);
    request.query = parsed.target.substr(std::min(mark + 1, parsed.target.size()));
    for (const auto& [name, value] : parsed.headers) {
        if (equals_ignoring_case(name, guarded_range_header)) {
            request.range = value;
        } else if (!is_set_by_the_library(name)) {
            request.headers.emplace_back(name, value);
        }
    }
    return request;
}

}  // namespace

class HttplibParser::GuardedServer : public httplib::Server {
public:
    using httplib::Server::process_request;
};

HttplibParser::HttplibParser() : server_(std::make_unique<GuardedServer>()) {
    server_->set_pre_routing_handler(
        [](const httplib::Request&, httplib::Response&) { return httplib::Server::HandlerResponse::Handled; });
}

HttplibParser::~HttplibParser() = default;

std::optional<Request> HttplibParser::parse(const GuardedHead& guarded) const {
    HeadStream stream(guarded.head);
    std::optional<Request> request;
    bool closed = false;
    server_->process_request(stream, true, closed, [&](httplib::Request& parsed) { request = converted(parsed); });
    if (!request) return std::nullopt;
    request->body_bytes = guarded.body_bytes;
    request->body_is_awaited = guarded.body_is_awaited;
    return request;
}

}  // namespace lacquer::server
