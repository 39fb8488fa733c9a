#include "dsp/simd.h"

#include <stdexcept>

#include <gtest/gtest.h>

#include "tests/support/every_simd.h"

namespace lacquer::dsp {
namespace {

TEST(Simd, TheFastestIsInUseUntilOneIsForced) {
    const auto names = runnable_simd();
    ASSERT_FALSE(names.empty());
    EXPECT_EQ(simd_in_use(), names.back());
    test::on_every_simd([](const std::string& name) { EXPECT_EQ(simd_in_use(), name); });
    EXPECT_EQ(simd_in_use(), names.back());
}

TEST(Simd, AnUnknownSetIsRefusedWithWhatRuns) {
    try {
        force_simd("mmx");
        FAIL() << "accepted";
    } catch (const std::invalid_argument& error) {
        EXPECT_NE(std::string(error.what()).find("'mmx'"), std::string::npos);
        EXPECT_NE(std::string(error.what()).find("scalar"), std::string::npos);
    }
}

}  // namespace
}  // namespace lacquer::dsp
