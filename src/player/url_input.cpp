#include "src/player/url_input.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <system_error>
#include <utility>

#include "src/media/decoder.h"
#include "src/player/screen_text.h"

namespace lacquer::player {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kLook{50};

struct KnownType {
    std::string_view name;
    std::string_view extension;
};
constexpr std::array kKnownTypes{
    KnownType{"audio/mpeg", ".mp3"},    KnownType{"audio/mp3", ".mp3"},       KnownType{"audio/flac", ".flac"},
    KnownType{"audio/x-flac", ".flac"}, KnownType{"audio/wav", ".wav"},       KnownType{"audio/x-wav", ".wav"},
    KnownType{"audio/wave", ".wav"},    KnownType{"audio/vnd.wave", ".wav"},  KnownType{"audio/ogg", ".ogg"},
    KnownType{"audio/vorbis", ".ogg"},  KnownType{"application/ogg", ".ogg"}, KnownType{"audio/opus", ".opus"},
    KnownType{"audio/aiff", ".aiff"},   KnownType{"audio/x-aiff", ".aiff"},   KnownType{"audio/basic", ".au"},
};
constexpr std::array<std::string_view, 6> kPlaylistTypes{"audio/mpegurl",       "audio/x-mpegurl",
                                                         "audio/x-scpls",       "application/vnd.apple.mpegurl",
                                                         "application/mpegurl", "application/x-mpegurl"};

// "Audio/FLAC; x=y" -> "audio/flac"
std::string bare_type(std::string_view content_type) {
    content_type = content_type.substr(0, content_type.find_first_of("; "));
    std::string type(content_type);
    std::transform(type.begin(), type.end(), type.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return type;
}

void check_is_audio(const FetchedFile& file, const Url& given) {
    const std::string type = bare_type(file.content_type);
    if (std::find(kPlaylistTypes.begin(), kPlaylistTypes.end(), type) != kPlaylistTypes.end()) {
        throw FetchError(redacted(given.text()) + ": a playlist, but its address does not end in .m3u, .m3u8 or .pls");
    }
    if (type.starts_with("text/") || type == "application/json" || type == "application/problem+json") {
        throw FetchError(redacted(given.text()) + ": no audio, but " + printable(type));
    }
}

}  // namespace

std::string audio_extension(const Url& url, std::string_view content_type) {
    const fs::path path(url.path());
    if (media::has_audio_extension(path)) return path.extension().string();
    const std::string type = bare_type(content_type);
    const auto known =
        std::find_if(kKnownTypes.begin(), kKnownTypes.end(), [&](const KnownType& one) { return one.name == type; });
    return known == kKnownTypes.end() ? "" : std::string(known->extension);
}

FetchedInput::~FetchedInput() {
    std::error_code ignored;
    if (!file_.path.empty()) fs::remove(file_.path, ignored);
}

FetchedInput::FetchedInput(FetchedInput&& other) noexcept : file_(std::move(other.file_)) {
    other.file_.path.clear();
}

UrlInputs::UrlInputs(FetchOptions options) : path_(fs::canonical(folder_.path())), options_(std::move(options)) {}

UrlInputs::~UrlInputs() = default;

void UrlInputs::remove_files() noexcept {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

void UrlInputs::prepare(const Url& url) {
    if (fetching_ && fetching_->url == url) return;
    fetching_.reset();
    std::promise<FetchedInput> promise;
    fetching_.emplace(Fetching{url, promise.get_future(), {}});
    fetching_->thread = std::jthread([this, url, file = path_ / std::to_string(++files_),
                                      result = std::move(promise)](const std::stop_token& stop) mutable {
        try {
            result.set_value(fetch(url, file, stop));
        } catch (...) {  // whatever it is, take() throws it
            result.set_exception(std::current_exception());
        }
    });
}

bool UrlInputs::is_ready(const Url& url) const {
    return fetching_ && fetching_->url == url &&
           fetching_->result.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

FetchedInput UrlInputs::take(const Url& url, const std::function<bool()>& wanted) {
    prepare(url);
    while (fetching_->result.wait_for(kLook) != std::future_status::ready) {
        if (options_.cancelled() || !wanted()) throw FetchCancelled(redacted(url.text()) + ": cancelled");
    }
    std::future<FetchedInput> result = std::move(fetching_->result);
    fetching_.reset();
    return result.get();
}

FetchedInput UrlInputs::fetch(const Url& url, const fs::path& file, const std::stop_token& stop) const {
    FetchOptions options = options_;
    options.cancelled = [&] { return stop.stop_requested() || options_.cancelled(); };
    FetchedInput fetched(fetch_to_file(url, file, options));
    check_is_audio(fetched.file(), url);
    FetchedFile named = fetched.file();
    std::string extension = audio_extension(named.final_url, named.content_type);
    if (extension.empty()) extension = audio_extension(url, "");
    if (extension.empty()) return fetched;  // decoders look at what is in it
    named.path += extension;
    std::error_code error;
    fs::rename(file, named.path, error);
    if (error) throw FetchError(redacted(url.text()) + ": cannot be stored: " + error.message());
    return FetchedInput(named);
}

}  // namespace lacquer::player
