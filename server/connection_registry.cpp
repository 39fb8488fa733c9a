#include "server/connection_registry.h"

#include <algorithm>

#include <sys/socket.h>

namespace lacquer::server {

bool ConnectionRegistry::enter(int descriptor, Phase phase) {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    entries_[descriptor] = {phase, ++changes_};
    return true;
}

void ConnectionRegistry::remove(int descriptor) {
    const std::lock_guard lock(mutex_);
    entries_.erase(descriptor);
    if (entries_.empty()) removed_.notify_all();
}

bool ConnectionRegistry::end_longest_idle() {
    const std::lock_guard lock(mutex_);
    auto longest = entries_.end();
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
        if (entry->second.phase != Phase::idle) continue;
        if (longest == entries_.end() || entry->second.since < longest->second.since) longest = entry;
    }
    if (longest == entries_.end()) return false;
    longest->second.phase = Phase::reading;  // chosen once
    ::shutdown(longest->first, SHUT_RDWR);
    return true;
}

bool ConnectionRegistry::is_stopping() const {
    const std::lock_guard lock(mutex_);
    return stopping_;
}

void ConnectionRegistry::stop() {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const auto& [descriptor, entry] : entries_)
        if (entry.phase != Phase::responding) ::shutdown(descriptor, SHUT_RDWR);
}

bool ConnectionRegistry::wait_until_empty(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    return removed_.wait_for(lock, patience, [this] { return entries_.empty(); });
}

void ConnectionRegistry::end_all() {
    const std::lock_guard lock(mutex_);
    for (const auto& [descriptor, entry] : entries_) ::shutdown(descriptor, SHUT_RDWR);
}

}  // namespace lacquer::server
