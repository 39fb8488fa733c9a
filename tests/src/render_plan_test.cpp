#include "src/render_plan.h"

#include <set>

#include <gtest/gtest.h>

#include "src/recipe_choice.h"

namespace lacquer {
namespace {

using dsp::SampleFormat;

RenderPlan plan() {
    RenderPlan plan{.source = {"/music/a.flac", 1000, 1},
                    .content_id = "c0ffee",
                    .media = {44'100, 2, 2, 1'000'000, 1'000'000, 16, "flac", "sndfile"},
                    .recipe = {},
                    .recipe_id = "feed",
                    .grid = dsp::ChunkGrid({}, 44'100, 1'000'000),
                    .engine_id = "render=1"};
    return plan;
}

template <typename Change>
PlanPtr changed(Change change) {
    RenderPlan other = plan();
    change(other);
    return make_plan(std::move(other));
}

TEST(RenderPlan, LookingAtAFileThatCannotBeSaysWhatTheSystemSaid) {
    try {
        look_at("/nowhere/at/all");
        ADD_FAILURE() << "it was looked at";
    } catch (const media::DecodeError& error) {
        EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
        EXPECT_STREQ(error.what(), "cannot look at the file: No such file or directory");
    }
}

TEST(RenderPlan, KeysDifferWhenAnythingDiffersThatTheBytesDependOn) {
    const std::vector<PlanPtr> plans{
        make_plan(plan()),
        changed([](RenderPlan& p) { p.content_id = "c0ffef"; }),
        changed([](RenderPlan& p) { p.recipe_id = "feee"; }),
        changed([](RenderPlan& p) { p.engine_id = "render=2"; }),
        changed([](RenderPlan& p) { p.format = SampleFormat::s24; }),
        changed([](RenderPlan& p) { p.format = SampleFormat::f32; }),
        changed([](RenderPlan& p) { p.recipe.bypass = true; }),  // decides about dither
        changed([](RenderPlan& p) { p.content_id = "c0ffeefeed", p.recipe_id = ""; }),
    };
    std::set<cache::ChunkKey> keys;
    std::set<std::string> fingerprints;
    for (const PlanPtr& p : plans) {
        fingerprints.insert(p->fingerprint);
        for (std::int64_t n = 0; n < 120; ++n) keys.insert(p->key(n));
    }
    EXPECT_EQ(fingerprints.size(), plans.size());
    EXPECT_EQ(keys.size(), plans.size() * 120);
}

TEST(RenderPlan, KeysAreEqualWhateverElseDiffers) {
    const PlanPtr one = make_plan(plan());
    const PlanPtr other = changed([](RenderPlan& p) {
        p.track_id = 99;
        p.source.path = "/elsewhere/b.flac";
        p.provisional = true;
    });
    EXPECT_EQ(one->fingerprint, other->fingerprint);
    EXPECT_EQ(one->key(3), other->key(3));
}

TEST(RenderPlan, KeysSayWhichContentAndEngineTheyBelongTo) {
    const PlanPtr one = make_plan(plan());
    const std::uint64_t owner = chunk_owner(one->content_id, one->engine_id);
    for (const PlanPtr& same : {one, changed([](RenderPlan& p) { p.recipe_id = "feee"; }),
                                changed([](RenderPlan& p) { p.format = SampleFormat::f32; })})
        for (std::int64_t n = 0; n < 120; ++n) EXPECT_EQ(chunk_owner(same->key(n)), owner);
    for (const PlanPtr& other : {changed([](RenderPlan& p) { p.content_id = "c0ffef"; }),
                                 changed([](RenderPlan& p) { p.engine_id = "render=2"; }),
                                 changed([](RenderPlan& p) { p.content_id = "render=1", p.engine_id = "c0ffee"; })})
        EXPECT_NE(chunk_owner(other->key(0)), owner);
    EXPECT_NE(chunk_owner("ab", "c"), chunk_owner("a", "bc"));
}

TEST(RenderPlan, TwoGridsNeverShareAChunk) {
    const media::MediaInfo media = plan().media;
    const std::string standard = engine_id({}, media);
    for (const dsp::GridSettings& grid : {dsp::GridSettings{30.00001, 1.0, 5.0},
                                          {30.0, 1.0000001, 5.0},
                                          {30.0, 1.0, 5.0000001},
                                          {100.0004, 1.0, 5.0}}) {
        EXPECT_NE(engine_id(grid, media), standard);
        EXPECT_NE(engine_id(grid, media), engine_id({100.0, 1.0, 5.0}, media));
    }
    media::MediaInfo newer = media;
    newer.decoder = "sndfile 2";
    EXPECT_NE(engine_id({}, newer), standard);
    EXPECT_EQ(engine_id({}, media), standard);
}

TEST(RenderPlan, DithersUnlessTheSourceComesOutBitForBit) {
    const auto dithers = [](bool bypass, int integer_bits, SampleFormat format) {
        return changed([&](RenderPlan& p) {
                   p.recipe.bypass = bypass;
                   p.media.integer_bits = integer_bits;
                   p.format = format;
               })
            ->dither();
    };
    EXPECT_TRUE(dithers(false, 16, SampleFormat::s16));
    EXPECT_TRUE(dithers(false, 16, SampleFormat::s24));
    EXPECT_FALSE(dithers(true, 16, SampleFormat::s16));
    EXPECT_FALSE(dithers(true, 16, SampleFormat::s24));
    EXPECT_FALSE(dithers(true, 24, SampleFormat::s24));
    EXPECT_TRUE(dithers(true, 24, SampleFormat::s16));
    EXPECT_TRUE(dithers(true, 32, SampleFormat::s24));
    EXPECT_TRUE(dithers(true, 0, SampleFormat::s16));  // float, lossy, or mixed from more than two channels
    EXPECT_FALSE(dithers(false, 24, SampleFormat::f32));
    EXPECT_FALSE(dithers(true, 0, SampleFormat::f32));
}

TEST(RenderPlan, TheDefaultDepthIs24ForIntegersAbove16Bit) {
    const auto depth = [](int integer_bits) {
        media::MediaInfo media;
        media.integer_bits = integer_bits;
        return default_format(media);
    };
    EXPECT_EQ(depth(0), SampleFormat::s16);
    EXPECT_EQ(depth(8), SampleFormat::s16);
    EXPECT_EQ(depth(16), SampleFormat::s16);
    EXPECT_EQ(depth(20), SampleFormat::s24);
    EXPECT_EQ(depth(32), SampleFormat::s24);
}

TEST(RenderPlan, LayoutsCoverTheTrackOnce) {
    const RenderPlan p = plan();
    std::int64_t bodies = 0;
    for (std::int64_t n = 0; n < p.grid.chunk_count(); ++n) {
        const ChunkLayout layout = chunk_layout(p, n);
        bodies += layout.span.head_frames() + layout.span.middle_frames();
        EXPECT_EQ(layout.total_bytes(), static_cast<std::uint64_t>(layout.span.head_frames()) * 8 +
                                            static_cast<std::uint64_t>(layout.span.middle_frames()) * 4 +
                                            static_cast<std::uint64_t>(layout.span.tail_frames()) * 8);
    }
    EXPECT_EQ(bodies, 1'000'000);
}

}  // namespace
}  // namespace lacquer
