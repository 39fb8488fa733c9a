#include "server/conditions.h"

#include <algorithm>

namespace lacquer::server {
namespace {

bool is_weak(std::string_view tag) {
    return tag.starts_with("W/");
}
std::string_view opaque(std::string_view tag) {
    return is_weak(tag) ? tag.substr(2) : tag;
}

// The next `"..."` or `W/"..."` or other element of a comma-separated list; a comma inside quotes does not separate.
std::string_view take_tag(std::string_view& rest) {
    std::size_t end = 0;
    bool quoted = false;
    while (end < rest.size() && (quoted || rest[end] != ',')) quoted ^= rest[end++] == '"';
    const std::string_view tag = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return tag;
}

bool lists(std::string_view list, const std::string& etag, bool weakly) {
    if (trimmed(list) == "*") return true;
    if (etag.empty()) return false;
    while (!list.empty()) {
        const std::string_view tag = take_tag(list);
        if (weakly ? opaque(tag) == opaque(etag) : tag == etag && !is_weak(etag)) return true;
    }
    return false;
}

// nullopt when the header is absent; several lines count as one list.
std::optional<bool> matches(const Request& request, std::string_view name, const std::string& etag, bool weakly) {
    std::optional<bool> result;
    for (const auto& [key, value] : request.headers)
        if (equals_ignoring_case(key, name)) result = result.value_or(false) || lists(value, etag, weakly);
    return result;
}

}  // namespace

Condition check_conditions(const Request& request, const std::string& etag) {
    if (matches(request, "If-Match", etag, false) == false) return Condition::failed;
    if (matches(request, "If-None-Match", etag, true) == true) {
        return request.method == "GET" || request.is_head() ? Condition::not_modified : Condition::failed;
    }
    return Condition::proceed;
}

bool range_applies(const Request& request, const std::string& etag) {
    const auto wanted = request.header("If-Range");
    return !wanted || (!etag.empty() && !is_weak(etag) && trimmed(*wanted) == etag);
}

}  // namespace lacquer::server
