// Whatever the header and the size: every part lies inside the representation and none is empty.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "server/byte_range.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace lacquer::server;
    std::uint64_t size_bytes = 0;
    if (size < sizeof size_bytes) return 0;
    std::memcpy(&size_bytes, data, sizeof size_bytes);
    const std::string_view header(reinterpret_cast<const char*>(data) + sizeof size_bytes, size - sizeof size_bytes);
    const RangeAnswer answer = resolve_range(header, size_bytes);
    if ((answer.kind == RangeKind::partial) == answer.parts.empty()) std::abort();
    if (answer.parts.size() > max_range_parts) std::abort();
    for (const ByteRange& part : answer.parts) {
        if (part.length_bytes == 0 || part.offset_bytes >= size_bytes) std::abort();
        if (part.length_bytes > size_bytes - part.offset_bytes) std::abort();
    }
    (void)asks_for_first_byte(header);
    return 0;
}
