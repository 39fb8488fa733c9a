#include "src/player/driver_remarks.h"

#include <array>
#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <string_view>
#include <utility>

#include <alsa/asoundlib.h>
#include <dlfcn.h>
#include <unistd.h>

#include "thread/mutex.h"

namespace lacquer::player {
namespace {

thread_local bool inside_driver = false;

struct LastRemark {
    thread::Mutex mutex;
    std::string text GUARDED_BY(mutex);
};

// Never destroyed: drivers' threads may have something to say until the very end.
LastRemark& last_remark() {
    static LastRemark& remark = *new LastRemark;
    return remark;
}

void remember(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
    if (text.empty()) return;
    LastRemark& last = last_remark();
    const thread::MutexLock lock(last.mutex);
    last.text = text.substr(text.rfind('\n') + 1);
}

void on_jack_remark(const char* text) {
    remember(text);
}

__attribute__((format(printf, 5, 6))) void on_alsa_remark(const char*, int, const char*, int, const char* format, ...) {
    std::array<char, 512> text{};
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text.data(), text.size(), format, arguments);
    va_end(arguments);
    remember(text.data());
}

ssize_t write_to_stderr(void*, const char* text, std::size_t size) {
    if (!inside_driver) return ::write(STDERR_FILENO, text, size);
    remember({text, size});
    return static_cast<ssize_t>(size);
}

void listen_to_stderr() {
    cookie_io_functions_t functions{};
    functions.write = write_to_stderr;
    std::FILE* const filtered = ::fopencookie(nullptr, "w", functions);
    if (filtered == nullptr) return;
    std::setvbuf(filtered, nullptr, _IONBF, 0);
    stderr = filtered;  // which glibc allows; iostreams and those who have taken the old one are left alone
}

}  // namespace

void collect_driver_remarks() {
    static std::once_flag once;
    std::call_once(once, [] {
        ::snd_lib_error_set_handler(on_alsa_remark);
        using SetListener = void(void (*)(const char*));
        for (const char* name : {"jack_set_error_function", "jack_set_info_function"}) {
            if (void* const set = ::dlsym(RTLD_DEFAULT, name)) reinterpret_cast<SetListener*>(set)(on_jack_remark);
        }
        listen_to_stderr();
    });
}

std::string take_driver_remark() {
    LastRemark& last = last_remark();
    const thread::MutexLock lock(last.mutex);
    return std::exchange(last.text, {});
}

DriverCall::DriverCall() noexcept : before_(std::exchange(inside_driver, true)) {}
DriverCall::~DriverCall() {
    inside_driver = before_;
}
void this_thread_is_the_drivers() noexcept {
    inside_driver = true;
}

}  // namespace lacquer::player
