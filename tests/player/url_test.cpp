#include "src/player/url.h"

#include <gtest/gtest.h>

namespace lacquer::player {
namespace {

std::string meant(std::string_view base, std::string_view reference) {
    const auto url = resolve_url(parse_url(base).value(), reference);
    return url ? url->text() : "nothing";
}

TEST(Url, ItsPartsAreFound) {
    const Url url = parse_url("HTTPS://us%40er:p%3Ass@Example.ORG:8443/a%20b/c d?x=1&y=ä#part").value();
    EXPECT_TRUE(url.is_https);
    EXPECT_EQ(url.user, "us@er");
    EXPECT_EQ(url.password, "p:ss");
    EXPECT_EQ(url.host, "example.org");
    EXPECT_EQ(url.port, 8443);
    EXPECT_EQ(url.target, "/a%20b/c%20d?x=1&y=%C3%A4");
    EXPECT_EQ(url.path(), "/a%20b/c%20d");
    EXPECT_EQ(parse_url(url.text()).value(), url);
    EXPECT_EQ(parse_url("http://h").value().target, "/");
    EXPECT_EQ(parse_url("http://h?q").value().target, "/?q");
    EXPECT_EQ(parse_url("http://[::1]:4747/x").value().host, "::1");
    EXPECT_EQ(parse_url("http://[::1]:4747/x").value().text(), "http://[::1]:4747/x");
}

TEST(Url, NothingThatEndsARequestLineGetsIntoIt) {
    EXPECT_EQ(parse_url("http://h/a\r\nHost: evil").value().target, "/a%0D%0AHost:%20evil");
    EXPECT_FALSE(parse_url("http://h\r\nX: y/"));
}

TEST(Url, WhatIsNoneIsRefused) {
    for (const char* text : {"", "h/x", "ftp://h/x", "http://", "http:///x", "http://h:0/", "http://h:65536/",
                             "http://h:x/", "http://h h/", "http://[::1/", "http://a%zz@h/", "file:///x", "http:/h"}) {
        EXPECT_FALSE(parse_url(text)) << text;
    }
    EXPECT_FALSE(parse_url("http://h/" + std::string(8000, 'a')));
}

TEST(Url, ReferencesMeanWhatTheyMeanInABrowser) {
    constexpr const char* kBase = "http://u:p@h:8080/a/b/list.m3u8?token=1";
    EXPECT_EQ(meant(kBase, "c.flac"), "http://u:p@h:8080/a/b/c.flac");
    EXPECT_EQ(meant(kBase, "../c.flac?x"), "http://u:p@h:8080/a/c.flac?x");
    EXPECT_EQ(meant(kBase, "../../../../c"), "http://u:p@h:8080/c");
    EXPECT_EQ(meant(kBase, "./c/./d/.."), "http://u:p@h:8080/a/b/c/");
    EXPECT_EQ(meant(kBase, "/etc/passwd"), "http://u:p@h:8080/etc/passwd");
    EXPECT_EQ(meant(kBase, "?y"), "http://u:p@h:8080/a/b/list.m3u8?y");
    EXPECT_EQ(meant(kBase, "//other/x"), "http://other/x");
    EXPECT_EQ(meant(kBase, "https://other/x"), "https://other/x");
    EXPECT_EQ(meant(kBase, "01: Intro.mp3"), "http://u:p@h:8080/a/b/01:%20Intro.mp3");
    EXPECT_EQ(meant(kBase, "file:///etc/passwd"), "nothing");
    EXPECT_EQ(meant(kBase, ""), "nothing");
}

TEST(Redacted, NoSecretIsLeft) {
    EXPECT_EQ(redacted("http://user:pass@h/x"), "http://***@h/x");
    EXPECT_EQ(redacted("cannot fetch https://a:b@c@h/x?token=abc&v=1: 404"),
              "cannot fetch https://***@h/x?token=***&v=1: 404");
    EXPECT_EQ(redacted("http://h/?access_Token=abc#token=x"), "http://h/?access_Token=***#token=***");
    EXPECT_EQ(redacted("http://h/?X-Amz-Signature=abc&apikey=d"), "http://h/?X-Amz-Signature=***&apikey=***");
    EXPECT_EQ(redacted("http://h/@user/x?preset=warm"), "http://h/@user/x?preset=warm");
    EXPECT_EQ(redacted("no address at all"), "no address at all");
}

}  // namespace
}  // namespace lacquer::player
