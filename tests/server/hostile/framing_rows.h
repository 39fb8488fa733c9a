// Heads that two readers could read differently: where a request ends, and which headers it has.
#pragma once

#include "tests/server/hostile/row.h"

namespace lacquer::test {

inline Rows length_rows() {
    const std::string post = "POST /api/tracks/1/render HTTP/1.1\r\nHost: localhost\r\n";
    const auto with_length = [&](const std::string& value) {
        return post + "Content-Length: " + value + "\r\n\r\nabc";
    };
    Rows rows{
        {"length beside chunks", post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
         After::ends},
        {"chunks beside length", post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400,
         After::ends},
        {"equal lengths", post + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400, After::ends},
        {"unequal lengths", post + "Content-Length: 0\r\ncontent-length: 40\r\n\r\n", 400, After::ends},
        {"chunked", post + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 411, After::ends},
        {"chunk extension", post + "Transfer-Encoding: chunked\r\n\r\n5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n", 411,
         After::ends},
        {"chunked with trailers", post + "Transfer-Encoding: chunked\r\n\r\n0\r\nHost: evil\r\n\r\n", 411, After::ends},
        {"chunked of 1.0", "POST /api/tracks/1/render HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411,
         After::ends},
        {"xchunked", post + "Transfer-Encoding: xchunked\r\n\r\n", 411, After::ends},
        {"identity", post + "Transfer-Encoding: identity\r\n\r\n", 411, After::ends},
        {"chunked, identity", post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 411, After::ends},
        {"two encodings", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n", 411,
         After::ends},
        {"folded encoding", post + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400, After::ends},
        {"encoding after a tab", post + "Transfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n", 411, After::ends},
        {"encoding after a vertical tab", post + "Transfer-Encoding:\vchunked\r\n\r\n0\r\n\r\n", 400, After::ends},
        {"encoding behind a bare CR", post + "X: 1\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, After::ends},
        {"encoding behind a bare LF", post + "X: 1\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, After::ends},
        {"zipped body", post + "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 415, After::ends},
        {"space before the colon", post + "Content-Length : 3\r\n\r\nabc", 400, After::ends},
        {"tab before the colon", post + "Content-Length\t: 3\r\n\r\nabc", 400, After::ends},
        {"NUL in the name", post + std::string("Content-Length\0: 3\r\n\r\nabc", 25), 400, After::ends},
        {"length in a folded line", post + "X: 1\r\n Content-Length: 3\r\n\r\nabc", 400, After::ends},
        {"zeros before the length", with_length("0000000003"), 202},
        {"blanks around the length", with_length(" \t3 \t"), 202},
        {"no length at all", post + "\r\n", 202},
        {"no length at all, DELETE", head_of("DELETE", "/api/tracks/1/render"), 204},
        {"small body nobody reads", post + "Content-Length: " + std::to_string(smuggled.size()) + "\r\n\r\n" + smuggled,
         202},
        {"body of a GET",
         head_of("GET", "/healthz", "Content-Length: " + std::to_string(smuggled.size()) + "\r\n") + smuggled, 200},
        {"body of a HEAD",
         head_of("HEAD", "/healthz", "Content-Length: " + std::to_string(smuggled.size()) + "\r\n") + smuggled, 200},
        {"large body nobody reads", post + "Content-Length: 100000\r\n\r\n" + std::string(100'000, 'x'), 202,
         After::ends},
        {"half of the body, then gone", post + "Content-Length: 10\r\n\r\nabc", 202, After::leaves},
    };
    for (const char* value : {"abc", "+3", "-3", "0x3", "3 3", "3,3", "3, 3", "3;", "3.0", "3e0", "", "\"3\"", "３",
                              "9223372036854775808", "18446744073709551619", "99999999999999999999999"}) {
        rows.push_back({std::string("length ") + value, with_length(value), 400, After::ends});
    }
    return rows;
}

inline Rows head_rows() {
    const std::string get = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n";
    return {
        {"folded line", get + " folded: 1\r\n\r\n", 400, After::ends},
        {"no colon", get + "NoColon\r\n\r\n", 400, After::ends},
        {"no name", get + ": empty name\r\n\r\n", 400, After::ends},
        {"control in a name", get + "Bad\x01: 1\r\n\r\n", 400, After::ends},
        {"control in a value", get + "Ok: a\x02z\r\n\r\n", 400, After::ends},
        {"NUL in a value", get + std::string("Ok: a\0z\r\n\r\n", 11), 400, After::ends},
        {"DEL in a value", get + "Ok: a\x7Fz\r\n\r\n", 400, After::ends},
        {"lone LF in a value", get + "Lone: line\nfeed: 1\r\n\r\n", 400, After::ends},
        {"only LF", "GET /healthz HTTP/1.1\nHost: localhost\n\n", 400, After::ends},
        {"two hosts", get + "Host: evil.example\r\n\r\n", 400, After::ends},
        {"two equal hosts", get + "Host: localhost\r\n\r\n", 400, After::ends},
        {"no host", "GET /healthz HTTP/1.1\r\n\r\n", 400, After::ends},
        {"HTTP/2.0", "GET /healthz HTTP/2.0\r\nHost: localhost\r\n\r\n", 505, After::ends},
        {"HTTP/1.2", "GET /healthz HTTP/1.2\r\nHost: localhost\r\n\r\n", 505, After::ends},
        {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, After::ends},
        {"HTTP/0.9", "GET /healthz\r\n\r\n", 400, After::ends},
        {"small http", "GET /healthz http/1.1\r\nHost: localhost\r\n\r\n", 400, After::ends},
        {"space after the version", "GET /healthz HTTP/1.1 \r\nHost: localhost\r\n\r\n", 400, After::ends},
        {"two spaces", "GET  /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, After::ends},
        {"tabs for spaces", "GET\t/healthz\tHTTP/1.1\r\nHost: localhost\r\n\r\n", 400, After::ends},
        {"space in the target", "GET /health z HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, After::ends},
        {"control in the target", "GET /health\x07z HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, After::ends},
        {"NUL in the target", std::string("GET /health\0 HTTP/1.1\r\nHost: localhost\r\n\r\n", 42), 400, After::ends},
        {"small get", "get /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 501, After::ends},
        {"unknown method", "BREW /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 501, After::ends},
        {"TRACE", "TRACE /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 501, After::ends},
        {"CONNECT", "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n", 501, After::ends},
        {"TLS hello", "\x16\x03\x01\r\n\r\n", 400, After::ends},
        {"path of 9 kB", "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 414, After::ends},
        {"line of 9 kB", get + "Long: " + std::string(9000, 'a') + "\r\n\r\n", 431, After::ends},
        {"head of 17 kB", get + repeated("A: " + std::string(1000, 'b') + "\r\n", 17) + "\r\n", 431, After::ends},
        {"150 lines", get + repeated("A: b\r\n", 150) + "\r\n", 431, After::ends},
        {"90 lines", get + repeated("A: b\r\n", 90) + "\r\n", 200},
        {"empty lines before", "\r\n\r\n\r\n" + get + "\r\n", 200},
        {"forged address", get + "REMOTE_ADDR: 6.6.6.6\r\nLocal_Port: 1\r\n\r\n", 200},
        {"upgrade", get + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n", 200},
        {"Connection: Close", get + "Connection: Close\r\n\r\n", 200, After::ends},
        {"keep-alive, CLOSE", get + "Connection: keep-alive, CLOSE\r\n\r\n", 200, After::ends},
        {"HTTP/1.0 is never sent chunks", "GET /api/tracks HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200,
         After::ends, "Content-Length: "},
        {"half-close", get + "\r\n", 200, After::leaves},
        {"half-closed stream", head_of("GET", "/api/player/stream/1"), 200, After::leaves},
    };
}

}  // namespace lacquer::test
