#include "src/player/terminal.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <thread>

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace lacquer::player {
namespace {

constexpr std::array kFatal{SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGTERM};
constexpr std::string_view kHideCursor = "\x1b[?25l";
constexpr std::string_view kLeaveAsFound = "\x1b[0m\x1b[?7h\x1b[?25h";  // no colours, lines wrap, cursor shown

// What signal handlers must find without being given it: that is why it is static.
struct Held {
    std::atomic<bool> active{false};
    std::atomic<bool> resumed{false};
    std::atomic<bool> must_set{false};  // continued in the background: to be set once in the foreground
    int input = -1;                     // -1: not a terminal; so with output, or its cursor is not hidden
    int output = -1;
    termios usual{};
    termios keys{};
    std::array<struct sigaction, kFatal.size()> before_fatal{};
    struct sigaction before_stop {};
    struct sigaction before_continue {};
};
Held held;
static_assert(std::atomic<bool>::is_always_lock_free);

bool foreground_of(int descriptor) noexcept {
    const pid_t group = ::tcgetpgrp(descriptor);
    return group == -1 || group == ::getpgrp();  // -1: not the terminal that stops us
}

void say(std::string_view text) noexcept {
    if (held.output >= 0) (void)!::write(held.output, text.data(), text.size());
}

bool may_set() noexcept {
    return foreground_of(held.input >= 0 ? held.input : held.output);
}

void leave_as_found() noexcept {
    if (!may_set()) return;
    say(kLeaveAsFound);
    if (held.input >= 0) ::tcsetattr(held.input, TCSANOW, &held.usual);
}

void take_over() noexcept {
    held.must_set = !may_set();
    if (held.must_set) return;
    if (held.input >= 0) ::tcsetattr(held.input, TCSANOW, &held.keys);
    say(kHideCursor);
}

void on_fatal(int number) {
    leave_as_found();
    say("\r\n");  // what was drawn ends above
    for (std::size_t i = 0; i < kFatal.size(); ++i) {
        if (kFatal[i] == number) ::sigaction(number, &held.before_fatal[i], nullptr);
    }
    ::raise(number);  // blocked until this returns
}

void install(int number, void (*handler)(int), struct sigaction* before) noexcept {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    ::sigaction(number, &action, before);
}

void on_stop(int number) {
    const int error = errno;
    leave_as_found();
    struct sigaction ours {};
    install(number, SIG_DFL, &ours);
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number);
    ::raise(number);
    ::pthread_sigmask(SIG_UNBLOCK, &one, nullptr);  // stands here until continued
    if (held.active) {
        ::sigaction(number, &ours, nullptr);
        take_over();
        held.resumed = true;
    }
    errno = error;
}

void on_continue(int) {  // also after SIGSTOP, that no handler sees
    const int error = errno;
    take_over();
    held.resumed = true;
    errno = error;
}

void handle_signals() noexcept {
    for (std::size_t i = 0; i < kFatal.size(); ++i) install(kFatal[i], on_fatal, &held.before_fatal[i]);
    install(SIGTSTP, on_stop, &held.before_stop);
    if (held.before_stop.sa_handler == SIG_IGN) ::sigaction(SIGTSTP, &held.before_stop, nullptr);  // no job control
    install(SIGCONT, on_continue, &held.before_continue);
}

void handle_signals_no_more() noexcept {
    for (std::size_t i = 0; i < kFatal.size(); ++i) ::sigaction(kFatal[i], &held.before_fatal[i], nullptr);
    ::sigaction(SIGTSTP, &held.before_stop, nullptr);
    ::sigaction(SIGCONT, &held.before_continue, nullptr);
}

}  // namespace

bool can_draw_on(int output) noexcept {
    const char* term = std::getenv("TERM");
    const std::string_view kind = term == nullptr ? "" : term;
    return ::isatty(output) == 1 && !kind.empty() && kind != "dumb";
}

Terminal::Terminal(Cursor cursor, int input, int output, GoOn go_on)
    : input_(input),
      output_(output),
      go_on_(std::move(go_on)),
      has_keys_(::isatty(input) == 1 && ::tcgetattr(input, &held.usual) == 0) {
    held.input = has_keys_ ? input : -1;
    held.output = cursor == Cursor::hidden && ::isatty(output) == 1 ? output : -1;
    if (held.input < 0 && held.output < 0) return;
    held.keys = held.usual;
    held.keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    held.keys.c_cc[VMIN] = 1;
    held.keys.c_cc[VTIME] = 0;
    held.resumed = false;
    held.active = true;
    handle_signals();
    take_over();
}

Terminal::~Terminal() {
    if (!held.active) return;
    held.active = false;
    handle_signals_no_more();
    if (held.input >= 0 && may_set()) ::tcflush(held.input, TCIFLUSH);  // keys held down are not for the shell
    leave_as_found();
}

std::string Terminal::read_keys(std::chrono::milliseconds patience) {
    if (!has_keys_) return {};
    if (!in_foreground()) {  // reading would stop the process
        std::this_thread::sleep_for(patience);
        return {};
    }
    if (held.must_set) take_over();
    pollfd entry{input_, POLLIN, 0};
    if (::poll(&entry, 1, static_cast<int>(patience.count())) <= 0) return {};
    std::array<char, 256> bytes;
    const ssize_t count = ::read(input_, bytes.data(), bytes.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return {};
    has_keys_ = count > 0;
    return {bytes.data(), static_cast<std::size_t>(count > 0 ? count : 0)};
}

TerminalSize Terminal::size() const noexcept {
    winsize window{};
    if (::ioctl(output_, TIOCGWINSZ, &window) != 0 || window.ws_col == 0) return {};
    return {window.ws_col, window.ws_row == 0 ? TerminalSize().rows : window.ws_row};
}

bool Terminal::in_foreground() const noexcept {
    return foreground_of(output_) && foreground_of(input_);
}

bool Terminal::take_resumed() noexcept {
    return held.resumed.exchange(false);
}

bool Terminal::write(std::string_view bytes) {
    return write_all(output_, bytes, go_on_);
}

}  // namespace lacquer::player
