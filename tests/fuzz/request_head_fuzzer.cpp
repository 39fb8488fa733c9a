// Whatever the head: it is refused with a status, or what the parser makes of it has the Host count and the ranges that
// the guard promised.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "server/httplib_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace lacquer::server;
    static const HttplibParser parser;
    const GuardedHead guarded = guard_head(std::string(reinterpret_cast<const char*>(data), size) + "\r\n\r\n");
    if (guarded.refusal != 0) return guarded.refusal >= 400 && !guarded.reason.empty() ? 0 : (std::abort(), 0);
    const auto request = parser.parse(guarded);
    if (!request) return 0;
    int hosts = 0;
    for (const auto& [name, value] : request->headers) {
        if (equals_ignoring_case(name, "Host")) ++hosts;
        if (equals_ignoring_case(name, "Range")) std::abort();
        if (value.find_first_of("\r\n") != std::string::npos) std::abort();
    }
    if (hosts > 1 || (hosts == 0 && request->minor_version == 1)) std::abort();
    return 0;
}
