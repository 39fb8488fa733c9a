#include "server/access.h"

#include <array>
#include <string>

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <openssl/hmac.h>
#include <unistd.h>

namespace {

bool hmac_fails = false;

}  // namespace

// In place of the library's, so that it can fail.
unsigned char* HMAC(const EVP_MD* method, const void* key, int key_bytes, const unsigned char* data,
                    std::size_t data_bytes, unsigned char* digest, unsigned* digest_bytes) {
    static const auto real = reinterpret_cast<decltype(&HMAC)>(::dlsym(RTLD_NEXT, "HMAC"));
    if (hmac_fails) return nullptr;
    return real(method, key, key_bytes, data, data_bytes, digest, digest_bytes);
}

namespace lacquer::server {
namespace {

int status_of(const Access& access, const Headers& headers, const std::string& method = "GET",
              const std::string& path = "/api/presets", const std::string& query = "") {
    Request request;
    request.method = method;
    request.path = path;
    request.query = query;
    request.headers = headers;
    try {
        access.check(request);
    } catch (const HttpError& error) {
        if (error.status == 401) {
            EXPECT_EQ(error.headers.at(0).first, "WWW-Authenticate");
        }
        return error.status;
    }
    return 200;
}

TEST(Access, AcceptsOwnNamesAndIpLiteralsInTheHostHeaderOnly) {
    const Access access("127.0.0.1", "", {"music.example"});
    std::array<char, 256> name{};
    ::gethostname(name.data(), name.size() - 1);
    const std::string own = name.data();
    for (const std::string& host :
         {std::string("localhost"), std::string("LOCALHOST:4747"), std::string("127.0.0.1:1"),
          std::string("192.168.1.20"), std::string("[::1]"), std::string("[fe80::1]:80"), own, own + ".local:4747",
          std::string("music.example"), std::string("Music.Example.:80")}) {
        EXPECT_EQ(status_of(access, {{"Host", host}}), 200) << host;
    }
    for (const char* host : {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "[::1",
                             "localhost:x", "127.1", "music.example:80:80", "a@localhost"}) {
        EXPECT_EQ(status_of(access, {{"Host", host}}), 421) << host;
    }
}

TEST(Access, RefusesChangesFromOtherOrigins) {
    const Access access("127.0.0.1", "", {});
    const auto with_origin = [](const char* origin) { return Headers{{"Host", "localhost:4747"}, {"Origin", origin}}; };
    EXPECT_EQ(status_of(access, with_origin("http://localhost:4747"), "POST"), 200);
    EXPECT_EQ(status_of(access, with_origin("http://evil.example"), "POST"), 403);
    EXPECT_EQ(status_of(access, with_origin("http://localhost:80"), "DELETE"), 403);
    EXPECT_EQ(status_of(access, with_origin("null"), "POST"), 403);
    EXPECT_EQ(status_of(access, with_origin("http://evil.example"), "GET"), 200);
    EXPECT_EQ(status_of(access, {{"Host", "localhost"}}, "POST"), 200);
}

TEST(Access, RefusesChangesThatABrowserSaysComeFromAnotherSite) {
    const Access access("127.0.0.1", "", {});
    const auto from = [](const char* site) { return Headers{{"Host", "localhost"}, {"Sec-Fetch-Site", site}}; };
    for (const char* site : {"cross-site", "same-site", "anything"}) {
        EXPECT_EQ(status_of(access, from(site), "POST"), 403) << site;
        EXPECT_EQ(status_of(access, from(site), "GET"), 200) << site;
    }
    EXPECT_EQ(status_of(access, from("same-origin"), "DELETE"), 200);
    EXPECT_EQ(status_of(access, from("none"), "POST"), 200);
    EXPECT_EQ(status_of(access, {{"Origin", "http://"}}, "POST"), 403) << "no host to compare with";
}

// As behind a proxy on another port that passes on `Host: music.example`.
TEST(Access, AnOwnNameOnAnotherPortMayChangeThingsWhenTheBrowserSaysSameOrigin) {
    const Access access("127.0.0.1", "", {"music.example"});
    const auto from = [](const char* origin, const char* site) {
        return Headers{{"Host", "music.example"}, {"Origin", origin}, {"Sec-Fetch-Site", site}};
    };
    EXPECT_EQ(status_of(access, from("https://music.example:8443", "same-origin"), "POST"), 200);
    EXPECT_EQ(status_of(access, from("https://music.example:8443", "none"), "POST"), 403);
    EXPECT_EQ(status_of(access, from("https://music.example:8443", "same-site"), "POST"), 403);
    for (const char* foreign : {"https://evil.example:8443", "https://music.example:x", "https://", "null", ""})
        EXPECT_EQ(status_of(access, from(foreign, "same-origin"), "POST"), 403) << foreign;
}

TEST(Access, LetsNobodyInWhenTokensCannotBeCompared) {
    const Access access("0.0.0.0", "secret", {});
    const Headers right{{"Host", "127.0.0.1"}, {"Authorization", "Bearer secret"}};
    EXPECT_EQ(status_of(access, right), 200);
    hmac_fails = true;
    for (const char* token : {"Bearer secret", "Bearer wrong"})
        EXPECT_THROW(status_of(access, {{"Host", "127.0.0.1"}, {"Authorization", token}}), std::runtime_error) << token;
    hmac_fails = false;
    EXPECT_EQ(status_of(access, right), 200);
}

TEST(Access, TheAuthorityOfAnAbsoluteTargetRulesOverTheHostHeader) {
    const Access access("127.0.0.1", "", {});
    const Headers headers = {{"Host", "localhost"}, {"Origin", "http://localhost"}};
    EXPECT_EQ(status_of(access, headers, "POST", "http://localhost/x"), 200);
    EXPECT_EQ(status_of(access, headers, "POST", "HTTP://127.0.0.1/x"), 403) << "another origin";
    EXPECT_EQ(status_of(access, headers, "GET", "http://evil.example/x"), 421);
    EXPECT_EQ(status_of(access, headers, "GET", "http://evil.example"), 421);
    EXPECT_EQ(status_of(access, headers, "GET", "http://"), 421);
    const Access guarded("0.0.0.0", "secret", {});
    const std::string query = "token=" + guarded.stream_token();
    EXPECT_EQ(status_of(guarded, {}, "GET", "http://10.0.0.1/api/player/stream/1", query), 200);
    EXPECT_EQ(status_of(guarded, {}, "GET", "http://10.0.0.1/api/tracks/api/player/stream/1", query), 401);
}

TEST(Access, LoopbackNeedsNothingAndAnythingElseNeedsAToken) {
    for (const char* host : {"127.0.0.1", "127.1.2.3", "localhost", "::1", "[::1]"}) {
        EXPECT_NO_THROW(Access(host, "", {})) << host;
    }
    for (const char* host : {"0.0.0.0", "::", "192.168.1.2", "", "127.evil.example", "example.org"}) {
        try {
            const Access access(host, "", {});
            ADD_FAILURE() << host << " was taken without a token";
        } catch (const std::runtime_error& error) {
            EXPECT_NE(std::string(error.what()).find("token"), std::string::npos);
        }
        EXPECT_NO_THROW(Access(host, "secret", {})) << host;
    }
}

TEST(Access, TakesTheTokenInThreePlaces) {
    const Access access("0.0.0.0", "sec:ret&", {});
    const Headers host = {{"Host", "10.0.0.1"}};
    const auto with = [&](const char* authorization) {
        return Headers{{"Host", "10.0.0.1"}, {"Authorization", authorization}};
    };
    EXPECT_EQ(status_of(access, with("Bearer sec:ret&")), 200);
    EXPECT_EQ(status_of(access, with("bearer  sec:ret&")), 200);
    EXPECT_EQ(status_of(access, with("Basic dXNlcjpzZWM6cmV0Jg==")), 200) << "user:sec:ret&";
    EXPECT_EQ(status_of(access, host, "GET", "/", "a=1&token=sec:ret%26"), 200);
    EXPECT_EQ(status_of(access, host), 401);
    EXPECT_EQ(status_of(access, with("Bearer sec:ret")), 401);
    EXPECT_EQ(status_of(access, with("Bearer ")), 401);
    EXPECT_EQ(status_of(access, with("Basic sec:ret&")), 401);
    EXPECT_EQ(status_of(access, with("Basic ====")), 401);
    EXPECT_EQ(status_of(access, with("Basic dXNlcg==")), 401) << "no colon";
    EXPECT_EQ(status_of(access, host, "GET", "/", "token=wrong"), 401);
    EXPECT_EQ(status_of(access, host, "GET", "/", "token="), 401);
}

TEST(Access, TheStreamTokenOpensStreamsOnly) {
    const Access access("0.0.0.0", "secret", {});
    const Headers host = {{"Host", "10.0.0.1"}};
    const std::string query = "token=" + access.stream_token();
    EXPECT_EQ(access.stream_token().size(), 64U);
    EXPECT_EQ(status_of(access, host, "GET", "/api/player/stream/1.wav", query), 200);
    EXPECT_EQ(status_of(access, host, "HEAD", "/api/player/stream/1.wav", query), 200);
    EXPECT_EQ(status_of(access, host, "GET", "/api/tracks", query), 401);
    EXPECT_EQ(status_of(access, host, "POST", "/api/player/stream/1", query), 401);
    EXPECT_TRUE(Access("127.0.0.1", "", {}).stream_token().empty());
}

}  // namespace
}  // namespace lacquer::server
