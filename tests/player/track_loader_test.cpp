#include "src/player/track_loader.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "tests/src/fixture.h"

namespace lacquer::player {
namespace {

using Wanted = std::function<bool()>;

TrackPtr made(std::size_t index) {
    auto track = std::make_shared<PlayableTrack>();
    track->index = index;
    return track;
}

// Which tracks were begun to be loaded, in order.
class Diary {
public:
    void add(std::size_t index) {
        const std::lock_guard lock(mutex_);
        begun_.push_back(index);
    }
    std::vector<std::size_t> begun() const {
        const std::lock_guard lock(mutex_);
        return begun_;
    }
    std::size_t count(std::size_t index) const {
        const std::vector<std::size_t> all = begun();
        return static_cast<std::size_t>(std::count(all.begin(), all.end(), index));
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::size_t> begun_;
};

// Shared with a load that may outlive the test.
struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    bool open = false;
    void wait() {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return open; });
    }
    void release() {
        {
            const std::lock_guard lock(mutex);
            open = true;
        }
        changed.notify_all();
    }
};

TrackLoader::Loaded found(TrackLoader& loader, std::size_t index) {
    std::optional<TrackLoader::Loaded> loaded;
    EXPECT_TRUE(test::eventually([&] { return (loaded = loader.find(index)).has_value(); }));
    return loaded.value_or(TrackLoader::Loaded{nullptr, "never"});
}

TEST(TrackLoader, LoadsNothingUntilAskedThenThatOneAndTheNext) {
    const auto diary = std::make_shared<Diary>();
    std::atomic<int> told = 0;
    TrackLoader loader(
        5,
        [diary](std::size_t index, const Wanted&) {
            diary->add(index);
            return made(index);
        },
        [&] { ++told; });
    EXPECT_EQ(loader.count(), 5u);
    EXPECT_TRUE(diary->begun().empty());
    EXPECT_EQ(found(loader, 2).track->index, 2u);
    EXPECT_TRUE(test::eventually([&] { return told == 2; }));
    EXPECT_EQ(diary->begun(), (std::vector<std::size_t>{2, 3}));
    EXPECT_EQ(found(loader, 4).track->index, 4u);
    EXPECT_TRUE(loader.stop());
    EXPECT_EQ(diary->begun(), (std::vector<std::size_t>{2, 3, 4})) << "there is no sixth";
}

TEST(TrackLoader, KeepsTheTracksNextToTheOneAskedFor) {
    const auto diary = std::make_shared<Diary>();
    TrackLoader loader(
        9,
        [diary](std::size_t index, const Wanted&) {
            diary->add(index);
            return made(index);
        },
        [] {});
    for (std::size_t index = 0; index < 6; ++index) found(loader, index);
    EXPECT_TRUE(loader.find(4)) << "the one before";
    found(loader, 4);
    EXPECT_EQ(diary->count(4), 1u);
    found(loader, 1);
    EXPECT_EQ(diary->count(1), 2u) << "it was forgotten, and is wanted again";
}

TEST(TrackLoader, ManyUnreadableTracksInARowAreEachTriedOnce) {
    const auto diary = std::make_shared<Diary>();
    TrackLoader loader(
        300,
        [diary](std::size_t index, const Wanted&) -> TrackPtr {
            diary->add(index);
            if (index == 299) return made(index);
            throw std::runtime_error("broken " + std::to_string(index));
        },
        [] {});
    EXPECT_EQ(loader.known_problem(0), std::nullopt);
    for (std::size_t index = 0; index < 299; ++index) {
        const TrackLoader::Loaded loaded = found(loader, index);
        EXPECT_FALSE(loaded.track);
        EXPECT_EQ(loaded.problem, "broken " + std::to_string(index));
    }
    EXPECT_TRUE(found(loader, 299).track);
    EXPECT_EQ(loader.known_problem(299), std::nullopt);
    for (std::size_t index = 299; index-- > 0;) EXPECT_EQ(found(loader, index).problem, *loader.known_problem(index));
    EXPECT_TRUE(loader.stop());
    for (std::size_t index = 0; index < 299; ++index) ASSERT_EQ(diary->count(index), 1u) << index;
}

TEST(TrackLoader, WhatWasGivenUpIsLoadedWhenItIsWantedAgain) {
    const auto diary = std::make_shared<Diary>();
    TrackLoader loader(
        9,
        [diary](std::size_t index, const Wanted& wanted) {
            diary->add(index);
            if (index == 3 && diary->count(3) == 1) {
                while (wanted()) std::this_thread::yield();
                throw std::runtime_error("given up");
            }
            return made(index);
        },
        [] {});
    EXPECT_FALSE(loader.find(3));
    EXPECT_TRUE(test::eventually([&] { return diary->count(3) == 1; }));
    EXPECT_TRUE(found(loader, 7).track);
    EXPECT_EQ(loader.known_problem(3), std::nullopt);
    EXPECT_TRUE(found(loader, 3).track);
    EXPECT_EQ(diary->count(3), 2u);
}

// Wanted again before the load has noticed: that it was given up is still no refusal.
TEST(TrackLoader, WhatIsWantedAgainWhileItIsGivenUpIsNotHeldAgainstIt) {
    const auto diary = std::make_shared<Diary>();
    const auto gave_up = std::make_shared<Gate>();
    const auto gate = std::make_shared<Gate>();
    TrackLoader loader(
        9,
        [=](std::size_t index, const Wanted& wanted) {
            diary->add(index);
            if (index == 3 && diary->count(3) == 1) {
                while (wanted()) std::this_thread::yield();
                gave_up->release();
                gate->wait();
                throw std::runtime_error("given up");
            }
            return made(index);
        },
        [] {});
    EXPECT_FALSE(loader.find(3));
    EXPECT_TRUE(test::eventually([&] { return diary->count(3) == 1; }));
    EXPECT_FALSE(loader.find(7));
    gave_up->wait();
    EXPECT_FALSE(loader.find(3));
    gate->release();
    const TrackLoader::Loaded loaded = found(loader, 3);
    EXPECT_TRUE(loaded.track) << loaded.problem;
}

TEST(TrackLoader, ALoadThatIsNotWantedAnyMoreIsTold) {
    std::atomic<bool> begun = false;
    std::atomic<bool> left = false;
    TrackLoader loader(
        3,
        [&](std::size_t, const Wanted& wanted) -> TrackPtr {
            begun = true;
            while (wanted()) std::this_thread::yield();
            left = true;
            throw std::runtime_error("given up");
        },
        [] {});
    EXPECT_FALSE(loader.find(0));
    EXPECT_TRUE(test::eventually([&] { return begun.load(); }));
    EXPECT_TRUE(loader.stop());
    EXPECT_TRUE(loader.stop()) << "again";
    EXPECT_FALSE(loader.find(0));
    EXPECT_TRUE(left);
}

TEST(TrackLoader, ALoadThatHangsDoesNotHoldUpTheEnd) {
    const auto begun = std::make_shared<Gate>();
    const auto gate = std::make_shared<Gate>();
    const auto returned = std::make_shared<Gate>();
    const auto told = std::make_shared<std::atomic<int>>(0);
    {
        TrackLoader loader(
            3,
            [=](std::size_t index, const Wanted&) {
                begun->release();
                gate->wait();
                return made(index);
            },
            [told, returned] {
                ++*told;
                returned->release();
            });
        EXPECT_FALSE(loader.find(0));
        begun->wait();
        EXPECT_FALSE(loader.stop());
    }
    gate->release();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // for what must not come
    EXPECT_EQ(*told, 0) << "whom it would tell may be gone";
}

}  // namespace
}  // namespace lacquer::player
