// Inputs from elsewhere as files of this machine: each is fetched whole before it plays, the next one meanwhile.
//
// Threads: one at a time; the fetching is a thread of its own, on which the functions of FetchOptions are called.
// Disk:    in the folder for temporary files ($TMPDIR), gone with the FetchedInput or, at the latest, with UrlInputs.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "src/offline.h"
#include "src/player/url_fetch.h"

namespace lacquer::player {

// What decoders look at: ".flac", from the URL's path where that ends like audio, else from the content type; "" when
// neither tells.
std::string audio_extension(const Url& url, std::string_view content_type);

// A file that is removed when nobody plays it any more.
class FetchedInput {
public:
    explicit FetchedInput(FetchedFile file) : file_(std::move(file)) {}
    ~FetchedInput();
    FetchedInput(FetchedInput&& other) noexcept;
    FetchedInput& operator=(FetchedInput&&) = delete;

    const FetchedFile& file() const noexcept { return file_; }  // no component of whose path is a symbolic link

private:
    FetchedFile file_;
};

class UrlInputs {
public:
    // Throws std::runtime_error when there is no folder for temporary files.
    explicit UrlInputs(FetchOptions options = {});
    ~UrlInputs();  // gives up what is under way; waits up to options.connect_timeout where that still connects
    // For a process that ends without destructors: what has been fetched goes, for whomever.
    void remove_files() noexcept;
    UrlInputs(const UrlInputs&) = delete;
    UrlInputs& operator=(const UrlInputs&) = delete;

    // Begins to fetch what is likely to be asked for next. One at a time: what was prepared otherwise is given up.
    void prepare(const Url& url);
    // Whether take() would answer, or throw, at once.
    bool is_ready(const Url& url) const;
    // Waits for it. Throws FetchError, also when it is plainly no audio (a web page, a playlist); FetchCancelled when
    // options.cancelled(), or !wanted(): then it goes on being prepared.
    FetchedInput take(
        const Url& url, const std::function<bool()>& wanted = [] { return true; });

private:
    struct Fetching {
        Url url;
        std::future<FetchedInput> result;
        std::jthread thread;  // last: it writes into `result`
    };
    FetchedInput fetch(const Url& url, const std::filesystem::path& file, const std::stop_token& stop) const;

    const TemporaryFolder folder_;
    const std::filesystem::path path_;
    const FetchOptions options_;
    std::size_t files_ = 0;
    std::optional<Fetching> fetching_;
};

}  // namespace lacquer::player
