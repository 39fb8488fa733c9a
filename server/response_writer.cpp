#include "server/response_writer.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <ctime>
#include <exception>
#include <vector>

#include "server/event_stream.h"
#include "server/problem.h"

namespace lacquer::server {
namespace {

constexpr std::string_view interim_response = "HTTP/1.1 102 Processing\r\n\r\n";

std::string http_date() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    char text[40];
    return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

bool has_no_content(int status) {
    return status == 204 || status == 304;
}

// Collects head, texts and body bytes in one slice and sends it whenever it is full.
class SliceWriter {
public:
    SliceWriter(Connection& connection, Response& response, const WriteContext& context)
        : connection_(connection),
          response_(response),
          context_(context),
          listener_present_([this] { return present(); }) {}

    Written run() {
        text(response_head(response_, context_.closes));
        connection_.peer_is_present();  // a half-close seen now is known to be one as soon as bytes were taken
        if (context_.takes_interim) connection_.set_probe(interim_response);
        for (const Segment& segment : response_.segments) {
            text(segment.text);
            if (is_broken_ || !body(segment.range)) return Written::broken;
        }
        flush();
        return is_broken_ ? Written::broken : Written::complete;
    }

    bool sent_something() const { return sent_something_; }

private:
    bool present() { return connection_.peer_is_present(); }

    void text(std::string_view text) {
        while (!text.empty() && !is_broken_) {
            if (used_ == slice_bytes) flush();
            reserve(used_ + text.size());
            const std::size_t count = std::min(text.size(), slice_.size() - used_);
            std::memcpy(slice_.data() + used_, text.data(), count);
            used_ += count;
            text.remove_prefix(count);
        }
    }

    bool body(const ByteRange& range) {
        std::uint64_t done = 0;
        while (done < range.length_bytes) {
            if (used_ == slice_bytes) flush();
            if (is_broken_) return false;
            reserve(static_cast<std::size_t>(std::min<std::uint64_t>(used_ + range.length_bytes - done, slice_bytes)));
            const auto wanted =
                static_cast<std::size_t>(std::min<std::uint64_t>(range.length_bytes - done, slice_.size() - used_));
            const std::size_t count = response_.body->read(range.offset_bytes + done,
                                                           std::span(slice_).subspan(used_, wanted), listener_present_);
            assert(count <= wanted);
            if (count == 0) return false;
            used_ += count;
            done += count;
            flush();  // what is there goes out: the next read may wait
        }
        return true;
    }

    void reserve(std::size_t bytes) { slice_.resize(std::max(slice_.size(), std::min(bytes, slice_bytes))); }

    void flush() {
        connection_.set_probe({});
        if (used_ > 0) sent_something_ = true;
        if (!connection_.write(std::span<const std::byte>(slice_.data(), used_))) is_broken_ = true;
        used_ = 0;
    }

    Connection& connection_;
    Response& response_;
    const WriteContext& context_;
    const std::function<bool()> listener_present_;
    std::vector<std::byte> slice_;
    std::size_t used_ = 0;
    bool sent_something_ = false;
    bool is_broken_ = false;
};

Written write_segments(Connection& connection, Response& response, const WriteContext& context) {
    SliceWriter writer(connection, response, context);
    try {
        return writer.run();
    } catch (const std::exception& error) {
        connection.set_probe({});
        if (!writer.sent_something()) throw;
        if (context.log) context.log(std::string("a response broke off: ") + error.what());
        return Written::broken;
    }
}

}  // namespace

std::string response_head(const Response& response, bool closes) {
    std::string head = "HTTP/1.1 " + std::to_string(response.status) + " " + reason_phrase(response.status) + "\r\n";
    const auto add = [&](const std::string& name, const std::string& value) {
        constexpr const char* line_ends = "\r\n";
        const bool splits =
            name.find_first_of(line_ends) != std::string::npos || value.find_first_of(line_ends) != std::string::npos;
        if (!splits) head += name + ": " + value + "\r\n";
    };
    add("Date", http_date());
    for (const auto& [name, value] : response.headers) add(name, value);
    add("X-Content-Type-Options", "nosniff");
    if (!has_no_content(response.status) && !response.is_endless) {
        add("Content-Length", std::to_string(response.content_bytes()));
    }
    if (closes || response.is_endless) add("Connection", "close");
    return head + "\r\n";
}

Written write_response(Connection& connection, Response& response, const WriteContext& context) {
    if (context.head_only || has_no_content(response.status)) {
        return connection.write(response_head(response, context.closes)) ? Written::complete : Written::broken;
    }
    if (!response.events) return write_segments(connection, response, context);
    if (!connection.write(response_head(response, context.closes))) return Written::broken;
    write_events(connection, *response.events, context.event_comment_period, context.is_stopping);
    return Written::complete;
}

}  // namespace lacquer::server
