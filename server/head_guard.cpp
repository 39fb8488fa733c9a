#include "server/head_guard.h"

#include <algorithm>
#include <array>
#include <optional>

#include "server/query.h"
#include "server/request.h"

namespace lacquer::server {
namespace {

struct Refusal {
    int status;
    const char* reason;
};

constexpr std::array<std::string_view, 7> known_methods{"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"};

bool is_token(std::string_view text) {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               marks.find(c) != std::string_view::npos;
    });
}

bool has_control(std::string_view text, bool tab_is_fine) {
    return std::any_of(text.begin(), text.end(), [&](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && !(tab_is_fine && c == '\t')) || byte == 0x7F;
    });
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
    return text.size() >= prefix.size() && equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

class Guard {
public:
    GuardedHead run(std::string_view head) {
        std::size_t lines = 0;
        while (!head.empty()) {
            const auto end = head.find("\r\n");
            if (end == std::string_view::npos) return refused({400, "a line does not end with CRLF"});
            const std::string_view line = head.substr(0, end);
            head.remove_prefix(end + 2);
            if (line.empty()) break;
            const auto refusal = lines == 0 ? request_line(line) : header_line(line);
            if (refusal) return refused(*refusal);
            if (++lines > max_header_lines) return refused({431, "too many header lines"});
        }
        if (lines == 0) return refused({400, "there is no request line"});
        if (const auto refusal = whole()) return refused(*refusal);
        result_.head += "\r\n";
        return std::move(result_);
    }

private:
    std::optional<Refusal> request_line(std::string_view line) {
        if (line.size() > max_line_bytes) return Refusal{414, "the request line is too long"};
        const auto first = line.find(' ');
        const auto last = line.rfind(' ');
        if (first == std::string_view::npos || first == last) return Refusal{400, "malformed request line"};
        const std::string_view method = line.substr(0, first);
        const std::string_view target = line.substr(first + 1, last - first - 1);
        const std::string_view version = line.substr(last + 1);
        if (!is_token(method) || target.empty() || target.find_first_of(" #") != std::string_view::npos ||
            has_control(target, false)) {
            return Refusal{400, "malformed request line"};
        }
        if (version != "HTTP/1.1" && version != "HTTP/1.0") {
            return version.starts_with("HTTP/") ? Refusal{505, "only HTTP/1.1 and HTTP/1.0 are spoken here"}
                                                : Refusal{400, "malformed request line"};
        }
        if (std::find(known_methods.begin(), known_methods.end(), method) == known_methods.end()) {
            return Refusal{501, "unknown method"};
        }
        is_old_ = version == "HTTP/1.0";
        result_.head.append(line).append("\r\n");
        return std::nullopt;
    }

    std::optional<Refusal> header_line(std::string_view line) {
        if (line.size() > max_line_bytes) return Refusal{431, "a header line is too long"};
        const auto colon = line.find(':');
        if (colon == std::string_view::npos || !is_token(line.substr(0, colon)) || has_control(line, true)) {
            return Refusal{400, "malformed header line"};
        }
        return header(line.substr(0, colon), trimmed(line.substr(colon + 1)));
    }

    std::optional<Refusal> header(std::string_view name, std::string_view value) {
        if (equals_ignoring_case(name, "Content-Length")) return content_length(value);
        if (equals_ignoring_case(name, "Transfer-Encoding")) return transfer_encoding();
        if (equals_ignoring_case(name, "Content-Encoding") && !equals_ignoring_case(value, "identity")) {
            return Refusal{415, "encoded request bodies are not taken"};
        }
        if (equals_ignoring_case(name, "Expect")) {
            result_.body_is_awaited = true;
            return std::nullopt;
        }
        if (equals_ignoring_case(name, "Host")) {
            if (++hosts_ > 1 || value.empty()) return Refusal{400, "not exactly one host in the Host header"};
        }
        // An empty one would be dropped by the parser, and with it the check that it is ours.
        if (equals_ignoring_case(name, "Origin")) {
            if (++origins_ > 1 || value.empty()) return Refusal{400, "not exactly one origin in the Origin header"};
        }
        if (equals_ignoring_case(name, "Range")) {
            ++ranges_;
            range_ = value;
            return std::nullopt;
        }
        const bool is_forged = starts_with_ignoring_case(name, "REMOTE_") ||
                               starts_with_ignoring_case(name, "LOCAL_") ||
                               equals_ignoring_case(name, guarded_range_header);
        if (!is_forged) append(name, value);
        return std::nullopt;
    }

    std::optional<Refusal> content_length(std::string_view value) {
        const auto bytes = parse_integer(value);
        if (!bytes) return Refusal{400, "Content-Length is not a number"};
        if (has_length_) return Refusal{400, "two Content-Length headers"};
        has_length_ = true;
        result_.body_bytes = static_cast<std::uint64_t>(*bytes);
        return std::nullopt;
    }

    std::optional<Refusal> transfer_encoding() {
        is_chunked_ = true;
        return std::nullopt;
    }

    std::optional<Refusal> whole() {
        if (is_chunked_ && has_length_) return Refusal{400, "Content-Length beside Transfer-Encoding"};
        if (is_chunked_) return Refusal{411, "request bodies need a Content-Length"};
        if (hosts_ == 0 && !is_old_) return Refusal{400, "there is no Host header"};
        if (ranges_ == 1) append(guarded_range_header, range_);
        return std::nullopt;
    }

    void append(std::string_view name, std::string_view value) {
        result_.head.append(name).append(": ");
        for (const char c : value) result_.head += c == '%' ? std::string("%25") : std::string(1, c);
        result_.head += "\r\n";
    }

    GuardedHead refused(Refusal refusal) {
        result_.refusal = refusal.status;
        result_.reason = refusal.reason;
        return std::move(result_);
    }

    GuardedHead result_;
    std::string range_;
    int hosts_ = 0;
    int origins_ = 0;
    int ranges_ = 0;
    bool is_old_ = false;
    bool has_length_ = false;
    bool is_chunked_ = false;
};

}  // namespace

GuardedHead guard_head(std::string_view head) {
    return Guard().run(head);
}

}  // namespace lacquer::server
