// Addresses of audio elsewhere: as much of RFC 3986 as http and https need. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lacquer::player {

struct Url {
    bool is_https = false;
    std::string user;  // decoded; empty: none
    std::string password;
    std::string host;  // lower case; IPv6 without brackets
    std::uint16_t port = 80;
    std::string target = "/";  // path and query, ready for a request line: what must be is percent-encoded

    std::string text() const;  // with user and password
    std::string_view path() const;
    bool operator==(const Url&) const = default;
};

bool looks_like_url(std::string_view text);  // begins with "something://"
// nullopt when it is no http or https URL. A fragment is dropped.
std::optional<Url> parse_url(std::string_view text);
// What `reference`, found in what came from `base`, means; nullopt when that is nothing to be fetched.
std::optional<Url> resolve_url(const Url& base, std::string_view reference);
// Any text for people: user names, passwords, and values of parameters that are called like keys, become `***`.
std::string redacted(std::string_view text);

}  // namespace lacquer::player
