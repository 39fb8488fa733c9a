#include "cache/directory_layout.h"

#include <gtest/gtest.h>

#include "tests/cache/fixture.h"

namespace lacquer::cache {
namespace {

using test::key;

TEST(DirectoryLayout, NamesReadBackAsWritten) {
    for (const Keep keep : {Keep::normal, Keep::longer}) {
        const auto name = parse_file_name(0xab, chunk_file_name(key(0xab), keep));
        ASSERT_TRUE(name);
        EXPECT_EQ(name->key, key(0xab));
        EXPECT_EQ(name->keep, keep);
        EXPECT_FALSE(name->is_temporary);
    }
    EXPECT_EQ(subdirectory_name(0xab), "ab");
    EXPECT_TRUE(parse_file_name(0xab, temporary_file_name(key(0xab), 17)).value().is_temporary);
}

TEST(DirectoryLayout, ForeignNamesAreNotOurs) {
    const std::string hex = chunk_file_name(key(1), Keep::normal).substr(0, 32);
    std::vector<std::string> names = {"", "lock", hex, hex.substr(1) + ".chunk", std::string(1, '.') + hex + ".chunk"};
    for (const char* suffix : {".", ".txt", ".chunk~", ".tmp", "..tmp", ".1x.tmp"}) names.push_back(hex + suffix);
    names.push_back(hex + ".chunk");
    names.back()[31] = 'A';
    for (const std::string& name : names) EXPECT_FALSE(parse_file_name(1, name)) << name;
    EXPECT_FALSE(parse_file_name(2, hex + ".chunk")) << "in another key's subdirectory";
}

}  // namespace
}  // namespace lacquer::cache
