// What may pass by itself, and when it is tried again. The one table of it; docs/architecture.md repeats it for people.
//
// | what                                                        | passes |
// |-------------------------------------------------------------|--------|
// | EAGAIN, EINTR, EIO, EBUSY, EMFILE, ENFILE, ENOMEM, ENOSPC   | yes    |
// | ESTALE, ETIMEDOUT, ENODEV, ENXIO (a share that hangs)       | yes    |
// | a render without progress ("timeout")                       | once   |
// | SQLite: busy, locked (after its own wait)                   | yes    |
// | HTTP from elsewhere: 429, 5xx; Retry-After is honoured      | yes    |
// | a decoder's error, a bad recipe, any other HTTP status      | no     |
// | EACCES, EPERM, ELOOP, ENAMETOOLONG and every other code     | no     |
// | the file is another one, or gone: new requests see that     | no     |
#pragma once

#include <chrono>
#include <exception>
#include <system_error>

namespace lacquer {

inline constexpr int kRetries = 3;                  // 4 attempts in all
inline constexpr const char* kTimeout = "timeout";  // the reason of a render that made no progress
// How long something that failed, but may pass, is left alone before the next listener's request tries it once more.
inline constexpr std::chrono::minutes kFailureRest{10};

bool can_pass(const std::error_code& code) noexcept;
bool can_pass_http(int status) noexcept;
// By its code, where it carries one: media::DecodeError, std::system_error, SQLite's.
bool can_pass(const std::exception& error) noexcept;

struct RetryWish {
    int retry = 1;                             // [1, kRetries]
    bool listener_waits = false;               // then all delays together stay below 2 s
    double jitter = 0.5;                       // [0, 1): where in the 50 % around the delay
    std::chrono::milliseconds retry_after{0};  // what the other side asked for; never waited less
};
// 1, 2, 4 s or, with a listener waiting, 0.2, 0.4 and 0.8 s, each by -25 to +25 %.
std::chrono::milliseconds retry_delay(const RetryWish& wish) noexcept;

}  // namespace lacquer
