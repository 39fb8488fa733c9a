#include "server/access.h"

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <unistd.h>

#include "server/query.h"

namespace lacquer::server {
namespace {

constexpr std::string_view stream_path = "/api/player/stream/";

bool is_ip_literal(std::string_view host) {
    std::array<unsigned char, sizeof(in6_addr)> address{};
    if (host.starts_with('[') && host.ends_with(']')) {
        return ::inet_pton(AF_INET6, std::string(host.substr(1, host.size() - 2)).c_str(), address.data()) == 1;
    }
    return ::inet_pton(AF_INET, std::string(host).c_str(), address.data()) == 1;
}

// "name:80" -> "name", "[::1]:80" -> "[::1]"; nullopt when what follows is not a port.
std::optional<std::string_view> without_port(std::string_view authority) {
    const auto bracket = authority.find(']');
    const auto colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
    if (colon == std::string_view::npos) return authority;
    if (!parse_integer(authority.substr(colon + 1))) return std::nullopt;
    return authority.substr(0, colon);
}

std::string own_name() {
    std::array<char, 256> name{};
    ::gethostname(name.data(), name.size() - 1);
    return name.data();
}

std::string hmac_hex(const std::string& key, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    const std::string bytes(text);
    const bool done =
        ::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()),
               reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data(), &length) != nullptr;
    if (!done || length == 0) throw std::runtime_error("no HMAC can be computed");  // else any token would be equal
    std::string hex;
    for (unsigned i = 0; i < length; ++i)
        hex += {"0123456789abcdef"[digest[i] / 16], "0123456789abcdef"[digest[i] % 16]};
    return hex;
}

// Of digests, so that neither the length nor the position of a difference shows in the time it takes.
bool equal_in_constant_time(std::string_view a, const std::string& b) {
    const std::string x = hmac_hex(b, a);
    const std::string y = hmac_hex(b, b);
    return x.size() == y.size() && ::CRYPTO_memcmp(x.data(), y.data(), x.size()) == 0;
}

std::optional<std::string> decoded_base64(std::string_view text) {
    if (text.empty() || text.size() % 4 != 0) return std::nullopt;
    std::string bytes(text.size() / 4 * 3, '\0');
    const int length =
        ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                          reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    if (length < 0) return std::nullopt;
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    bytes.resize(static_cast<std::size_t>(length) - padding);
    return bytes;
}

// The token of "Bearer TOKEN", or the password of "Basic base64(user:password)".
std::optional<std::string> credentials(const Request& request) {
    const auto header = request.header("Authorization");
    if (!header) return std::nullopt;
    const auto space = std::min(header->find(' '), header->size());
    const std::string_view scheme = header->substr(0, space);
    const std::string_view value = trimmed(header->substr(space));
    if (equals_ignoring_case(scheme, "Bearer")) return std::string(value);
    if (!equals_ignoring_case(scheme, "Basic")) return std::nullopt;
    const auto pair = decoded_base64(value);
    const auto colon = pair ? pair->find(':') : std::string::npos;
    if (colon == std::string::npos) return std::nullopt;
    return pair->substr(colon + 1);
}

std::optional<std::string> query_token(std::string_view query) {
    while (!query.empty()) {
        const auto end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        if (pair.starts_with("token=")) return percent_decoded(pair.substr(6), true);
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    return std::nullopt;
}

}  // namespace

bool is_loopback_host(std::string_view host) {
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (equals_ignoring_case(host, "localhost") || host == "::1") return true;
    return host.starts_with("127.") && is_ip_literal(host);
}

Access::Access(const std::string& listen_host, std::string token, std::vector<std::string> public_hosts)
    : token_(std::move(token)), names_(std::move(public_hosts)) {
    if (token_.empty() && !is_loopback_host(listen_host)) {
        throw std::runtime_error(
            "listening on " + listen_host +
            ", which others can reach, needs a token; without one only loopback addresses are served");
    }
    if (!token_.empty()) stream_token_ = hmac_hex(token_, "lacquer stream");
    names_.insert(names_.end(), {"localhost", own_name(), own_name() + ".local"});
}

void Access::check(const Request& request) const {
    const auto authority = request.authority();
    const auto host = without_port(authority.value_or(""));
    if (authority && (!host || !is_own_host(*host))) {
        throw HttpError(421, "this server is not '" + std::string(*authority) + "'; see the public host setting");
    }
    check_site(request, authority.value_or(""));
    if (!token_.empty()) check_token(request);
}

bool Access::is_own_host(std::string_view host) const {
    if (host.ends_with('.')) host.remove_suffix(1);
    return is_ip_literal(host) || std::any_of(names_.begin(), names_.end(), [&](const std::string& name) {
               return !name.empty() && equals_ignoring_case(name, host);
           });
}

void Access::check_site(const Request& request, std::string_view authority) const {
    const bool only_reads = request.method == "GET" || request.is_head() || request.method == "OPTIONS";
    if (only_reads) return;
    const std::string_view site = request.header("Sec-Fetch-Site").value_or("none");
    if (site != "same-origin" && site != "none") {
        throw HttpError(403, "pages of other sites may not change anything here");
    }
    const auto origin = request.header("Origin");
    if (!origin) return;
    const auto scheme_end = origin->find("://");
    const std::string_view from = scheme_end == std::string_view::npos ? "" : origin->substr(scheme_end + 3);
    const bool is_ours = !authority.empty() && equals_ignoring_case(from, authority);
    // A proxy that passes the host on without its port: then the browser's word has to do.
    const auto host = without_port(from);
    const bool is_behind_proxy = site == "same-origin" && host && is_own_host(*host);
    if (!is_ours && !is_behind_proxy)
        throw HttpError(403, "requests from '" + std::string(*origin) + "' may not change anything here");
}

bool Access::opens(std::string_view presented, const Request& request) const {
    const bool is_master = equal_in_constant_time(presented, token_);
    const bool is_stream = equal_in_constant_time(presented, stream_token_);
    const bool wants_stream =
        (request.method == "GET" || request.is_head()) && request.origin_form().starts_with(stream_path);
    return is_master || (is_stream && wants_stream);
}

void Access::check_token(const Request& request) const {
    const auto header_token = credentials(request);
    const auto url_token = query_token(request.query);
    if (header_token && opens(*header_token, request)) return;
    if (url_token && opens(*url_token, request)) return;
    throw HttpError(401, "a token is needed: Authorization: Bearer, the password of Basic, or ?token=", Json::object(),
                    {{"WWW-Authenticate", R"(Basic realm="lacquer", charset="UTF-8")"},
                     {"WWW-Authenticate", R"(Bearer realm="lacquer")"}});
}

}  // namespace lacquer::server
