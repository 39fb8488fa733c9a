#include "server/representation.h"

#include <cstdio>
#include <random>
#include <utility>

#include "server/conditions.h"
#include "server/problem.h"

namespace lacquer::server {
namespace {

std::string new_boundary() {
    std::random_device random;
    char text[33];
    std::snprintf(text, sizeof text, "%08x%08x%08x%08x", random(), random(), random(), random());
    return text;
}

// All that does not depend on which bytes are sent.
Headers common_headers(const Representation& representation) {
    Headers headers = {{"Cache-Control", representation.cache_control}, {"X-Accel-Buffering", "no"}};
    if (!representation.etag.empty()) headers.emplace_back("ETag", representation.etag);
    if (representation.body && representation.ranges) headers.emplace_back("Accept-Ranges", "bytes");
    headers.insert(headers.end(), representation.headers.begin(), representation.headers.end());
    return headers;
}

RangeAnswer range_of(const Request& request, const Representation& representation) {
    const bool may_be_partial = request.method == "GET" && request.range && representation.ranges &&
                                representation.status == 200 && range_applies(request, representation.etag);
    if (!may_be_partial) return {};
    return resolve_range(*request.range, representation.body->size_bytes());
}

void add_multipart(Response& response, const RangeAnswer& range, const std::string& type, std::uint64_t size_bytes) {
    const std::string boundary = new_boundary();
    for (const ByteRange& part : range.parts) {
        const std::string lead = response.segments.empty() ? "--" : "\r\n--";
        response.segments.push_back({lead + boundary + "\r\nContent-Type: " + type +
                                         "\r\nContent-Range: " + content_range(part, size_bytes) + "\r\n\r\n",
                                     part});
    }
    response.segments.push_back({"\r\n--" + boundary + "--\r\n", {}});
    response.headers.emplace_back("Content-Type", "multipart/byteranges; boundary=" + boundary);
}

Response unsatisfiable(const Request& request, std::uint64_t size_bytes) {
    return problem_response(416, "no byte of '" + *request.range + "' exists", {{"sizeBytes", size_bytes}},
                            {{"Content-Range", "bytes */" + std::to_string(size_bytes)}});
}

Response with_bytes(const Request& request, Representation representation) {
    const std::uint64_t size_bytes = representation.body->size_bytes();
    const RangeAnswer range = range_of(request, representation);
    if (range.kind == RangeKind::unsatisfiable) return unsatisfiable(request, size_bytes);
    Response response;
    response.headers = common_headers(representation);
    response.body = std::move(representation.body);
    response.status = range.kind == RangeKind::whole ? representation.status : 206;
    if (range.parts.size() > 1) {
        add_multipart(response, range, representation.content_type, size_bytes);
        return response;
    }
    response.headers.emplace_back("Content-Type", representation.content_type);
    if (range.kind == RangeKind::whole) {
        response.segments.push_back({{}, {0, size_bytes}});
    } else {
        response.headers.emplace_back("Content-Range", content_range(range.parts.front(), size_bytes));
        response.segments.push_back({{}, range.parts.front()});
    }
    return response;
}

}  // namespace

Response represent(const Request& request, Representation representation) {
    const Condition condition = check_conditions(request, representation.etag);
    if (condition == Condition::failed) return problem_response(412, "the precondition does not hold");
    if (condition == Condition::proceed && representation.body) return with_bytes(request, std::move(representation));
    Response response;
    response.headers = common_headers(representation);
    response.status = condition == Condition::not_modified ? 304 : representation.status;
    if (response.status != 304 && !representation.content_type.empty()) {
        response.headers.emplace_back("Content-Type", representation.content_type);
    }
    return response;
}

}  // namespace lacquer::server
