// Whatever is presented: without the token nothing is let in, and a refusal is 401, 403 or 421 and never tells the
// token.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "server/access.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace lacquer::server;
    static const std::string token = "0c53d1a1f0e94d8e9e0c4a7d5b6f2e8137a9c6d4b2f05e1890adbc7766554433";
    static const Access access("0.0.0.0", token, {"music.example"});
    const std::string text(reinterpret_cast<const char*>(data), size);
    if (text.find(token) != std::string::npos) return 0;  // learnt from the comparison below
    const auto end = text.find('\n');
    Request request;
    request.method = size % 2 == 0 ? "GET" : "POST";
    request.path = "/api/player/stream/1";
    request.query = text.substr(0, end);
    if (end != std::string::npos) request.headers.emplace_back("Authorization", text.substr(end + 1));
    request.headers.emplace_back("Host", size % 3 == 0 ? text : "127.0.0.1");
    request.headers.emplace_back("Origin", size % 5 == 0 ? text : "http://127.0.0.1");
    try {
        access.check(request);
        std::abort();  // the token is longer than what a fuzzer guesses
    } catch (const HttpError& error) {
        if (error.status != 401 && error.status != 403 && error.status != 421) std::abort();
        if (std::string(error.what()).find(token) != std::string::npos) std::abort();
    }
    return 0;
}
