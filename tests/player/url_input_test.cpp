#include "src/player/url_input.h"

#include <atomic>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/player/scripted_server.h"
#include "tests/server/memory_sources.h"

namespace lacquer::player {
namespace {

namespace fs = std::filesystem;
using test::Happening;
using test::ScriptedServer;
using testing::HasSubstr;
using testing::SizeIs;

std::string answer(const std::string& type, const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

Url url(const ScriptedServer& server, const std::string& target) {
    return parse_url(server.url(target)).value();
}

std::string content(const FetchedInput& input) {
    std::ifstream stream(input.file().path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(UrlInputs, AFileIsThereWhileItIsHeldAndNamedAsDecodersLike) {
    ScriptedServer server([](const auto& client) { client.send(answer("audio/flac", "fLaC")); });
    fs::path path;
    {
        UrlInputs inputs;
        {
            const FetchedInput input = inputs.take(url(server, "/stream/1?token=x"));
            path = input.file().path;
            EXPECT_EQ(path.extension(), ".flac");
            EXPECT_EQ(content(input), "fLaC");
            EXPECT_EQ(fs::canonical(path), path);
        }
        EXPECT_FALSE(fs::exists(path));
        EXPECT_TRUE(fs::exists(path.parent_path()));
    }
    EXPECT_FALSE(fs::exists(path.parent_path()));
}

TEST(UrlInputs, AFileThatNothingNamesIsThereToo) {
    ScriptedServer server([](const auto& client) {
        client.send(client.asks("GET /a.mp3")
                        ? "HTTP/1.1 302 Found\r\nLocation: /blob/8f3a\r\nContent-Length: 0\r\n\r\n"
                        : answer("application/octet-stream", "sound"));
    });
    UrlInputs inputs;
    const FetchedInput unknown = inputs.take(url(server, "/stream?id=5"));
    EXPECT_EQ(content(unknown), "sound");
    const FetchedInput redirected = inputs.take(url(server, "/a.mp3"));
    EXPECT_EQ(content(redirected), "sound");
    EXPECT_EQ(redirected.file().path.extension(), ".mp3");
    inputs.remove_files();
    EXPECT_FALSE(fs::exists(unknown.file().path.parent_path()));
}

TEST(UrlInputs, TheNextOneIsFetchedMeanwhile) {
    Happening asked;
    ScriptedServer server([&](const auto& client) {
        client.send(answer("audio/wav", client.asks("GET /2") ? "two" : "one"));
        if (client.asks("GET /2")) asked.now();
    });
    UrlInputs inputs;
    const FetchedInput one = inputs.take(url(server, "/1"));
    inputs.prepare(url(server, "/2"));
    EXPECT_TRUE(asked.wait());
    for (int i = 0; i < 2000 && !inputs.is_ready(url(server, "/2")); ++i) ::usleep(5000);
    EXPECT_TRUE(inputs.is_ready(url(server, "/2")));
    EXPECT_EQ(content(inputs.take(url(server, "/2"))), "two");
    EXPECT_EQ(content(one), "one");
    EXPECT_THAT(server.heads(), SizeIs(2));
}

TEST(UrlInputs, WhatWasPreparedAndIsNotWantedIsGivenUp) {
    Happening begun;
    ScriptedServer server([&](const auto& client) {
        if (client.asks("GET /long")) {
            client.send("HTTP/1.1 200 OK\r\n\r\nxxx");
            begun.now();
            EXPECT_TRUE(client.is_gone(20'000));
        } else {
            client.send(answer("audio/wav", "short"));
        }
    });
    UrlInputs inputs;
    inputs.prepare(url(server, "/long"));
    EXPECT_TRUE(begun.wait());
    const FetchedInput input = inputs.take(url(server, "/short"));
    EXPECT_EQ(content(input), "short");
    EXPECT_EQ(std::distance(fs::directory_iterator(input.file().path.parent_path()), {}), 1);
}

TEST(UrlInputs, WhatFailedIsSaidWhenItIsAskedForAndMayBeTriedAgain) {
    ScriptedServer server([first = true](const auto& client) mutable {
        if (std::exchange(first, false)) {
            client.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        } else {
            client.send(answer("audio/wav", "now"));
        }
    });
    UrlInputs inputs;
    inputs.prepare(url(server, "/"));
    EXPECT_THROW(inputs.take(url(server, "/")), FetchError);
    EXPECT_EQ(content(inputs.take(url(server, "/"))), "now");
}

TEST(UrlInputs, WhatIsPlainlyNoAudioIsRefused) {
    for (const auto& [type, said] :
         {std::pair{"text/html; charset=utf-8", "no audio, but text/html"}, {"Audio/X-MpegURL", "a playlist"}}) {
        ScriptedServer server([&](const auto& client) { client.send(answer(type, "body")); });
        UrlInputs inputs;
        try {
            inputs.take(url(server, "/?token=secret"));
            FAIL();
        } catch (const FetchError& error) {
            EXPECT_THAT(error.what(), HasSubstr(said));
            EXPECT_THAT(error.what(), testing::Not(HasSubstr("secret")));
        }
    }
}

TEST(UrlInputs, WhatIsNotWantedNowGoesOnBeingPrepared) {
    Happening wait_is_over;
    ScriptedServer server([&](const auto& client) {
        EXPECT_TRUE(wait_is_over.wait());
        client.send(answer("audio/wav", "late"));
    });
    UrlInputs inputs;
    EXPECT_THROW(inputs.take(url(server, "/"), [] { return false; }), FetchCancelled);
    wait_is_over.now();
    EXPECT_EQ(content(inputs.take(url(server, "/"))), "late");
    EXPECT_THAT(server.heads(), SizeIs(1));
}

TEST(UrlInputs, CancellingAndTheEndGiveUpWhatIsUnderWay) {
    std::atomic<bool> cancelled = false;
    ScriptedServer server([&](const auto& client) {
        cancelled = true;
        EXPECT_TRUE(client.is_gone(20'000));
    });
    {
        FetchOptions options;
        options.cancelled = [&] { return cancelled.load(); };
        UrlInputs inputs(options);
        EXPECT_THROW(inputs.take(url(server, "/")), FetchCancelled);
    }
    cancelled = false;
    UrlInputs inputs;
    inputs.prepare(url(server, "/"));
    while (!cancelled) ::usleep(1000);
}

TEST(UrlInputs, TheExtensionIsThatOfTheAddressElseOfTheType) {
    const auto extension = [](const char* address, const char* type) {
        return audio_extension(parse_url(address).value(), type);
    };
    EXPECT_EQ(extension("http://h/a.mp3?x=y.wav", "application/octet-stream"), ".mp3");
    EXPECT_EQ(extension("http://h/a.php", "Audio/MPEG; x=y"), ".mp3");
    EXPECT_EQ(extension("http://h/a", "audio/x-wav"), ".wav");
    EXPECT_EQ(extension("http://h/a", ""), "");
}

}  // namespace
}  // namespace lacquer::player
