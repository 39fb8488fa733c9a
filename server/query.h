// Query strings, strictly: what is not understood is refused with 400 instead of being ignored.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lacquer::server {

// Percent-decoded text (`+` is a space when `plus_is_space`); nullopt for a broken escape, a control character or
// bytes that are not UTF-8.
std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space);
// Everything but the unreserved characters of RFC 3986 escaped.
std::string percent_encoded(std::string_view text);

class Query {
public:
    // Throws HttpError 400 when a name is not in `allowed` (`token` always is), when one occurs twice and is not in
    // `repeatable`, and when it cannot be decoded.
    Query(std::string_view raw, std::vector<std::string> allowed, std::vector<std::string> repeatable = {});

    // An empty value counts as absent. Each throws HttpError 400 naming the parameter when the value does not fit.
    std::optional<std::string> text(const std::string& name) const;
    bool choice(const std::string& name, std::string_view yes, std::string_view no, bool fallback) const;
    double number(const std::string& name, double minimum, double maximum, double fallback) const;
    std::int64_t integer(const std::string& name, std::int64_t minimum, std::int64_t maximum,
                         std::int64_t fallback) const;
    // Of a repeatable parameter, positive; commas separate too: `track=1,2&track=3`.
    std::vector<std::int64_t> ids(const std::string& name) const;

private:
    std::multimap<std::string, std::string> values_;
};

// Decimal digits only; nullopt when it is anything else or does not fit.
std::optional<std::int64_t> parse_integer(std::string_view text);

}  // namespace lacquer::server
