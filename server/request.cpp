#include "server/request.h"

#include <algorithm>
#include <utility>

namespace lacquer::server {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr std::string_view http_scheme = "http://";

bool is_absolute(std::string_view target) {
    return equals_ignoring_case(target.substr(0, http_scheme.size()), http_scheme);
}

}  // namespace

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<std::string_view> Request::authority() const {
    if (!is_absolute(path)) return header("Host");
    const std::string_view rest = std::string_view(path).substr(http_scheme.size());
    return rest.substr(0, rest.find('/'));
}

std::string_view Request::origin_form() const {
    if (!is_absolute(path)) return path;
    const auto slash = path.find('/', http_scheme.size());
    return slash == std::string::npos ? "/" : std::string_view(path).substr(slash);
}

std::optional<std::string_view> Request::header(std::string_view name) const {
    for (const auto& [key, value] : headers)
        if (equals_ignoring_case(key, name)) return value;
    return std::nullopt;
}

bool Request::header_lists(std::string_view name, std::string_view element) const {
    for (const auto& [key, value] : headers) {
        if (!equals_ignoring_case(key, name)) continue;
        std::string_view rest = value;
        while (!rest.empty()) {
            const auto comma = std::min(rest.find(','), rest.size());
            if (equals_ignoring_case(trimmed(rest.substr(0, comma)), element)) return true;
            rest.remove_prefix(std::min(comma + 1, rest.size()));
        }
    }
    return false;
}

std::uint64_t Response::content_bytes() const {
    std::uint64_t bytes = 0;
    for (const Segment& segment : segments) bytes += segment.text.size() + segment.range.length_bytes;
    return bytes;
}

Response text_response(int status, const std::string& content_type, std::string text) {
    Response response;
    response.status = status;
    response.headers = {{"Content-Type", content_type}, {"Cache-Control", "no-store"}};
    response.segments.push_back({std::move(text), {}});
    return response;
}

Response json_response(int status, const Json& document) {
    // Tags of music files may be anything; a bad byte becomes U+FFFD instead of an exception.
    return text_response(status, "application/json", document.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace lacquer::server
