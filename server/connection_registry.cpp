#include "server/connection_registry.h"

#include <algorithm>

#include <sys/socket.h>

namespace lacquer::server {

bool ConnectionRegistry::enter(int descriptor, Phase phase) {
    const thread::MutexLock lock(mutex_);
    if (stopping_) return false;
    if (phase == Phase::idle && places_owed_ > 0) return false;  // remove() settles it
    entries_[descriptor] = {phase, ++changes_};
    return true;
}

void ConnectionRegistry::remove(int descriptor, bool frees_place) {
    const thread::MutexLock lock(mutex_);
    if (entries_.erase(descriptor) > 0 && frees_place && places_owed_ > 0) --places_owed_;
    if (entries_.empty()) removed_.notify_all();
}

void ConnectionRegistry::make_room() {
    const thread::MutexLock lock(mutex_);
    auto longest = entries_.end();
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
        if (entry->second.phase != Phase::idle) continue;
        if (longest == entries_.end() || entry->second.since < longest->second.since) longest = entry;
    }
    ++places_owed_;  // settled when a connection is removed, be it this one
    if (longest == entries_.end()) return;
    longest->second.phase = Phase::reading;  // chosen once
    ::shutdown(longest->first, SHUT_RDWR);
}

void ConnectionRegistry::limit_places_owed(std::size_t waiting) {
    const thread::MutexLock lock(mutex_);
    places_owed_ = std::min(places_owed_, waiting);
}

bool ConnectionRegistry::is_stopping() const {
    const thread::MutexLock lock(mutex_);
    return stopping_;
}

bool ConnectionRegistry::ends_the_idle() const {
    const thread::MutexLock lock(mutex_);
    return stopping_ || places_owed_ > 0;
}

void ConnectionRegistry::stop() {
    const thread::MutexLock lock(mutex_);
    stopping_ = true;
    for (const auto& [descriptor, entry] : entries_)
        if (entry.phase != Phase::responding) ::shutdown(descriptor, SHUT_RDWR);
}

bool ConnectionRegistry::wait_until_empty(std::chrono::milliseconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    const thread::MutexLock lock(mutex_);
    while (!entries_.empty() && std::chrono::steady_clock::now() < deadline) removed_.wait_until(mutex_, deadline);
    return entries_.empty();
}

// A response that breaks off must not look like one that ended: the client gets a reset.
void ConnectionRegistry::end_all() {
    sockaddr nobody{};
    nobody.sa_family = AF_UNSPEC;
    const thread::MutexLock lock(mutex_);
    for (const auto& [descriptor, entry] : entries_) {
        if (entry.phase == Phase::responding) ::connect(descriptor, &nobody, sizeof nobody);
        ::shutdown(descriptor, SHUT_RDWR);
    }
}

}  // namespace lacquer::server
