// Gets what an address leads to, whole, through broken connections and busy servers.
//
// Method:  redirects are followed, 10 at most and never from https to http. What may pass (429 and 5xx as
//          in src/retry_policy.h, time-outs, a connection that breaks once there was one) is tried again three times
//          after 1, 2 and 4 s or what Retry-After says; what went further than ever before counts from one again. After
//          a break the rest is asked for where the answer had a strong ETag (If-Range), else all of it.
// Threads: the caller's, for as long as it takes. The functions in FetchOptions are called on it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>

#include "src/player/url.h"

namespace lacquer::player {

// what(): "http://host/x.flac: 404 Not Found". Names no password and no token, as no text from here does.
class FetchError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// options.cancelled() said so.
class FetchCancelled : public FetchError {
public:
    using FetchError::FetchError;
};

struct FetchProgress {
    std::uint64_t received_bytes = 0;
    std::optional<std::uint64_t> of_bytes;  // nullopt: the server did not say
};

struct FetchOptions {
    std::uint64_t max_bytes = 2'000'000'000;
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds silence_timeout{30'000};       // without a byte
    std::function<bool()> cancelled = [] { return false; };  // about every 50 ms, but not while connecting
    std::function<void(const FetchProgress&)> progress = [](const FetchProgress&) {};
    std::function<void(const std::string&)> retrying = [](const std::string&) {
    };  // what went wrong, and when it goes on
    // Lets so much time pass. Tests do not.
    std::function<void(std::chrono::milliseconds)> wait = {};
};

struct FetchedFile {
    std::filesystem::path path;
    std::uint64_t bytes = 0;
    std::string content_type;  // as the server said it; empty: not
    Url final_url;
    bool is_enhanced = false;  // a stream that Lacquer made (X-Audio-Status): not to be enhanced again
};

// Into `file`, which is made or overwritten, and removed when it fails. Throws FetchError.
FetchedFile fetch_to_file(const Url& url, const std::filesystem::path& file, const FetchOptions& options = {});

struct FetchedText {
    std::string text;
    Url final_url;  // after redirects: what relative addresses in it are relative to
};

// What is small, like a playlist. Throws FetchError, also when it is larger than options.max_bytes.
FetchedText fetch_text(const Url& url, const FetchOptions& options);

}  // namespace lacquer::player
