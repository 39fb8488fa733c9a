// Whatever the query: an HttpError 400 or values that can be encoded and decoded again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "server/query.h"
#include "server/sources.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace lacquer::server;
    try {
        const Query query({reinterpret_cast<const char*>(data), size}, {"a", "n", "x"}, {"track"});
        (void)query.number("x", 0.0, 1.0, 0.5);
        (void)query.integer("n", 1, 1000, 100);
        for (const std::int64_t id : query.ids("track"))
            if (id < 1) std::abort();
        const auto text = query.text("a");
        if (text && percent_decoded(percent_encoded(*text), false) != *text) std::abort();
    } catch (const HttpError& error) {
        if (error.status != 400) std::abort();
        (void)error.members.dump();
    }
    return 0;
}
