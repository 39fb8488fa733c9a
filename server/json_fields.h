// The fields of a JSON object that a client sent, strictly: what is not understood is refused with 400 instead of being
// ignored.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/sources.h"

namespace lacquer::server {

class JsonFields {
public:
    // Throws HttpError 400 with the parser's message when `body` is no JSON object, and naming the field when one is
    // not in `allowed` or occurs twice.
    JsonFields(std::string_view body, const std::vector<std::string>& allowed);

    // Each throws HttpError 400 naming the field when it is missing or of another type or range.
    std::string text(const std::string& name) const;
    std::int64_t integer(const std::string& name, std::int64_t minimum) const;
    std::vector<std::int64_t> integers(const std::string& name, std::int64_t minimum) const;  // an array

private:
    const Json& required(const std::string& name) const;

    Json fields_;
};

}  // namespace lacquer::server
