#include "src/recipe_book.h"

#include <nlohmann/json.hpp>

#include "src/profile_json.h"
#include "src/recipe_json.h"
#include "tests/src/fixture.h"

namespace lacquer {
namespace {

using test::eventually;
using test::present;
using test::Roadblock;

constexpr std::int64_t kTwelveHours = 12 * 3600;

std::int64_t now_s() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

RenderChoice asked(const dsp::RecipeRequest& request) {
    return {request, std::nullopt, {}};
}

RenderChoice pinned(const std::string& recipe_id, const dsp::RecipeRequest& request = {}) {
    return {request, std::nullopt, recipe_id};
}

class RecipeBookTest : public testing::Test {
protected:
    library::Track track(const std::string& name, double seconds, const test::Format& format = {8000, 2}) {
        library();
        test::write_wav(folder / "music" / name, test::white_noise(++seed_, -20, seconds, format).block(),
                        format.sample_rate_hz);
        library().scan({});
        for (const library::Track& found : library().tracks("", 0, 100).items)
            if (found.path.filename() == name) return found;
        ADD_FAILURE() << name << " is not in the library";
        return {};
    }
    library::Library& library() {
        std::filesystem::create_directories(folder / "music");
        if (!library_)
            library_ = std::make_unique<library::Library>(folder / "state/library.db", std::vector{folder / "music"});
        return *library_;
    }
    RecipeBook& book() {
        if (!book_) book_ = std::make_unique<RecipeBook>(library(), measurer, grid);
        return *book_;
    }
    // The daemon starts again: nothing is remembered but what the library holds.
    void restart() {
        book_.reset();
        library_.reset();
    }
    std::string id(const library::Track& of, const RenderChoice& choice = {}, bool from_first_byte = true) {
        return book().plan(of, choice, from_first_byte, present)->recipe_id;
    }
    // Another measurement of the same content, as a newer daemon might make.
    void change_profile(const library::Track& of) {
        dsp::Profile profile = *book().stored_profile(of);
        profile.integrated_lufs += 3.0;
        library().store_profile_text(of, profile_to_json(profile).dump());
    }
    void last_served(const library::Track& of, const RenderChoice& choice, std::int64_t seconds_ago) {
        auto served = library().served_recipe(of.content_id, choice.request_key());
        ASSERT_TRUE(served);
        served->last_served_unix_s = now_s() - seconds_ago;
        library().set_served_recipe(of.content_id, choice.request_key(), *served);
    }

    test::TempDir folder;
    const dsp::GridSettings grid{5, 1, 1};
    Scheduler scheduler{2};
    TrackMeasurer measurer{scheduler};

private:
    std::uint64_t seed_ = 0;
    std::unique_ptr<library::Library> library_;
    std::unique_ptr<RecipeBook> book_;
};

TEST_F(RecipeBookTest, AShortTrackIsMeasuredWholeBeforeItsFirstByte) {
    const auto t = track("a.wav", 12);
    EXPECT_EQ(book().stored_profile(t), std::nullopt);
    EXPECT_EQ(book().known_recipe_id(t, {}), "");
    const PlanPtr plan = book().plan(t, {}, true, present);
    EXPECT_FALSE(plan->provisional);
    EXPECT_EQ(plan->track_id, t.id);
    EXPECT_EQ(plan->content_id, t.content_id);
    EXPECT_EQ(plan->grid.chunk_count(), 3);
    ASSERT_TRUE(book().stored_profile(t));
    EXPECT_FALSE(book().stored_profile(t)->provisional);
    EXPECT_EQ(plan->recipe_id, choose_recipe(*book().stored_profile(t), {}).id);
    EXPECT_EQ(book().known_recipe_id(t, {}), plan->recipe_id);
}

TEST_F(RecipeBookTest, WhatWasServedStaysThoughTheProfileChanges) {
    const auto t = track("a.wav", 6);
    const std::string first = id(t);
    change_profile(t);
    EXPECT_EQ(id(t), first);
    EXPECT_EQ(id(t, {}, false), first);
    EXPECT_NE(id(t, asked({dsp::PresetId::warm})), first);
    restart();
    EXPECT_EQ(id(t), first);
}

TEST_F(RecipeBookTest, WhoStillListensToTheOldRecipeDoesNotPutItBack) {
    const auto t = track("a.wav", 6);
    const std::string old_id = id(t);
    last_served(t, {}, kTwelveHours + 60);
    change_profile(t);
    const std::string new_id = id(t);
    ASSERT_NE(new_id, old_id);
    book().served(t, {}, old_id);  // a listener of before ends now
    EXPECT_EQ(id(t, {}, false), new_id);
    book().served(t, {}, new_id);
    EXPECT_EQ(id(t), new_id);
}

TEST_F(RecipeBookTest, APlanCarriesTheStampItsContentIdWasTakenWith) {
    const auto t = track("a.wav", 6);
    const PlanPtr plan = book().plan(t, {}, true, present);
    EXPECT_EQ(plan->source.mtime_ns, t.mtime_ns);
    EXPECT_EQ(static_cast<std::int64_t>(plan->source.size_bytes), t.size_bytes);
    std::filesystem::last_write_time(t.path, std::filesystem::file_time_type::clock::now() + std::chrono::seconds(5));
    const PlanPtr stale = book().plan(t, {}, true, present);
    EXPECT_EQ(stale->source.mtime_ns, t.mtime_ns) << "the stamp of the content, not of the file as it is now";
    EXPECT_NE(look_at(t.path).mtime_ns, stale->source.mtime_ns);
}

TEST_F(RecipeBookTest, AMeasurementOfAFileThatChangedMeanwhileIsNotKept) {
    const auto t = track("a.wav", 6);
    std::filesystem::last_write_time(t.path, std::filesystem::file_time_type::clock::now() + std::chrono::seconds(5));
    EXPECT_NO_THROW(book().full_profile(t, TaskClass::listener, present));
    EXPECT_EQ(book().stored_profile(t), std::nullopt);
}

TEST_F(RecipeBookTest, ItIsReplacedOnlyFromByteZeroAndTwelveHoursLater) {
    const auto t = track("a.wav", 6);
    const RenderChoice choice;
    const std::string first = id(t);
    change_profile(t);
    last_served(t, choice, kTwelveHours - 60);
    EXPECT_EQ(id(t), first) << "too early";
    last_served(t, choice, kTwelveHours + 60);
    EXPECT_EQ(id(t, choice, false), first) << "in the middle of the track";
    book().served(t, choice, first);
    EXPECT_EQ(id(t), first) << "served again meanwhile";
    last_served(t, choice, kTwelveHours + 60);
    const std::string second = id(t);
    EXPECT_NE(second, first);
    EXPECT_EQ(id(t, choice, false), second);
    EXPECT_EQ(book().known_recipe_id(t, choice), second);
}

TEST_F(RecipeBookTest, AVersionPinsWhateverHappened) {
    const auto t = track("a.wav", 6);
    const std::string first = id(t);
    change_profile(t);
    last_served(t, {}, kTwelveHours + 60);
    const std::string second = id(t);
    ASSERT_NE(second, first);
    EXPECT_EQ(id(t, pinned(first)), first);
    EXPECT_EQ(id(t, pinned(first, {dsp::PresetId::night, 0.3})), first);
    book().served(t, pinned(first), first);
    EXPECT_EQ(id(t), second) << "a pinned listener leaves what others get alone";
    restart();
    EXPECT_EQ(id(t, pinned(first)), first);
}

TEST_F(RecipeBookTest, AnUnknownVersionOrOneOfOtherAudioIsRefused) {
    const auto t = track("a.wav", 6);
    const auto other_rate = track("b.wav", 6, {16'000, 2});
    const auto other_channels = track("c.wav", 6, {8000, 1});
    const std::string first = id(t);
    EXPECT_THROW(id(t, pinned("0123456789abcdef0123456789abcdef")), std::out_of_range);
    EXPECT_THROW(id(other_rate, pinned(first)), std::out_of_range);
    EXPECT_THROW(id(other_channels, pinned(first)), std::out_of_range);
}

TEST_F(RecipeBookTest, IntensityZeroNeedsNoMeasuringAndItsVersionPinsToo) {
    const auto t = track("a.wav", 6);
    const RenderChoice bypass = asked({.intensity = 0.0});
    const Roadblock one(scheduler), two(scheduler);  // nothing can be measured
    const PlanPtr plan = book().plan(t, bypass, true, [] { return false; });
    EXPECT_TRUE(plan->recipe.bypass);
    EXPECT_EQ(book().stored_profile(t), std::nullopt);
    // The addresses of its chunks carry v= and no intensity.
    EXPECT_EQ(book().plan(t, pinned(plan->recipe_id), true, present)->fingerprint, plan->fingerprint);
}

TEST_F(RecipeBookTest, ATrackOfMoreThanTenMinutesStartsProvisionalAndIsReplacedLater) {
    const auto t = track("long.wav", 600.5, {8000, 1});
    const PlanPtr plan = book().plan(t, asked({dsp::PresetId::night}), true, present);
    EXPECT_TRUE(plan->provisional);
    EXPECT_TRUE(plan->recipe.level.curve_db.empty());
    EXPECT_EQ(book().stored_profile(t), std::nullopt);
    EXPECT_FALSE(book().full_profile(t, TaskClass::measuring, present).provisional);
    EXPECT_TRUE(book().stored_profile(t));
    const RenderChoice night = asked({dsp::PresetId::night});
    EXPECT_EQ(id(t, night), plan->recipe_id);
    EXPECT_TRUE(book().plan(t, night, true, present)->provisional) << "told of the recipe, whatever was measured since";
    last_served(t, night, kTwelveHours + 60);
    const PlanPtr later = book().plan(t, night, true, present);
    EXPECT_NE(later->recipe_id, plan->recipe_id);
    EXPECT_FALSE(later->provisional);
}

TEST_F(RecipeBookTest, ATrackOfExactlyTenMinutesIsMeasuredWhole) {
    EXPECT_FALSE(book().plan(track("ten.wav", 600, {8000, 1}), {}, true, present)->provisional);
}

TEST_F(RecipeBookTest, HoweverManyAskATrackIsMeasuredOnce) {
    const auto t = track("a.wav", 12);  // one segment: one task
    book();                             // made before it is shared
    auto one = std::make_unique<Roadblock>(scheduler);
    const Roadblock two(scheduler);
    std::array<std::atomic<int>, 8> asked{};
    std::vector<std::future<std::string>> answers;
    for (auto& times : asked) {
        answers.push_back(std::async(
            std::launch::async, [&] { return book().plan(t, {}, true, [&times] { return ++times > 0; })->recipe_id; }));
    }
    EXPECT_TRUE(eventually([&] { return std::all_of(asked.begin(), asked.end(), [](auto& n) { return n >= 2; }); }));
    EXPECT_EQ(scheduler.waiting(), 1u);
    one->open();
    const std::string id = answers[0].get();
    for (std::size_t i = 1; i < answers.size(); ++i) EXPECT_EQ(answers[i].get(), id);
    EXPECT_EQ(scheduler.waiting(), 0u);
}

TEST_F(RecipeBookTest, WhoLeavesIsLetGoAndTakesNobodyAlong) {
    const auto t = track("a.wav", 12);
    book();  // made before it is shared
    Roadblock one(scheduler);
    const Roadblock two(scheduler);
    std::atomic<bool> leads = false, wanted = true;
    auto leader = std::async(std::launch::async,
                             [&] { return book().plan(t, {}, true, [&] { return leads = true, wanted.load(); }); });
    EXPECT_TRUE(eventually([&] { return leads.load(); }));
    std::atomic<bool> follows = false;
    auto follower =
        std::async(std::launch::async, [&] { return book().plan(t, {}, true, [&] { return follows = true, true; }); });
    EXPECT_TRUE(eventually([&] { return follows.load(); }));
    wanted = false;
    EXPECT_THROW(leader.get(), NotWanted);
    one.open();
    EXPECT_EQ(follower.get()->recipe_id, id(t));
}

TEST_F(RecipeBookTest, ATrackThatCannotBeMeasuredIsAnErrorEveryTime) {
    const auto t = track("a.wav", 6);
    std::filesystem::remove(t.path);
    for (int i = 0; i < 2; ++i) EXPECT_THROW(book().plan(t, {}, true, present), media::DecodeError);
    EXPECT_EQ(book().stored_profile(t), std::nullopt);
}

TEST_F(RecipeBookTest, StoredTextOfAnotherVersionIsDerivedAnew) {
    const auto t = track("a.wav", 6);
    const std::string first = id(t);
    library().store_profile_text(t, "{\"from\": \"another version\"}");
    EXPECT_EQ(book().stored_profile(t), std::nullopt);
    EXPECT_EQ(id(t), first);
    EXPECT_NO_THROW(book().full_profile(t, TaskClass::listener, present));
    EXPECT_TRUE(book().stored_profile(t));
    library().set_served_recipe(t.content_id, RenderChoice{}.request_key(), {"a recipe nobody has", now_s()});
    EXPECT_EQ(id(t, {}, false), first);
}

TEST_F(RecipeBookTest, ARecipeStaysTheSameHoweverManyOthersAreServedBetween) {
    const auto song = track("song.wav", 7);
    const auto at = [&](int step) { return asked({dsp::PresetId::warm, 1.0 - 0.01 * step, true}); };
    const auto numbers = [&](int step) { return recipe_to_json(book().plan(song, at(step), true, present)->recipe); };
    std::vector<std::string> first;
    for (int step = 0; step < 40; ++step) first.push_back(numbers(step));
    for (int round = 0; round < 2; ++round) {
        for (int step = 0; step < 40; ++step) EXPECT_EQ(numbers(step), first[static_cast<std::size_t>(step)]) << step;
    }
    restart();
    for (int step = 0; step < 40; ++step) EXPECT_EQ(numbers(step), first[static_cast<std::size_t>(step)]) << step;
}

}  // namespace
}  // namespace lacquer
