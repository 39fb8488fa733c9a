// Whatever the playlist and whatever the address: entries within the bounds that can be named, and addresses that make
// one request line and mean themselves when read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "src/player/natural_order.h"
#include "src/player/playlist.h"
#include "src/player/screen_text.h"
#include "src/player/url.h"

namespace {

using namespace lacquer::player;

void check(const Url& url) {
    if (!url.target.starts_with('/')) std::abort();
    for (const char c : url.target + url.host) {
        if (c <= ' ' || c == '\x7f') std::abort();
    }
    const auto again = parse_url(url.text());
    if (again && *again != url) std::abort();
    if (!url.user.empty() && !redacted(url.text()).starts_with(url.is_https ? "https://***@" : "http://***@")) {
        std::abort();
    }
}

void check(std::string_view text, PlaylistKind kind) {
    static const Url base = *parse_url("http://user:password@h/a/b.m3u");
    std::string before;
    for (const PlaylistEntry& entry : parse_playlist(text, kind)) {
        if (entry.location.empty() ||
            entry.location.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
            std::abort();
        }
        if (!is_utf8(entry.title)) std::abort();
        if (columns_of(cut_to(printable(entry.location), 20)) > 20) std::abort();
        if (const auto url = resolve_url(base, entry.location)) check(*url);
        if (natural_less(before, entry.location) && natural_less(entry.location, before)) std::abort();
        before = entry.location;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const PlaylistKind kind : {PlaylistKind::m3u, PlaylistKind::pls}) {
        try {
            check(text, kind);
        } catch (const PlaylistError&) {}
    }
    if (const auto url = parse_url(text)) check(*url);
    (void)redacted(text);
    return 0;
}
