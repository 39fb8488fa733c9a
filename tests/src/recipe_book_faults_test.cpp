// Which recipe a track gets, and what a listener is told, while parts of it cannot be read.
#include "src/preset_api.h"
#include "src/recipe_book.h"
#include "src/stream_api.h"
#include "tests/src/faulty_decoder.h"
#include "tests/src/fixture.h"

namespace lacquer {
namespace {

using test::DecoderFaults;
using test::present;

const std::error_code kPasses(EIO, std::generic_category());
constexpr std::int64_t kLastSegment = 60 * 8000;

class RecipeBookFaultsTest : public testing::Test {
protected:
    RecipeBookFaultsTest() {
        auto audio = test::white_noise(1, -30, 65, {8000, 1});
        test::scale_db(audio.block().slice(kLastSegment, 8000 * 5), 20.0);  // its peak is in the part that fails
        test::write_wav(folder / "music/a.wav", audio.block(), 8000);
        library.scan({});
        track = library.tracks("", 0, 1).items.at(0);
    }
    std::string id(bool from_first_byte = true) { return book.plan(track, {}, from_first_byte, present)->recipe_id; }
    std::string id_of_everything() const { return choose_recipe(test::straight_profile(track.path), {}).id; }
    std::optional<library::ServedRecipe> served() {
        return library.served_recipe(track.content_id, RenderChoice{}.request_key());
    }
    static std::filesystem::path with_music(const std::filesystem::path& path) {
        std::filesystem::create_directories(path / "music");
        return path;
    }

    test::TempDir temporary;
    const std::filesystem::path folder = with_music(temporary.path());
    const std::shared_ptr<DecoderFaults> faults = std::make_shared<DecoderFaults>();
    library::Library library{folder / "state/library.db", {folder / "music"}};
    test::Pipeline pipeline;
    TrackMeasurer measurer{pipeline.scheduler, DecoderFaults::opener(faults)};
    RecipeBook book{library, measurer, {5, 1, 1}};
    library::Track track;
};

TEST_F(RecipeBookFaultsTest, AMakeshiftRecipeLastsForOnePlayAndIsNotKept) {
    faults->set({.from_frame = kLastSegment, .code = kPasses});
    const std::string makeshift = id();
    EXPECT_NE(makeshift, id_of_everything());
    EXPECT_FALSE(served());
    EXPECT_FALSE(book.stored_profile(track));
    book.served(track, {}, makeshift);
    EXPECT_FALSE(served());

    faults->clear();
    const int opened = faults->opened();
    EXPECT_EQ(id(false), makeshift) << "the play goes on";
    EXPECT_EQ(faults->opened(), opened) << "and nothing is measured for a seek";
    EXPECT_EQ(book.plan(track, {{}, std::nullopt, makeshift}, false, present)->recipe_id, makeshift) << "pinned";
    const std::string whole = id();
    EXPECT_NE(whole, makeshift);
    EXPECT_EQ(whole, choose_recipe(*book.stored_profile(track), {}).id);
    EXPECT_EQ(id(false), whole);
    EXPECT_EQ(served()->recipe_id, whole);
}

TEST_F(RecipeBookFaultsTest, WhatIsDamagedForGoodIsServedAndStays) {
    faults->set({.from_frame = kLastSegment});
    const std::string damaged = id();
    EXPECT_EQ(served()->recipe_id, damaged);
    EXPECT_FALSE(book.stored_profile(track));
}

TEST_F(RecipeBookFaultsTest, ARecipeOfTheWholeTrackIsNotReplacedByAMakeshift) {
    const std::string whole = id();
    library.store_profile_text(track, "{\"from\": \"another version\"}");
    library.set_served_recipe(track.content_id, RenderChoice{}.request_key(), {whole, 0});  // long ago
    faults->set({.from_frame = kLastSegment, .code = kPasses});
    EXPECT_EQ(id(), whole);
}

TEST_F(RecipeBookFaultsTest, AFullProfileIsFullOrAnError) {
    faults->set({.from_frame = kLastSegment, .code = kPasses});
    EXPECT_THROW(book.full_profile(track, TaskClass::listener, present), media::DecodeError);
    faults->clear();
    EXPECT_EQ(book.full_profile(track, TaskClass::listener, present).short_term_lufs.size(), 65u);
}

TEST_F(RecipeBookFaultsTest, WhatMayPassIsAnsweredWithARequestToComeBack) {
    BackgroundRenders background(pipeline.chunks, pipeline.cache);
    const StreamParts parts{library, book, pipeline.chunks, background};
    PresetApi presets(library, book);
    const auto status = [](const std::function<void()>& request) {
        try {
            request();
            return std::pair(200, false);
        } catch (const server::HttpError& error) {
            const bool has_retry_after = std::any_of(error.headers.begin(), error.headers.end(),
                                                     [](const auto& header) { return header.first == "Retry-After"; });
            return std::pair(error.status, has_retry_after);
        }
    };
    const auto play = [&] { resolve_plan(parts, track, RenderChoice{}, present, true); };
    const auto make_preset = [&] { presets.create({"mine", track.id}); };
    faults->set({.code = kPasses});
    EXPECT_EQ(status(play), std::pair(503, true));
    EXPECT_EQ(status(make_preset), std::pair(503, true));
    faults->set({});
    EXPECT_EQ(status(play), std::pair(422, false));
    EXPECT_EQ(status(make_preset), std::pair(422, false));
}

}  // namespace
}  // namespace lacquer
