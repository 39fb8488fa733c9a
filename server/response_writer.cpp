#include "server/response_writer.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <ctime>
#include <exception>
#include <optional>
#include <span>
#include <utility>

#include "server/event_stream.h"
#include "server/problem.h"
#include "server/thread_stack.h"

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

// Collects head, texts and body bytes in one slice and sends it whenever it is full, or the next bytes may take time.
class SliceWriter {
public:
    SliceWriter(Connection& connection, Response& response, const WriteContext& context, SlicePool& slices)
        : connection_(connection), response_(response), context_(context), slices_(slices), listener_present_([this] {
              return connection_.peer_is_present();
          }) {}

    Written run() {
        text(response_head(response_, context_.closes));
        Headers().swap(response_.headers);  // said: a long body needs their memory no more
        connection_.peer_is_present();      // a half-close seen now is known to be one as soon as bytes were taken
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
    void text(std::string_view text) {
        while (!text.empty()) {
            const auto room = unused();
            if (room.empty()) return;
            const std::size_t count = std::min(text.size(), room.size());
            std::memcpy(room.data(), text.data(), count);
            used_ += count;
            text.remove_prefix(count);
        }
    }

    bool body(const ByteRange& range) {
        std::uint64_t done = 0;
        while (done < range.length_bytes) {
            auto room = unused();
            if (room.empty()) return false;
            room =
                room.first(static_cast<std::size_t>(std::min<std::uint64_t>(range.length_bytes - done, room.size())));
            const std::size_t count = response_.body->read(range.offset_bytes + done, room, listener_present_);
            assert(count <= room.size());
            if (count == 0) return false;
            used_ += count;
            done += count;
            flush();  // what is there goes out: the next read may wait
        }
        return true;
    }

    // The rest of the slice in hand, or of the next one; empty when the client is gone.
    std::span<std::byte> unused() {
        if (used_ == slice_bytes) flush();
        if (!slice_ && sent_something_) wait_for_client();
        if (is_broken_) return {};
        if (!slice_) slice_.emplace(slices_);
        return slice_->bytes().subspan(used_);
    }

    void wait_for_client() {
        if (!std::exchange(stack_is_released_, true)) release_unused_stack();
        if (!is_broken_ && !connection_.wait_until_writable()) is_broken_ = true;
    }

    void flush() {
        connection_.set_probe({});
        if (used_ > 0) {
            sent_something_ = true;
            if (!connection_.write(slice_->bytes().first(used_))) is_broken_ = true;
        }
        used_ = 0;
        slice_.reset();
    }

    Connection& connection_;
    Response& response_;
    const WriteContext& context_;
    SlicePool& slices_;
    const std::function<bool()> listener_present_;
    std::optional<SlicePool::Slice> slice_;
    std::size_t used_ = 0;
    bool sent_something_ = false;
    bool stack_is_released_ = false;
    bool is_broken_ = false;
};

Written write_segments(Connection& connection, Response& response, const WriteContext& context, SlicePool& slices) {
    SliceWriter writer(connection, response, context, slices);
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

Written write_response(Connection& connection, Response& response, const WriteContext& context, SlicePool& slices) {
    if (context.head_only || has_no_content(response.status)) {
        return connection.write(response_head(response, context.closes)) ? Written::complete : Written::broken;
    }
    if (!response.events) return write_segments(connection, response, context, slices);
    if (!connection.write(response_head(response, context.closes))) return Written::broken;
    write_events(connection, *response.events, context.event_comment_period, context.is_stopping);
    return Written::complete;
}

}  // namespace lacquer::server
