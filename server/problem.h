// Problem documents: application/problem+json of RFC 9457.
#pragma once

#include <string>

#include "server/request.h"

namespace lacquer::server {

std::string reason_phrase(int status);  // "Not Found"
// {type: "about:blank", title, status, detail} and the members.
Response problem_response(int status, const std::string& detail, const Json& members = Json::object(),
                          const Headers& headers = {});
Response problem_response(const HttpError& error);

}  // namespace lacquer::server
