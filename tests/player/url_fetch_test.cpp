#include "src/player/url_fetch.h"

#include <atomic>
#include <fstream>
#include <iterator>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include "src/retry_policy.h"
#include "tests/player/scripted_server.h"
#include "tests/server/memory_sources.h"
#include "tests/support/temp_dir.h"

namespace lacquer::player {
namespace {

using std::chrono::milliseconds;
using test::ScriptedServer;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

class UrlFetchTest : public testing::Test {
protected:
    UrlFetchTest() {
        options.wait = [this](milliseconds delay) { waited.push_back(delay); };
        options.retrying = [this](const std::string& text) { told.push_back(text); };
    }
    FetchedFile fetch(const std::string& url) { return fetch_to_file(parse_url(url).value(), file, options); }
    std::string error_of(const std::string& url) {
        try {
            fetch(url);
        } catch (const FetchError& error) {
            EXPECT_FALSE(std::filesystem::exists(file));
            return error.what();
        }
        return "fetched";
    }
    std::string content() const {
        std::ifstream stream(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(stream), {}};
    }

    test::TempDir folder;
    const std::filesystem::path file = folder / "fetched";
    FetchOptions options;
    std::vector<milliseconds> waited;
    std::vector<std::string> told;
};

std::string ok(const std::string& headers, const std::string& body = "") {
    return "HTTP/1.1 200 OK\r\n" + headers + "\r\n" + body;
}

std::string length(std::size_t bytes) {
    return "Content-Length: " + std::to_string(bytes) + "\r\n";
}

constexpr std::size_t kBytes = 300'000;

// As a server does it that knows ranges; breaks off the first `breaks` answers half way.
ScriptedServer::Answer breaking(int breaks, const std::string& etag) {
    return [left = breaks, etag](const ScriptedServer::Client& client) mutable {
        const std::size_t at = client.head().find("Range: bytes=");
        const std::size_t first = at == std::string::npos ? 0 : std::stoul(client.head().substr(at + 13));
        const bool holds = first > 0 && client.asks("If-Range: " + etag + "\r\n");
        const std::size_t from = holds ? first : 0;
        const std::string range = "Content-Range: bytes " + std::to_string(from) + "-" + std::to_string(kBytes - 1) +
                                  "/" + std::to_string(kBytes) + "\r\n";
        client.send(holds ? "HTTP/1.1 206 Partial Content\r\n" + range : "HTTP/1.1 200 OK\r\n");
        client.send("ETag: " + etag + "\r\n" + length(kBytes - from) + "\r\n");
        const std::size_t count = left-- > 0 ? (kBytes - from) / 2 : kBytes - from;
        client.send(test::bytes_at(from, count));
    };
}

TEST_F(UrlFetchTest, GetsAStreamFromARealServer) {
    test::MemorySources sources;
    sources.streams.on_open = [](const server::StreamQuery&) { return test::representation(5'000'000); };
    server::HttpServer daemon(sources.all(), test::any_port());
    std::uint64_t seen = 0;
    options.progress = [&](const FetchProgress& progress) {
        EXPECT_GT(progress.received_bytes, seen);
        EXPECT_EQ(progress.of_bytes, 5'000'000u);
        seen = progress.received_bytes;
    };
    const FetchedFile got = fetch("http://127.0.0.1:" + std::to_string(daemon.port()) + "/api/player/stream/1.wav");
    EXPECT_EQ(content(), test::bytes_at(0, 5'000'000));
    EXPECT_EQ(got.bytes, 5'000'000u);
    EXPECT_EQ(got.content_type, "audio/wav");
    EXPECT_TRUE(got.is_enhanced);
    EXPECT_EQ(seen, 5'000'000u);
}

TEST_F(UrlFetchTest, ARealServerThatBreaksOffIsAskedForTheRest) {
    test::MemorySources sources;
    auto breaks = std::make_shared<std::atomic<int>>(2);
    sources.streams.on_open = [breaks](const server::StreamQuery&) {
        return test::representation(5'000'000, [breaks, sent = 0](std::uint64_t, const auto&) mutable {
            if (++sent > 20 && (*breaks)-- > 0) throw std::runtime_error("broken on purpose");
            return true;
        });
    };
    server::HttpServer daemon(sources.all(), test::any_port());
    fetch("http://127.0.0.1:" + std::to_string(daemon.port()) + "/api/player/stream/1.wav");
    EXPECT_EQ(content(), test::bytes_at(0, 5'000'000));
    EXPECT_THAT(told, SizeIs(2));
}

TEST_F(UrlFetchTest, ABrokenTransferIsResumedWhereTheTagIsStrong) {
    ScriptedServer server(breaking(2, "\"v1\""));
    const FetchedFile got = fetch(server.url("/x.flac"));
    EXPECT_EQ(content(), test::bytes_at(0, kBytes));
    EXPECT_EQ(got.bytes, kBytes);
    const auto heads = server.heads();
    ASSERT_THAT(heads, SizeIs(3));
    EXPECT_THAT(heads[0], Not(HasSubstr("Range:")));
    EXPECT_THAT(heads[1], HasSubstr("Range: bytes=150000-\r\n"));
    EXPECT_THAT(heads[2], HasSubstr("Range: bytes=225000-\r\n"));
    EXPECT_THAT(told, Each(HasSubstr("the connection broke")));
}

TEST_F(UrlFetchTest, WithoutAStrongTagItIsFetchedAnew) {
    for (const std::string etag : {"W/\"v1\"", ""}) {
        ScriptedServer server(breaking(1, etag));
        fetch(server.url());
        EXPECT_EQ(content(), test::bytes_at(0, kBytes)) << etag;
        EXPECT_THAT(server.heads(), Each(Not(HasSubstr("Range:"))));
    }
}

TEST_F(UrlFetchTest, AResetIsNoEndOfABodyOfUnknownLength) {
    ScriptedServer server([turn = 0](const ScriptedServer::Client& client) mutable {
        client.send(ok("", "half"));
        if (++turn == 1) return client.reset();
        client.send(" and half");
    });
    fetch(server.url());
    EXPECT_EQ(content(), "half and half");
    EXPECT_THAT(server.heads(), SizeIs(2));
}

TEST_F(UrlFetchTest, WhatChangedMeanwhileIsFetchedAnew) {
    ScriptedServer server([first = true](const ScriptedServer::Client& client) mutable {
        if (std::exchange(first, false)) {
            client.send(ok("ETag: \"old\"\r\n" + length(kBytes), std::string(1000, 'o')));
        } else {
            EXPECT_TRUE(client.asks("If-Range: \"old\"\r\n"));
            client.send(ok("ETag: \"new\"\r\n" + length(5), "fresh"));
        }
    });
    fetch(server.url());
    EXPECT_EQ(content(), "fresh");
}

TEST_F(UrlFetchTest, APartThatWasNotAskedForIsNotTaken) {
    ScriptedServer server([turn = 0](const ScriptedServer::Client& client) mutable {
        ++turn;
        if (turn == 1) client.send(ok("ETag: \"v\"\r\n" + length(2000), std::string(1000, 'a')));
        if (turn == 2) {
            client.send("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 500-1999/2000\r\n" + length(1500) +
                        "\r\n" + std::string(1500, 'b'));
        }
        if (turn == 3) client.send(ok(length(3), "all"));
    });
    fetch(server.url());
    EXPECT_EQ(content(), "all");
}

TEST_F(UrlFetchTest, ABusyServerIsAskedAgainAfterTheDelaysOfThePolicy) {
    ScriptedServer server([turn = 0](const ScriptedServer::Client& client) mutable {
        ++turn;
        if (turn == 1) client.send("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
        if (turn == 2) client.send("HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
        if (turn == 3) client.send("HTTP/1.1 429 Busy\r\nContent-Length: 0\r\n\r\n");
        if (turn == 4) client.send(ok(length(2), "ok"));
    });
    fetch(server.url());
    EXPECT_EQ(content(), "ok");
    ASSERT_THAT(waited, SizeIs(3));
    EXPECT_GE(waited[0], milliseconds(750));
    EXPECT_LE(waited[0], milliseconds(1250));
    EXPECT_EQ(waited[1], milliseconds(7000));
    EXPECT_GE(waited[2], milliseconds(3000));
    EXPECT_LE(waited[2], milliseconds(5000));
    EXPECT_THAT(told[0], HasSubstr("503 Service Unavailable"));
}

TEST_F(UrlFetchTest, WhatDoesNotPassIsSaidAtOnce) {
    for (const auto& [line, said] : {std::pair{"404 Not Found", "404 Not Found"},
                                     {"401 X", "401 Unauthorized"},
                                     {"204 No Content", "204"},
                                     {"206 Partial", "206"}}) {
        ScriptedServer server([&](const ScriptedServer::Client& client) {
            client.send("HTTP/1.1 " + std::string(line) + "\r\nContent-Length: 0\r\n\r\n");
        });
        EXPECT_THAT(error_of(server.url("/x?token=abc")), HasSubstr("/x?token=***: " + std::string(said)));
        EXPECT_THAT(server.heads(), SizeIs(1));
    }
    ScriptedServer server([](const ScriptedServer::Client& client) {
        client.send("HTTP/1.1 503 Busy\r\nRetry-After: 86400\r\nContent-Length: 0\r\n\r\n");
    });
    EXPECT_THAT(error_of(server.url()), HasSubstr("503"));
    EXPECT_THAT(waited, SizeIs(0));
}

TEST_F(UrlFetchTest, GivesUpAfterThreeRetries) {
    ScriptedServer server(
        [](const ScriptedServer::Client& client) { client.send("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"); });
    EXPECT_THAT(error_of(server.url()), HasSubstr("500 Internal Server Error"));
    EXPECT_THAT(server.heads(), SizeIs(1 + kRetries));
}

TEST_F(UrlFetchTest, NobodyThereIsSaidAtOnce) {
    std::string url;
    {
        ScriptedServer server([](const auto&) {});
        url = server.url();
    }
    EXPECT_THAT(error_of(url), HasSubstr("no connection to 127.0.0.1"));
    EXPECT_THAT(waited, SizeIs(0));
}

TEST_F(UrlFetchTest, RedirectsAreFollowedAndCounted) {
    ScriptedServer target([](const ScriptedServer::Client& client) {
        EXPECT_FALSE(client.asks("Authorization:"));
        client.send(ok("Content-Type: audio/flac\r\n" + length(2), "ok"));
    });
    const std::string elsewhere = target.url("/b.flac");
    ScriptedServer server([&](const ScriptedServer::Client& client) {
        EXPECT_TRUE(client.asks("Authorization: Basic dTpw\r\n"));
        if (client.asks("GET /loop ")) client.send("HTTP/1.1 302 F\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n");
        if (client.asks("GET /1 ")) client.send("HTTP/1.1 301 M\r\nLocation: 2\r\nContent-Length: 0\r\n\r\n");
        if (client.asks("GET /2 ")) client.send("HTTP/1.1 307 T\r\nLocation: " + elsewhere + "\r\n\r\n");
        if (client.asks("GET /file ")) client.send("HTTP/1.1 302 F\r\nLocation: file:///etc/passwd\r\n\r\n");
    });
    std::string base = server.url("");
    base.insert(7, "u:p@");
    EXPECT_EQ(fetch(base + "/1").final_url.text(), elsewhere);
    EXPECT_EQ(content(), "ok");
    EXPECT_THAT(error_of(base + "/file"), HasSubstr("no address of http or https"));
    const std::size_t before = server.heads().size();
    const std::string error = error_of(base + "/loop");
    EXPECT_THAT(error, HasSubstr("more than 10 redirects"));
    EXPECT_THAT(error, Not(HasSubstr("u:p")));
    EXPECT_EQ(server.heads().size() - before, 11u);
}

TEST_F(UrlFetchTest, SizeIsBoundedWhetherItIsToldOrNot) {
    options.max_bytes = 1'000'000;
    ScriptedServer server([](const ScriptedServer::Client& client) {
        if (client.asks("/told")) client.send(ok(length(1'000'001)));
        if (client.asks("/endless")) {
            client.send(ok(""));
            while (client.send(std::string(65536, 'x'))) {}
        }
        if (client.asks("/chunks")) {
            client.send(ok("Transfer-Encoding: chunked\r\n"));
            while (client.send("1000\r\n" + std::string(4096, 'x') + "\r\n")) {}
        }
    });
    for (const char* target : {"/told", "/endless", "/chunks"}) {
        EXPECT_THAT(error_of(server.url(target)), HasSubstr("larger than 1 MB")) << target;
    }
    EXPECT_THROW(fetch_text(parse_url(server.url("/endless")).value(), options), FetchError);
    EXPECT_THAT(waited, SizeIs(0));
}

TEST_F(UrlFetchTest, AServerThatSendsAnythingButAnAnswerIsBounded) {
    ScriptedServer server([](const ScriptedServer::Client& client) {
        std::string begin = "HTTP/1.1 200 ";
        std::string more(65536, 'x');
        if (client.asks("/line")) begin += "OK\r\nA: ";
        if (client.asks("/lines")) more = begin = "HTTP/1.1 200 OK\r\n", more = "A: b\r\n";
        if (client.asks("/chunk")) begin += "OK\r\nTransfer-Encoding: chunked\r\n\r\n", more = std::string(65536, '0');
        if (client.asks("/ends")) begin += std::string(1'000'000, 'x') + "\r\n\r\n";
        client.send(begin);
        while (client.send(more)) {}
    });
    for (const char* target : {"/status", "/ends", "/line", "/lines", "/chunk"}) {
        EXPECT_THAT(error_of(server.url(target)), HasSubstr("the server's answer is not sound")) << target;
    }
    EXPECT_THAT(waited, SizeIs(0));
}

TEST_F(UrlFetchTest, WhatIsNoHttpIsNotTaken) {
    ScriptedServer server([](const ScriptedServer::Client& client) { client.send("SSH-2.0-OpenSSH\r\n\r\n"); });
    EXPECT_THAT(error_of(server.url()), HasSubstr("the connection broke"));
    ScriptedServer zipped(
        [](const ScriptedServer::Client& client) { client.send(ok("Content-Encoding: gzip\r\n" + length(3), "abc")); });
    EXPECT_THAT(error_of(zipped.url()), HasSubstr("compressed (gzip)"));
}

TEST_F(UrlFetchTest, ASilentServerIsNotWaitedForForEver) {
    options.silence_timeout = milliseconds(100);
    ScriptedServer server([](const ScriptedServer::Client& client) {
        if (client.asks("/half")) client.send(ok(length(100), "half"));
        client.is_gone(20'000);
    });
    EXPECT_THAT(error_of(server.url("/")), HasSubstr("the server does not answer"));
    EXPECT_THAT(error_of(server.url("/half")), HasSubstr("the server does not answer"));
}

TEST_F(UrlFetchTest, CancellingEndsItWhileWaitingAndWhileReceiving) {
    std::atomic<bool> cancelled = false;
    options.cancelled = [&] { return cancelled.load(); };
    ScriptedServer server([&](const ScriptedServer::Client& client) {
        if (client.asks("/endless")) client.send(ok("") + std::string(100'000, 'x'));
        cancelled = true;
        EXPECT_TRUE(client.is_gone(20'000));
    });
    for (const char* target : {"/", "/endless"}) {
        cancelled = false;
        EXPECT_THROW(fetch(server.url(target)), FetchCancelled) << target;
        EXPECT_FALSE(std::filesystem::exists(file));
    }
}

TEST_F(UrlFetchTest, ADiskThatTakesNoMoreIsSaid) {
    ScriptedServer server(
        [](const ScriptedServer::Client& client) { client.send(ok(length(100'000), std::string(100'000, 'x'))); });
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small{50'000, before.rlim_max};
    const auto handler = ::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &small);
    const std::string error = error_of(server.url());
    ::setrlimit(RLIMIT_FSIZE, &before);
    ::signal(SIGXFSZ, handler);
    EXPECT_THAT(error, HasSubstr("cannot be stored: File too large"));
}

}  // namespace
}  // namespace lacquer::player
