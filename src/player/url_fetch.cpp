#include "src/player/url_fetch.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <random>
#include <span>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "server/problem.h"
#include "server/query.h"
#include "src/player/http_client.h"
#include "src/player/screen_text.h"
#include "src/retry_policy.h"

namespace lacquer::player {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr int kMaxRedirects = 10;
constexpr std::chrono::seconds kLongestRetryAfter{120};
constexpr milliseconds kLook{50};
constexpr std::uint64_t kWorthwhileBytes = 64 * 1024;  // fewer are no progress: a server could do so for ever

// Where the bytes go.
class Sink {
public:
    virtual ~Sink() = default;
    virtual void restart() = 0;
    virtual void append(std::span<const std::byte> bytes) = 0;  // throws std::system_error
};

class FileSink final : public Sink {
public:
    explicit FileSink(const fs::path& file)
        : descriptor_(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
        if (descriptor_ < 0) fail();
    }
    ~FileSink() override { ::close(descriptor_); }
    FileSink(const FileSink&) = delete;
    FileSink& operator=(const FileSink&) = delete;

    void restart() override {
        if (::ftruncate(descriptor_, 0) != 0 || ::lseek(descriptor_, 0, SEEK_SET) != 0) fail();
    }
    void append(std::span<const std::byte> bytes) override {
        while (!bytes.empty()) {
            const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
            if (count < 0 && errno != EINTR) fail();
            if (count > 0) bytes = bytes.subspan(static_cast<std::size_t>(count));
        }
    }

private:
    [[noreturn]] static void fail() { throw std::system_error(errno, std::generic_category()); }
    const int descriptor_;
};

class TextSink final : public Sink {
public:
    void restart() override { text_.clear(); }
    void append(std::span<const std::byte> bytes) override {
        text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    std::string take() { return std::move(text_); }

private:
    std::string text_;
};

bool is_strong(const std::string& etag) {
    return etag.size() >= 2 && etag.front() == '"' && etag.back() == '"';
}

bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// "bytes 100-199/200" -> 100
std::optional<std::int64_t> first_byte_of(const std::string& content_range) {
    if (!content_range.starts_with("bytes ")) return std::nullopt;
    return server::parse_integer(std::string_view(content_range).substr(6, content_range.find('-') - 6));
}

bool same_place(const Url& a, const Url& b) {
    return a.is_https == b.is_https && a.host == b.host && a.port == b.port;
}

std::string size_text(std::uint64_t bytes) {
    return bytes >= 1'000'000'000 ? fmt::format("{:.3g} GB", static_cast<double>(bytes) / 1e9)
                                  : fmt::format("{:.3g} MB", static_cast<double>(bytes) / 1e6);
}

// Why an attempt failed, and whether another may do better.
struct Failure {
    std::string reason;
    bool can_pass = false;
    std::chrono::seconds retry_after{0};
};

class Fetch {
public:
    Fetch(const Url& url, Sink& sink, const FetchOptions& options)
        : given_(url), url_(url), sink_(sink), options_(options) {}

    void run() {
        int retry = 0;
        for (std::uint64_t furthest = 0; !attempt();) {
            check_cancelled();
            const bool got_further = received_ >= furthest + kWorthwhileBytes;
            if (got_further) furthest = received_;
            retry = got_further ? 1 : retry + 1;
            if (!failure_.can_pass || retry > kRetries || failure_.retry_after > kLongestRetryAfter) {
                throw FetchError(named(failure_.reason));
            }
            pause(retry);
        }
    }
    const Url& final_url() const { return url_; }
    FetchedFile result(const fs::path& path) const { return {path, received_, content_type_, url_, is_enhanced_}; }

private:
    std::string named(const std::string& reason) const { return redacted(given_.text()) + ": " + reason; }

    void check_cancelled() const {
        if (options_.cancelled()) throw FetchCancelled(named("cancelled"));
    }

    void pause(int retry) {
        std::uniform_real_distribution<double> jitter(0.0, 1.0);
        const milliseconds delay =
            retry_delay({.retry = retry, .jitter = jitter(random_), .retry_after = failure_.retry_after});
        options_.retrying(named(fmt::format("retry {}/{} in {:.2g} s: {}", retry, kRetries,
                                            static_cast<double>(delay.count()) / 1000.0, failure_.reason)));
        if (options_.wait) return options_.wait(delay);
        for (milliseconds left = delay; left.count() > 0; left -= kLook) {
            check_cancelled();
            std::this_thread::sleep_for(std::min(left, kLook));
        }
    }

    // True when all of it is there; else failure_ says why not. Throws what cannot be helped.
    bool attempt() {
        url_ = given_;
        for (int redirects = 0; redirects <= kMaxRedirects; ++redirects) {
            const HttpEnd end = get();
            if (!redirect_) return end == HttpEnd::complete || judge(end);
            follow(*redirect_);
        }
        throw FetchError(named(fmt::format("more than {} redirects", kMaxRedirects)));
    }

    HttpEnd get() {
        redirect_.reset();
        failure_ = {};
        HttpGet request;
        request.url = url_;
        request.connect_timeout = options_.connect_timeout;
        request.silence_timeout = options_.silence_timeout;
        if (received_ > 0 && is_strong(etag_)) {
            request.from_byte = received_;
            request.if_range = etag_;
        }
        return http_get(request, {.on_head = [&](const HttpHead& head) { return take_head(head, request.from_byte); },
                                  .on_body = [&](std::span<const std::byte> bytes) { return take_body(bytes); },
                                  .cancelled = options_.cancelled});
    }

    bool refuse(const std::string& reason) {
        failure_ = {reason};
        return false;
    }

    bool take_head(const HttpHead& head, std::uint64_t from_byte) {
        was_connected_ = true;
        if (is_redirect(head.status)) {
            redirect_ = head.location;
            return false;
        }
        const bool goes_on = head.status == 206 && from_byte > 0;
        if (head.status != 200 && !goes_on) return take_refusal(head);
        if (!head.content_encoding.empty() && head.content_encoding != "identity") {
            return refuse("the server sends it compressed (" + printable(head.content_encoding) + ")");
        }
        if (goes_on && first_byte_of(head.content_range) != static_cast<std::int64_t>(from_byte)) {
            received_ = 0;  // and is asked for anew, as a whole
            failure_ = {"the server sent another part than the one asked for", true};
            return false;
        }
        if (!goes_on && !begin(head)) return false;
        if (head.content_bytes) of_bytes_ = received_ + *head.content_bytes;
        if (of_bytes_ && *of_bytes_ > options_.max_bytes) return refuse("larger than " + size_text(options_.max_bytes));
        return true;
    }

    bool begin(const HttpHead& head) {
        received_ = 0;
        of_bytes_.reset();
        etag_ = head.etag;
        content_type_ = head.content_type;
        is_enhanced_ = head.has_audio_status;
        return store([&] { sink_.restart(); });
    }

    template <typename Action>
    bool store(Action action) {
        try {
            action();
            return true;
        } catch (const std::system_error& error) {  // not through the library's frames
            return refuse("cannot be stored: " + error.code().message());
        }
    }

    bool take_refusal(const HttpHead& head) {
        if (head.status == 416) {  // what was there is gone: anew, as a whole
            received_ = 0;
            etag_.clear();
        }
        failure_ = {fmt::format("{} {}", head.status, server::reason_phrase(head.status)),
                    can_pass_http(head.status) || (head.status == 416 && was_connected_), head.retry_after};
        return false;
    }

    bool take_body(std::span<const std::byte> bytes) {
        if (received_ + bytes.size() > options_.max_bytes) {
            return refuse("larger than " + size_text(options_.max_bytes));
        }
        if (!store([&] { sink_.append(bytes); })) return false;
        received_ += bytes.size();
        options_.progress({received_, of_bytes_});
        return true;
    }

    bool judge(HttpEnd end) {
        if (!failure_.reason.empty()) return false;
        switch (end) {
            case HttpEnd::complete:
                return true;
            case HttpEnd::given_up:
                failure_ = {"cancelled"};
                break;
            case HttpEnd::unreachable:
                failure_ = {"no connection to " + url_.host, was_connected_};
                break;
            case HttpEnd::untrusted:
                failure_ = {"no trusted connection to " + url_.host};
                break;
            case HttpEnd::timed_out:
                failure_ = {"the server does not answer", true};
                break;
            case HttpEnd::broken:
                failure_ = {"the connection broke", true};
                break;
            case HttpEnd::too_much:
                failure_ = {"the server's answer is not sound"};
                break;
        }
        return false;
    }

    void follow(const std::string& location) {
        std::optional<Url> next = resolve_url(url_, location);
        if (!next) throw FetchError(named("redirected to what is no address of http or https"));
        if (url_.is_https && !next->is_https) throw FetchError(named("redirected from https to http"));
        if (next->user.empty() && same_place(*next, url_)) {
            next->user = url_.user;
            next->password = url_.password;
        }
        url_ = *next;
    }

    const Url given_;
    Url url_;  // after redirects
    Sink& sink_;
    const FetchOptions& options_;
    std::mt19937 random_{std::random_device()()};
    std::optional<std::string> redirect_;
    Failure failure_;
    bool was_connected_ = false;
    std::uint64_t received_ = 0;
    std::optional<std::uint64_t> of_bytes_;
    std::string etag_;
    std::string content_type_;
    bool is_enhanced_ = false;
};

}  // namespace

FetchedFile fetch_to_file(const Url& url, const fs::path& file, const FetchOptions& options) {
    try {
        FileSink sink(file);
        Fetch fetch(url, sink, options);
        fetch.run();
        return fetch.result(file);
    } catch (const FetchError&) {
        std::error_code ignored;
        fs::remove(file, ignored);
        throw;
    } catch (const std::system_error& error) {
        throw FetchError(redacted(url.text()) + ": cannot be stored: " + error.code().message());
    }
}

FetchedText fetch_text(const Url& url, const FetchOptions& options) {
    TextSink sink;
    Fetch fetch(url, sink, options);
    fetch.run();
    return {sink.take(), fetch.final_url()};
}

}  // namespace lacquer::player
