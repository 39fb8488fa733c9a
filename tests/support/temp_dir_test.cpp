#include "tests/support/temp_dir.h"

#include <fstream>

#include <gtest/gtest.h>

namespace lacquer::test {
namespace {

TEST(TempDir, IsThereAndGoesWithItsContents) {
    std::filesystem::path where;
    {
        const TempDir directory;
        where = directory.path();
        std::ofstream(directory / "file") << "content";
        EXPECT_TRUE(std::filesystem::exists(where / "file"));
        EXPECT_NE(TempDir().path(), where);
    }
    EXPECT_FALSE(std::filesystem::exists(where));
}

}  // namespace
}  // namespace lacquer::test
