// Lines for people, from any thread to the one that shows them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "thread/mutex.h"

namespace lacquer::player {

class MessageBox {
public:
    void put(const std::string& text) {
        const thread::MutexLock lock(mutex_);
        if (texts_.size() < kMost) texts_.push_back(text);
    }
    std::vector<std::string> take() {
        const thread::MutexLock lock(mutex_);
        return std::exchange(texts_, {});
    }

private:
    static constexpr std::size_t kMost = 1000;
    thread::Mutex mutex_;
    std::vector<std::string> texts_ GUARDED_BY(mutex_);
};

}  // namespace lacquer::player
