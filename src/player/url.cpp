#include "src/player/url.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include <fmt/format.h>

#include "server/query.h"

namespace lacquer::player {
namespace {

constexpr std::size_t kMaxUrlBytes = 8000;
constexpr std::string_view kHidden = "***";
constexpr std::array<std::string_view, 8> kSecretNames{"token", "key",       "password", "passwd",
                                                       "sig",   "signature", "secret",   "auth"};

bool is_alpha(char c) {
    return std::isalpha(static_cast<unsigned char>(c)) != 0;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::string lower(std::string_view text) {
    std::string low(text);
    for (char& c : low) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return low;
}

// The length of "scheme" when "scheme://" begins the text, else 0.
std::size_t scheme_bytes(std::string_view text) {
    const std::size_t end = text.find("://");
    if (end == std::string_view::npos || end == 0 || !is_alpha(text[0])) return 0;
    const auto fits = [](char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; };
    return std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), fits) ? end : 0;
}

std::string fit_for_a_request(std::string_view target) {
    std::string fit = target.starts_with('/') ? "" : "/";
    for (const char c : target) {
        const auto byte = static_cast<unsigned char>(c);
        const bool must_be_escaped = byte <= 0x20 || byte >= 0x7f || std::string_view("\"<>\\^`{|}").find(c) < 9;
        fit += must_be_escaped ? fmt::format("%{:02X}", byte) : std::string(1, c);
    }
    return fit;
}

bool take_user(std::string_view& authority, Url& url) {
    const std::size_t at = authority.rfind('@');
    if (at == std::string_view::npos) return true;
    const std::string_view info = authority.substr(0, at);
    authority.remove_prefix(at + 1);
    const std::size_t colon = std::min(info.find(':'), info.size());
    const auto user = server::percent_decoded(info.substr(0, colon), false);
    const auto password = server::percent_decoded(info.substr(std::min(colon + 1, info.size())), false);
    if (!user || !password || user->find(':') != std::string::npos) return false;
    url.user = *user;
    url.password = *password;
    return true;
}

bool is_host(std::string_view host, bool is_v6) {
    const auto fits = [&](char c) {
        if (is_v6) return std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == ':' || c == '.';
        return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
    };
    return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), fits);
}

bool take_host_and_port(std::string_view authority, Url& url) {
    const bool is_v6 = authority.starts_with('[');
    const std::size_t end = is_v6 ? authority.find(']') : std::min(authority.find(':'), authority.size());
    if (end == std::string_view::npos) return false;
    url.host = lower(authority.substr(is_v6 ? 1 : 0, is_v6 ? end - 1 : end));
    const std::string_view rest = authority.substr(is_v6 ? end + 1 : end);
    url.port = url.is_https ? 443 : 80;
    if (!is_host(url.host, is_v6)) return false;
    if (rest.empty() || rest == ":") return true;
    const auto port = rest[0] == ':' ? server::parse_integer(rest.substr(1)) : std::nullopt;
    if (!port || *port < 1 || *port > 65535) return false;
    url.port = static_cast<std::uint16_t>(*port);
    return true;
}

// RFC 3986, 5.2.4.
std::string without_dots(std::string_view path) {
    std::vector<std::string_view> kept;
    bool ends_as_folder = false;
    for (std::size_t at = 1; at <= path.size();) {
        const std::size_t end = std::min(path.find('/', at), path.size());
        const std::string_view segment = path.substr(at, end - at);
        ends_as_folder = segment == "." || segment == "..";
        if (segment == ".." && !kept.empty()) kept.pop_back();
        if (!ends_as_folder) kept.push_back(segment);
        at = end + 1;
    }
    std::string text;
    for (const std::string_view segment : kept) text.append("/").append(segment);
    return ends_as_folder || text.empty() ? text + "/" : text;
}

void hide_users(std::string& text) {
    for (std::size_t at = 0; (at = text.find("://", at)) != std::string::npos;) {
        at += 3;
        const std::size_t end = std::min(text.find_first_of("/?#", at), text.size());
        const std::size_t sign = text.rfind('@', end);
        if (sign != std::string::npos && sign >= at && sign < end) text.replace(at, sign - at, kHidden);
    }
}

bool is_secret(std::string_view name) {
    const std::string low = lower(name);
    return std::any_of(kSecretNames.begin(), kSecretNames.end(),
                       [&](std::string_view secret) { return low.ends_with(secret); });
}

void hide_values(std::string& text) {
    for (std::size_t at = 0; (at = text.find('=', at)) != std::string::npos; ++at) {
        const std::size_t begin = text.find_last_of("?&;# ", at);
        const std::size_t name = begin == std::string::npos ? 0 : begin + 1;
        if (!is_secret(std::string_view(text).substr(name, at - name))) continue;
        const std::size_t end = std::min(text.find_first_of("&;# \"'", at), text.size());
        text.replace(at + 1, end - at - 1, kHidden);
    }
}

}  // namespace

std::string Url::text() const {
    std::string authority = host.find(':') == std::string::npos ? host : "[" + host + "]";
    if (port != (is_https ? 443 : 80)) authority += fmt::format(":{}", port);
    if (!user.empty() || !password.empty()) {
        authority = server::percent_encoded(user) + ":" + server::percent_encoded(password) + "@" + authority;
    }
    return (is_https ? "https://" : "http://") + authority + target;
}

std::string_view Url::path() const {
    return std::string_view(target).substr(0, target.find('?'));
}

bool looks_like_url(std::string_view text) {
    return scheme_bytes(text) > 0;
}

std::optional<Url> parse_url(std::string_view text) {
    const std::string scheme = lower(text.substr(0, scheme_bytes(text)));
    if ((scheme != "http" && scheme != "https") || text.size() > kMaxUrlBytes) return std::nullopt;
    Url url;
    url.is_https = scheme == "https";
    text.remove_prefix(scheme.size() + 3);
    text = text.substr(0, text.find('#'));
    const std::size_t end = std::min(text.find_first_of("/?"), text.size());
    std::string_view authority = text.substr(0, end);
    if (!take_user(authority, url) || !take_host_and_port(authority, url)) return std::nullopt;
    url.target = fit_for_a_request(text.substr(end));
    return url;
}

std::optional<Url> resolve_url(const Url& base, std::string_view reference) {
    if (looks_like_url(reference)) return parse_url(reference);
    if (reference.starts_with("//")) return parse_url((base.is_https ? "https:" : "http:") + std::string(reference));
    reference = reference.substr(0, reference.find('#'));
    if (reference.empty() || reference.size() > kMaxUrlBytes) return std::nullopt;
    const std::size_t mark = std::min(reference.find('?'), reference.size());
    std::string path(reference.substr(0, mark));
    if (path.empty()) {
        path = base.path();
    } else if (!path.starts_with('/')) {
        path = std::string(base.path().substr(0, base.path().rfind('/') + 1)) + path;
    }
    Url url = base;
    url.target = fit_for_a_request(without_dots(path) + std::string(reference.substr(mark)));
    return url;
}

std::string redacted(std::string_view text) {
    std::string shown(text);
    hide_users(shown);
    hide_values(shown);
    return shown;
}

}  // namespace lacquer::player
