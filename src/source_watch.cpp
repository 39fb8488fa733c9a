#include "src/source_watch.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/media/open_file.h"

namespace lacquer {
namespace {

[[noreturn]] void cannot(const char* what) {
    if (errno == ENOENT || errno == ENOTDIR) throw SourceChanged("the file is gone");
    if (errno == ELOOP) throw SourceChanged("the file was replaced by a link");
    throw media::DecodeError(what, {errno, std::generic_category()});
}

bool is_untouched(const struct stat& now, const SourceFile& source) {
    const std::int64_t mtime_ns = std::int64_t{now.st_mtim.tv_sec} * 1'000'000'000 + now.st_mtim.tv_nsec;
    return static_cast<std::uint64_t>(now.st_size) == source.size_bytes && mtime_ns == source.mtime_ns;
}

}  // namespace

SourceWatch::SourceWatch(const SourceFile& source)
    : source_(source), descriptor_(media::open_without_links(source.path, O_RDONLY)) {
    if (descriptor_ < 0) cannot("cannot open the file");
    try {
        check_content();
    } catch (const media::DecodeError&) {
        ::close(descriptor_);
        throw;
    }
}

SourceWatch::~SourceWatch() {
    ::close(descriptor_);
}

void SourceWatch::check_path() const {
    struct stat here {
    }, there{};
    if (::stat(source_.path.c_str(), &there) != 0 || ::fstat(descriptor_, &here) != 0)
        cannot("cannot look at the file");
    if (here.st_ino != there.st_ino || here.st_dev != there.st_dev) throw SourceChanged("the file was replaced");
}

void SourceWatch::check_content() const {
    struct stat now {};
    if (::fstat(descriptor_, &now) != 0) cannot("cannot look at the file");
    if (!is_untouched(now, source_)) throw SourceChanged("the file changed while it was played");
}

}  // namespace lacquer
