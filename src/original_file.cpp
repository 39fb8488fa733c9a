#include "src/original_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/media/open_file.h"
#include "src/retry_policy.h"

namespace lacquer {
namespace {

class FileBody : public server::Body {
public:
    explicit FileBody(const std::filesystem::path& path) : descriptor_(media::open_without_links(path, O_RDONLY)) {
        if (descriptor_ < 0) refuse(errno);
        struct stat status {};
        const int error = ::fstat(descriptor_, &status) == 0 ? 0 : errno;
        if (error != 0 || !S_ISREG(status.st_mode)) {
            ::close(descriptor_);
            if (error != 0) refuse(error);
            throw server::HttpError(404, "the file cannot be opened: it is not a regular file");
        }
        size_bytes_ = static_cast<std::uint64_t>(status.st_size);
        mtime_ns_ = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
    }
    FileBody(const FileBody&) = delete;
    FileBody& operator=(const FileBody&) = delete;
    ~FileBody() override { ::close(descriptor_); }

    bool is(const library::Track& track) const {
        return static_cast<std::int64_t>(size_bytes_) == track.size_bytes && mtime_ns_ == track.mtime_ns;
    }
    std::uint64_t size_bytes() const override { return size_bytes_; }
    std::size_t read(std::uint64_t offset, std::span<std::byte> out, const std::function<bool()>&) override {
        const ssize_t got = ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
        if (got < 0) refuse(errno);
        if (got == 0) throw std::runtime_error("the file became shorter while it was served");
        return static_cast<std::size_t>(got);
    }

private:
    [[noreturn]] static void refuse(int error) {
        const std::error_code code(error, std::generic_category());
        const std::string detail = fmt::format("the file cannot be read: {}", code.message());
        if (!can_pass(code)) throw server::HttpError(404, detail);
        throw server::HttpError(503, detail, server::Json::object(), {{"Retry-After", "1"}});
    }

    int descriptor_;
    std::uint64_t size_bytes_ = 0;
    std::int64_t mtime_ns_ = 0;
};

const char* content_type(std::string extension) {
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    constexpr std::array<std::pair<std::string_view, const char*>, 10> kTypes{{{".wav", "audio/wav"},
                                                                               {".flac", "audio/flac"},
                                                                               {".mp3", "audio/mpeg"},
                                                                               {".ogg", "audio/ogg"},
                                                                               {".oga", "audio/ogg"},
                                                                               {".opus", "audio/ogg"},
                                                                               {".aif", "audio/aiff"},
                                                                               {".aiff", "audio/aiff"},
                                                                               {".m4a", "audio/mp4"},
                                                                               {".w64", "audio/wav"}}};
    for (const auto& [ending, type] : kTypes) {
        if (ending == extension) return type;
    }
    return "application/octet-stream";
}

}  // namespace

server::Representation original_file(const library::Track& track) {
    server::Representation file;
    auto body = std::make_unique<FileBody>(track.path);
    if (body->is(track)) {
        file.etag = fmt::format("\"{}\"", track.content_id);
    } else {  // changed since it was looked at
        file.cache_control = "no-store";
    }
    file.body = std::move(body);
    file.content_type = content_type(track.path.extension().string());
    return file;
}

}  // namespace lacquer
