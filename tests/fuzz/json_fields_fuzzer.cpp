// Whatever the body: an HttpError 400 whose members can be written, or fields within their range.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "server/json_fields.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace lacquer::server;
    try {
        const JsonFields fields({reinterpret_cast<const char*>(data), size}, {"name", "trackId"});
        if (fields.integer("trackId", 1) < 1) std::abort();
        (void)Json(fields.text("name")).dump();
    } catch (const HttpError& error) {
        if (error.status != 400) std::abort();
        (void)error.members.dump();
    }
    return 0;
}
