// File operations that fail when told to: preloaded into the real daemon by tests/clients/faults.py.
//
// The file named by LACQUER_FAULTS holds one rule a line, and is read again when another file takes its name:
//
//     OPERATION PATH-PART [ERRNO | block | short] [delay MS] [after BYTES] [count N] [concurrent N]
//
// OPERATION: open, stat, read, write, rename, unlink, sync. PATH-PART: part of the path, - for any.
// ERRNO: as in EIO. block: until the rule is gone. short: half of the bytes. delay: first, and then whatever else is
// said. after: only what touches bytes from this offset on. count: the first N times. concurrent: only while more than
// N are inside. What was done is appended to the file's name + ".log": OPERATION ACTION PATH.
//
// Threads: all. A blocked call looks at the rules every 10 ms.
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

using std::chrono::milliseconds;

const std::map<std::string, int> kErrors = {
    {"EIO", EIO},       {"EAGAIN", EAGAIN}, {"ESTALE", ESTALE}, {"EACCES", EACCES},
    {"EMFILE", EMFILE}, {"ENOSPC", ENOSPC}, {"EROFS", EROFS},   {"ENOENT", ENOENT},
};

struct Rule {
    std::string line, operation, path_part, action;
    int error = 0;
    bool blocks = false;
    bool halves = false;
    milliseconds delay{0};
    std::int64_t after_bytes = 0;
    int concurrent = -1;                        // -1: however many
    std::atomic<std::int64_t> left{INT64_MAX};  // how often yet
    std::atomic<int> inside{0};
};
using Rules = std::list<Rule>;
using RulesPtr = std::shared_ptr<Rules>;  // shared: a call in progress keeps the rules that it entered by

void parse_words(std::istringstream& words, Rule& rule) {
    for (std::string word; words >> word;) {
        std::int64_t number = 0;
        if (const auto error = kErrors.find(word); error != kErrors.end()) rule.error = error->second;
        if (word == "block") rule.blocks = true;
        if (word == "short") rule.halves = true;
        if (kErrors.count(word) + (word == "block") + (word == "short") > 0)
            rule.action = word;
        else
            words >> number;
        if (word == "delay") rule.delay = milliseconds(number);
        if (word == "after") rule.after_bytes = number;
        if (word == "count") rule.left = number;
        if (word == "concurrent") rule.concurrent = static_cast<int>(number);
    }
}

std::string slurp(const char* path) {
    const int file = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC));
    if (file < 0) return {};
    std::string text;
    char buffer[4096];
    for (;;) {
        const long count = ::syscall(SYS_read, file, buffer, sizeof buffer);
        if (count <= 0) break;
        text.append(buffer, static_cast<std::size_t>(count));
    }
    ::syscall(SYS_close, file);
    return text;
}

RulesPtr parse(const std::string& text) {
    auto rules = std::make_shared<Rules>();
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string operation, path_part;
        if (!(words >> operation >> path_part)) continue;
        Rule& rule = rules->emplace_back();
        rule.line = line;
        rule.operation = operation;
        rule.path_part = path_part == "-" ? "" : path_part;
        parse_words(words, rule);
    }
    return rules;
}

class RuleBook {
public:
    // Never destroyed: threads go on reading files while the process ends.
    static RuleBook& the() {
        static RuleBook& book = *new RuleBook;
        return book;
    }

    RulesPtr rules() {
        const std::lock_guard lock(mutex_);
        struct ::stat now {};
        if (path_ == nullptr || ::syscall(SYS_newfstatat, AT_FDCWD, path_, &now, 0) != 0) return nothing_;
        if (now.st_ino != inode_ || now.st_mtim.tv_nsec != modified_ns_) {
            inode_ = now.st_ino;
            modified_ns_ = now.st_mtim.tv_nsec;
            rules_ = parse(slurp(path_));
        }
        return rules_;
    }

    void note(const Rule& rule, const std::string& path) const {
        const std::string line = rule.operation + " " + rule.action + " " + path + "\n";
        const std::string log = std::string(path_) + ".log";
        const int file = static_cast<int>(
            ::syscall(SYS_openat, AT_FDCWD, log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
        if (file < 0) return;
        ::syscall(SYS_write, file, line.data(), line.size());
        ::syscall(SYS_close, file);
    }

private:
    const char* path_ = std::getenv("LACQUER_FAULTS");
    std::mutex mutex_;
    const RulesPtr nothing_ = std::make_shared<Rules>();
    RulesPtr rules_ = nothing_;
    ino_t inode_ = 0;
    long modified_ns_ = -1;
};

bool still_says(const std::string& line) {
    const RulesPtr rules = RuleBook::the().rules();
    for (const Rule& rule : *rules) {
        if (rule.line == line) return true;
    }
    return false;
}

// One call on its way through the rules; it is inside them until destroyed.
class Passage {
public:
    Passage(const char* operation, const std::string& path, std::int64_t end_bytes) : rules_(RuleBook::the().rules()) {
        for (Rule& rule : *rules_) {
            const bool meant = rule.operation == operation && path.find(rule.path_part) != std::string::npos;
            if (!meant || end_bytes <= rule.after_bytes - (end_bytes == 0)) continue;
            apply(rule, path);
        }
    }
    ~Passage() {
        for (Rule* rule : entered_) --rule->inside;
    }
    Passage(const Passage&) = delete;
    Passage& operator=(const Passage&) = delete;

    bool refused() const {
        if (error_ != 0) errno = error_;
        return error_ != 0;
    }
    std::size_t allowed_bytes(std::size_t bytes) const { return halves_ && bytes > 1 ? bytes / 2 : bytes; }

private:
    void apply(Rule& rule, const std::string& path) {
        entered_.push_back(&rule);
        const int inside = ++rule.inside;
        if (rule.delay.count() > 0) std::this_thread::sleep_for(rule.delay);
        if (rule.concurrent >= 0 && inside <= rule.concurrent) return;
        if (rule.left.fetch_sub(1) <= 0) return;
        if (!rule.action.empty()) RuleBook::the().note(rule, path);
        while (rule.blocks && still_says(rule.line)) std::this_thread::sleep_for(milliseconds(10));
        if (error_ == 0) error_ = rule.error;
        halves_ = halves_ || rule.halves;
    }

    const RulesPtr rules_;
    std::vector<Rule*> entered_;
    int error_ = 0;
    bool halves_ = false;
};

std::string path_of(int file) {
    char path[4096];
    const std::string link = "/proc/self/fd/" + std::to_string(file);
    const long length = ::syscall(SYS_readlinkat, AT_FDCWD, link.c_str(), path, sizeof path);
    return length > 0 ? std::string(path, static_cast<std::size_t>(length)) : std::string();
}

std::int64_t position(int file) {
    const long now = ::syscall(SYS_lseek, file, 0, SEEK_CUR);
    return now < 0 ? 0 : now;
}

int open_at(int directory, const char* path, int flags, unsigned mode) {
    const Passage passage("open", path, 0);
    return passage.refused() ? -1 : static_cast<int>(::syscall(SYS_openat, directory, path, flags, mode));
}

ssize_t read_at(int file, void* out, std::size_t bytes, std::int64_t offset) {
    const Passage passage("read", path_of(file), offset + static_cast<std::int64_t>(bytes));
    return passage.refused() ? -1 : ::syscall(SYS_pread64, file, out, passage.allowed_bytes(bytes), offset);
}

ssize_t write_at(int file, const void* data, std::size_t bytes, std::int64_t offset) {
    const Passage passage("write", path_of(file), offset + static_cast<std::int64_t>(bytes));
    return passage.refused() ? -1 : ::syscall(SYS_pwrite64, file, data, passage.allowed_bytes(bytes), offset);
}

template <typename Function>
Function next(const char* name) {
    return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

unsigned mode_of(int flags, va_list rest) {
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, unsigned) : 0;
}

}  // namespace

extern "C" {

// NOLINTBEGIN: the names and the dots are the C library's.
#define LACQUER_OPEN(name)                           \
    int name(const char* path, int flags, ...) {     \
        va_list rest;                                \
        va_start(rest, flags);                       \
        const unsigned mode = mode_of(flags, rest);  \
        va_end(rest);                                \
        return open_at(AT_FDCWD, path, flags, mode); \
    }
#define LACQUER_OPENAT(name)                                    \
    int name(int directory, const char* path, int flags, ...) { \
        va_list rest;                                           \
        va_start(rest, flags);                                  \
        const unsigned mode = mode_of(flags, rest);             \
        va_end(rest);                                           \
        return open_at(directory, path, flags, mode);           \
    }
LACQUER_OPEN(open)
LACQUER_OPEN(open64)
LACQUER_OPENAT(openat)
LACQUER_OPENAT(openat64)

// openat2 has no function of its own. Everything else, our own calls among it, is handed on.
long syscall(long number, ...) noexcept {
    static const auto real = next<long (*)(long, ...)>("syscall");
    va_list rest;
    va_start(rest, number);
    long given[6];
    for (long& one : given) one = va_arg(rest, long);
    va_end(rest);
    if (number == SYS_openat2) {
        const Passage passage("open", reinterpret_cast<const char*>(given[1]), 0);
        if (passage.refused()) return -1;
    }
    return real(number, given[0], given[1], given[2], given[3], given[4], given[5]);
}
ssize_t pread(int file, void* out, size_t bytes, off_t offset) {
    return read_at(file, out, bytes, offset);
}
ssize_t pread64(int file, void* out, size_t bytes, off64_t offset) {
    return read_at(file, out, bytes, offset);
}
ssize_t pwrite(int file, const void* data, size_t bytes, off_t offset) {
    return write_at(file, data, bytes, offset);
}
ssize_t pwrite64(int file, const void* data, size_t bytes, off64_t offset) {
    return write_at(file, data, bytes, offset);
}
ssize_t read(int file, void* out, size_t bytes) {
    const Passage passage("read", path_of(file), position(file) + static_cast<std::int64_t>(bytes));
    return passage.refused() ? -1 : ::syscall(SYS_read, file, out, passage.allowed_bytes(bytes));
}
ssize_t write(int file, const void* data, size_t bytes) {
    const Passage passage("write", path_of(file), position(file) + static_cast<std::int64_t>(bytes));
    return passage.refused() ? -1 : ::syscall(SYS_write, file, data, passage.allowed_bytes(bytes));
}
ssize_t writev(int file, const iovec* parts, int count) {
    std::size_t bytes = 0;
    for (int i = 0; i < count; ++i) bytes += parts[i].iov_len;
    const Passage passage("write", path_of(file), position(file) + static_cast<std::int64_t>(bytes));
    if (passage.refused()) return -1;
    if (passage.allowed_bytes(bytes) == bytes) return ::syscall(SYS_writev, file, parts, count);
    while (parts->iov_len == 0) ++parts;
    return ::syscall(SYS_write, file, parts->iov_base, passage.allowed_bytes(parts->iov_len));
}
int fstat(int file, struct stat* out) noexcept {
    const Passage passage("stat", path_of(file), 0);
    return passage.refused() ? -1 : next<int (*)(int, struct stat*)>("fstat")(file, out);
}
int stat(const char* path, struct stat* out) noexcept {
    const Passage passage("stat", path, 0);
    return passage.refused() ? -1 : next<int (*)(const char*, struct stat*)>("stat")(path, out);
}
int rename(const char* from, const char* to) noexcept {
    const Passage passage("rename", to, 0);
    return passage.refused() ? -1 : static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}
int unlink(const char* path) noexcept {
    const Passage passage("unlink", path, 0);
    return passage.refused() ? -1 : static_cast<int>(::syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}
int fsync(int file) {
    const Passage passage("sync", path_of(file), 0);
    return passage.refused() ? -1 : static_cast<int>(::syscall(SYS_fsync, file));
}
int fdatasync(int file) {
    const Passage passage("sync", path_of(file), 0);
    return passage.refused() ? -1 : static_cast<int>(::syscall(SYS_fdatasync, file));
}
// NOLINTEND
}
