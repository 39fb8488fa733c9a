#include "server/problem.h"

#include <array>
#include <utility>

namespace lacquer::server {
namespace {

constexpr std::array<std::pair<int, const char*>, 29> phrases{{
    {102, "Processing"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
}};

}  // namespace

std::string reason_phrase(int status) {
    for (const auto& [code, phrase] : phrases)
        if (code == status) return phrase;
    return "Status " + std::to_string(status);
}

Response problem_response(int status, const std::string& detail, const Json& members, const Headers& headers) {
    Json document = members.is_object() ? members : Json::object();
    document["type"] = "about:blank";
    document["title"] = reason_phrase(status);
    document["status"] = status;
    document["detail"] = detail;
    Response response = json_response(status, document);
    response.headers[0].second = "application/problem+json";
    response.headers.insert(response.headers.end(), headers.begin(), headers.end());
    return response;
}

Response problem_response(const HttpError& error) {
    return problem_response(error.status, error.what(), error.members, error.headers);
}

}  // namespace lacquer::server
