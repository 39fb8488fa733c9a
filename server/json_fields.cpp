#include "server/json_fields.h"

#include <algorithm>
#include <limits>
#include <set>

namespace lacquer::server {
namespace {

[[noreturn]] void refuse(const std::string& name, const std::string& detail, Json members = Json::object()) {
    members["field"] = name;
    throw HttpError(400, detail, std::move(members));
}

Json parsed(std::string_view body) {
    std::set<std::string> names;
    const auto once = [&names](int depth, Json::parse_event_t event, Json& token) {
        const bool is_name = event == Json::parse_event_t::key && depth == 1;
        if (is_name && !names.insert(token.get<std::string>()).second) {
            refuse(token.get<std::string>(), "field '" + token.get<std::string>() + "' occurs twice");
        }
        return true;
    };
    try {
        return Json::parse(body, once);
    } catch (const Json::exception& error) {
        throw HttpError(400, std::string("the body is not JSON: ") + error.what());
    }
}

std::int64_t whole_number(const std::string& name, const Json& value, std::int64_t minimum) {
    constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
    const bool fits = value.is_number_integer() && (!value.is_number_unsigned() || value.get<std::uint64_t>() <= kMost);
    if (!fits || value.get<std::int64_t>() < minimum) {
        refuse(name, name + " must be a whole number from " + std::to_string(minimum), {{"minimum", minimum}});
    }
    return value.get<std::int64_t>();
}

}  // namespace

JsonFields::JsonFields(std::string_view body, const std::vector<std::string>& allowed) : fields_(parsed(body)) {
    if (!fields_.is_object()) throw HttpError(400, "the body must be a JSON object", {{"allowed", allowed}});
    for (const auto& [name, value] : fields_.items()) {
        if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
            refuse(name, "unknown field '" + name + "'", {{"allowed", allowed}});
        }
    }
}

const Json& JsonFields::required(const std::string& name) const {
    const auto found = fields_.find(name);
    if (found == fields_.end()) refuse(name, "field '" + name + "' is missing");
    return *found;
}

std::string JsonFields::text(const std::string& name) const {
    const Json& value = required(name);
    if (!value.is_string()) refuse(name, name + " must be a text");
    return value.get<std::string>();
}

std::int64_t JsonFields::integer(const std::string& name, std::int64_t minimum) const {
    return whole_number(name, required(name), minimum);
}

std::vector<std::int64_t> JsonFields::integers(const std::string& name, std::int64_t minimum) const {
    const Json& values = required(name);
    if (!values.is_array()) refuse(name, name + " must be an array of whole numbers");
    std::vector<std::int64_t> numbers;
    for (const Json& value : values) numbers.push_back(whole_number(name, value, minimum));
    return numbers;
}

}  // namespace lacquer::server
