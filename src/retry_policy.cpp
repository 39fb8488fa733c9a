#include "src/retry_policy.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include "src/media/decoder.h"

namespace lacquer {
namespace {

constexpr std::array kPassing{EAGAIN, EINTR,  EIO,    EBUSY,     EMFILE, ENFILE,
                              ENOMEM, ENOSPC, ESTALE, ETIMEDOUT, ENODEV, ENXIO};

}  // namespace

bool can_pass(const std::error_code& code) noexcept {
    const bool is_errno = code.category() == std::generic_category() || code.category() == std::system_category();
    return is_errno && std::find(kPassing.begin(), kPassing.end(), code.value()) != kPassing.end();
}

bool can_pass_http(int status) noexcept {
    return status == 429 || (status >= 500 && status <= 599);
}

bool can_pass(const std::exception& error) noexcept {
    if (const auto* known = dynamic_cast<const media::DecodeError*>(&error)) return can_pass(known->code());
    if (const auto* known = dynamic_cast<const std::system_error*>(&error)) return can_pass(known->code());
    if (const auto* known = dynamic_cast<const SQLite::Exception*>(&error)) {
        return known->getErrorCode() == SQLITE_BUSY || known->getErrorCode() == SQLITE_LOCKED;
    }
    return false;
}

std::chrono::milliseconds retry_delay(const RetryWish& wish) noexcept {
    const double first_ms = wish.listener_waits ? 200.0 : 1000.0;
    const double delay_ms = first_ms * static_cast<double>(1 << (wish.retry - 1)) * (0.75 + 0.5 * wish.jitter);
    return std::max(wish.retry_after, std::chrono::milliseconds(static_cast<long>(delay_ms)));
}

}  // namespace lacquer
