// One attack: the bytes a client sends, the answer they deserve, and what becomes of the connection. The rows are data,
// so that the same ones are played against a server in memory and against the daemon itself.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/server/raw_client.h"

namespace lacquer::test {

enum class After {
    ends,     // the server closes; a request that followed in the same bytes was not taken for one
    goes_on,  // the connection answers the next request
    leaves,   // the client closes its sending side at once and must be answered all the same
};

struct Row {
    std::string name;
    std::string sent;
    int status;
    After after = After::goes_on;
    std::string answer_has = "";  // somewhere in the head or the body; empty: anything
};
using Rows = std::vector<Row>;

inline const std::string smuggled = "DELETE /api/tracks/13/render HTTP/1.1\r\nHost: localhost\r\n\r\n";

inline std::string head_of(const std::string& method, const std::string& target, const std::string& further = "") {
    return method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" + further + "\r\n";
}

inline std::string repeated(const std::string& piece, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) text += piece;
    return text;
}

// "bytes 5-9/10" says as much as Content-Length does, and lies inside the whole.
inline void expect_sound_range(const RawResponse& answer) {
    const std::string range = answer.header("content-range");
    unsigned long long first = 0;
    unsigned long long last = 0;
    unsigned long long size = 0;
    ASSERT_EQ(std::sscanf(range.c_str(), "bytes %llu-%llu/%llu", &first, &last, &size), 3) << range;
    EXPECT_LT(last, size);
    EXPECT_EQ(answer.header("content-length"), std::to_string(last - first + 1));
}

inline void expect_next_answer(RawClient& client, const Row& row) {
    switch (row.after) {
        case After::goes_on: {
            const auto next = client.get("/healthz");
            ASSERT_TRUE(next) << row.name;
            EXPECT_EQ(next->status, 200) << row.name;
            break;
        }
        case After::ends:
        case After::leaves:
            EXPECT_EQ(client.ending(5000), Ending::closed) << row.name;
            EXPECT_TRUE(client.received().empty()) << row.name << ": a second answer: " << client.received();
            break;
    }
}

// Plays `row` and expects its outcome; then a polite client is still answered.
inline void play(const Row& row, std::uint16_t port) {
    RawClient client(port);
    client.send(row.sent + (row.after == After::ends ? smuggled : ""));
    if (row.after == After::leaves) client.half_close();
    const auto answer = client.response(row.sent.starts_with("HEAD "));
    ASSERT_TRUE(answer) << row.name << ": no answer";
    EXPECT_EQ(answer->status, row.status) << row.name << ": " << answer->body.substr(0, 200);
    EXPECT_NE((answer->head + answer->body).find(row.answer_has), std::string::npos)
        << row.name << ": " << answer->head;
    if (answer->status >= 400 && !row.sent.starts_with("HEAD ")) {
        EXPECT_EQ(answer->header("content-type"), "application/problem+json") << row.name;
    }
    if (answer->status == 206 && answer->has("content-range")) expect_sound_range(*answer);
    expect_next_answer(client, row);
    const auto polite = RawClient(port).get("/healthz");
    ASSERT_TRUE(polite) << "dead after: " << row.name;
    EXPECT_EQ(polite->status, 200) << row.name;
}

}  // namespace lacquer::test
