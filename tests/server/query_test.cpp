#include "server/query.h"

#include <string>

#include <gtest/gtest.h>

#include "server/sources.h"

namespace lacquer::server {
namespace {

template <typename Call>
HttpError refusal_of(Call call) {
    try {
        call();
    } catch (const HttpError& error) {
        return error;
    }
    return HttpError(0, "nothing was refused");
}

TEST(Query, DecodesPercentEscapesAndPlus) {
    const Query query("query=a+b%20c%C3%A9&preset=warm", {"query", "preset"});
    EXPECT_EQ(query.text("query"), "a b c\xC3\xA9");
    EXPECT_EQ(query.text("preset"), "warm");
    EXPECT_EQ(query.text("depth"), std::nullopt);
}

TEST(Query, NamesAnUnknownParameterAndTheAllowedOnes) {
    const HttpError error = refusal_of([] { Query("presett=warm", {"preset", "depth"}); });
    EXPECT_EQ(error.status, 400);
    EXPECT_EQ(error.members["field"], "presett");
    EXPECT_EQ(error.members["allowed"], (Json{"preset", "depth"}));
}

TEST(Query, AnswersBadTextWith400) {
    for (const char* raw : {"q=%", "q=%4", "q=%zz", "q=%00", "q=%0a", "q=%ff", "q=%c3", "q=%c3%28", "q=%ed%a0%80",
                            "q=%c0%af", "q=%f4%90%80%80", "%ff=1", "q=1&q=2"}) {
        EXPECT_EQ(refusal_of([&] { Query(raw, {"q"}); }).status, 400) << raw;
    }
}

TEST(Query, AnswersBadNumbersWith400AndNamesTheParameter) {
    for (const char* raw :
         {"x=abc", "x=1x", "x=nan", "x=inf", "x=1e999", "x=-0.1", "x=1.1", "x=0x1", "x=%201", "x=1,0"}) {
        const HttpError error = refusal_of([&] { Query(raw, {"x"}).number("x", 0.0, 1.0, 0.5); });
        EXPECT_EQ(error.status, 400) << raw;
        EXPECT_EQ(error.members["field"], "x") << raw;
    }
    EXPECT_EQ(Query("x=0.25", {"x"}).number("x", 0.0, 1.0, 0.5), 0.25);
    EXPECT_EQ(Query("x=", {"x"}).number("x", 0.0, 1.0, 0.5), 0.5);
    for (const char* raw : {"n=0", "n=1001", "n=-1", "n=1.0", "n=99999999999999999999", "n=a"}) {
        EXPECT_EQ(refusal_of([&] { Query(raw, {"n"}).integer("n", 1, 1000, 100); }).status, 400) << raw;
    }
    EXPECT_EQ(Query("n=1000", {"n"}).integer("n", 1, 1000, 100), 1000);
}

TEST(Query, TakesOnlyTheTwoWordsOfAChoice) {
    EXPECT_TRUE(Query("l=on", {"l"}).choice("l", "on", "off", false));
    EXPECT_FALSE(Query("l=off", {"l"}).choice("l", "on", "off", true));
    EXPECT_TRUE(Query("", {"l"}).choice("l", "on", "off", true));
    EXPECT_EQ(refusal_of([] { Query("l=yes", {"l"}).choice("l", "on", "off", true); }).status, 400);
}

TEST(Query, CollectsIdsFromCommasAndRepetition) {
    EXPECT_EQ(Query("track=1,2&track=3", {}, {"track"}).ids("track"), (std::vector<std::int64_t>{1, 2, 3}));
    EXPECT_EQ(refusal_of([] { Query("track=1,x", {}, {"track"}).ids("track"); }).status, 400);
    EXPECT_EQ(refusal_of([] { Query("track=0", {}, {"track"}).ids("track"); }).status, 400);
}

TEST(Query, EncodingAndDecodingAreInverse) {
    const std::string text = "R\xC3\xA9sum\xC3\xA9 & 100% \"live\" +1/2?";
    EXPECT_EQ(percent_decoded(percent_encoded(text), true), text);
    EXPECT_EQ(percent_decoded(percent_encoded(text), false), text);
}

}  // namespace
}  // namespace lacquer::server
