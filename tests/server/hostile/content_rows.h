// Well-framed requests that ask for what they should not: paths, queries, bodies, ranges.
#pragma once

#include "tests/server/hostile/row.h"

namespace lacquer::test {

inline Rows target_rows() {
    Rows rows;
    for (const char* target : {"/..",
                               "/../../etc/passwd",
                               "/%2e%2e/",
                               "/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
                               "/%252e%252e%252fetc/passwd",
                               "/..\\..\\etc\\passwd",
                               "/%5c..%5c",
                               "/%c0%ae%c0%ae/etc/passwd",
                               "/%e0%80%ae/",
                               "/%f0%80%80%ae/",
                               "/%uff0e/",
                               "/a.txt%00.png",
                               "/healthz%00",
                               "//healthz",
                               "/healthz/",
                               "/./healthz",
                               "/%68ealthz/",
                               "/%",
                               "/%4",
                               "/%zz",
                               "/\xFF\xFE",
                               "/%ff",
                               "/%ed%a0%80",
                               "/%0d%0aX:%201",
                               "nothing",
                               "*",
                               "/api",
                               "/api/tracks/",
                               "/api/tracks/%ff",
                               "/api/tracks/1%2fprofile",
                               "/api/tracks/1/../2",
                               "/api/player/stream/",
                               "/api/player/stream/1/",
                               "/api/player/stream/..%2f..%2f..%2fetc%2fpasswd",
                               "/api/player/stream/%2e%2e%2f1.wav",
                               "/api/player/stream//etc/passwd",
                               "/api/player/stream/file:%2f%2f%2fetc%2fpasswd",
                               "/api/player/stream/1%00.wav",
                               "/api/player/stream/1.wav.wav",
                               "/api/player/stream/-1",
                               "/api/player/stream/0",
                               "/api/player/stream/+1",
                               "/api/player/stream/%31.5",
                               "/api/player/stream/0x1",
                               "/api/player/stream/9223372036854775808",
                               "/api/player/stream/99999999999999999999999999",
                               "/api/tracks/1/render/chunks/-1",
                               "/api/tracks/1/render/chunks/9223372036854775808"}) {
        rows.push_back({std::string("path ") + target, head_of("GET", target), 404});
    }
    rows.push_back({"path of 8 kB", head_of("GET", "/s" + repeated("/a", 3900)), 404});
    rows.push_back({"path of 2600 escapes", head_of("GET", "/" + repeated("%2e", 2600)), 404});
    rows.push_back({"escaped own path", head_of("GET", "/%68ealthz"), 200});
    rows.push_back({"absolute form", head_of("GET", "http://localhost/healthz"), 200});
    rows.push_back({"absolute form of elsewhere", head_of("GET", "http://evil.example/healthz"), 421});
    rows.push_back({"absolute form with a user", head_of("GET", "http://evil.example@localhost/healthz"), 421});
    rows.push_back({"absolute form of another scheme", head_of("GET", "gopher://localhost/healthz"), 404});
    rows.push_back({"authority form", head_of("GET", "localhost:80"), 404});
    return rows;
}

inline Rows query_rows() {
    Rows rows;
    for (const std::string& query : {std::string("?colour=red"),
                                     std::string("?intensity=0&intensity=1"),
                                     std::string("?intensity=nan"),
                                     std::string("?intensity=inf"),
                                     std::string("?intensity=-inf"),
                                     std::string("?intensity=1e999"),
                                     std::string("?intensity=-1e-9"),
                                     std::string("?intensity=1.0000001"),
                                     std::string("?intensity=0x1"),
                                     std::string("?intensity=1,0"),
                                     std::string("?intensity=%201"),
                                     std::string("?intensity=1%00"),
                                     std::string("?intensity=") + std::string(6000, '1'),
                                     std::string("?start=-0.1"),
                                     std::string("?start=1e300"),
                                     std::string("?start=NaN"),
                                     std::string("?enhanced=maybe"),
                                     std::string("?enhanced=TRUE"),
                                     std::string("?depth=12"),
                                     std::string("?depth=16%20"),
                                     std::string("?preset=%ff"),
                                     std::string("?preset=%c0%80"),
                                     std::string("?preset=%ed%a0%80"),
                                     std::string("?preset=\xF5\xFF"),
                                     std::string("?preset=%"),
                                     std::string("?preset=%g0"),
                                     std::string("?preset=%0a"),
                                     std::string("?%ff=1"),
                                     std::string("?=1"),
                                     std::string("?token=%ff"),
                                     std::string("?token=a&token=b"),
                                     "?" + repeated("a=1&", 1900),
                                     "?" + repeated("intensity=1&", 600),
                                     "?" + repeated("%61=&", 1500)}) {
        rows.push_back({"query " + query.substr(0, 40), head_of("GET", "/api/player/stream/1" + query), 400});
    }
    for (const char* query : {"?limit=0", "?limit=-1", "?limit=1001", "?limit=1e2", "?limit=99999999999999999999",
                              "?startIndex=-1", "?startIndex=9223372036854775808", "?limit=%2b1"}) {
        rows.push_back({std::string("list ") + query, head_of("GET", std::string("/api/tracks") + query), 400});
    }
    for (const char* query : {"?track=x", "?track=0", "?track=-1", "?track=1;2", "?track=9223372036854775808"}) {
        rows.push_back({std::string("events ") + query, head_of("GET", std::string("/api/events") + query), 400});
    }
    std::string words;
    for (int i = 1000; i < 2500; ++i) words += std::to_string(i) + "+";
    rows.push_back({"1500 words to look for", head_of("GET", "/api/tracks?query=" + words), 200});
    rows.push_back({"1500 words to play", head_of("GET", "/playlist.m3u8?query=" + words), 200});
    rows.push_back({"1900 empty parameters", head_of("GET", "/healthz?" + repeated("&", 1900)), 200});
    return rows;
}

inline Rows body_rows() {
    const auto post = [](const std::string& body, const std::string& type = "application/json") {
        return head_of("POST", "/api/presets",
                       "Content-Type: " + type + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n") +
               body;
    };
    std::string many_keys = "{";
    for (int i = 0; i < 4000; ++i) many_keys += "\"k" + std::to_string(i) + "\":0,";
    Rows rows{
        {"JSON as text", post("{}", "text/plain"), 415},
        {"JSON as a form", post("{}", "application/x-www-form-urlencoded"), 415},
        {"JSON as parts", post("{}", "multipart/form-data; boundary=x"), 415},
        {"JSON by a longer name", post("{}", "application/jsonx"), 415},
        {"no type", head_of("POST", "/api/presets", "Content-Length: 2\r\n") + "{}", 415},
        {"no body", head_of("POST", "/api/presets", "Content-Type: application/json\r\n"), 400},
        {"body of 64 KiB and one", post(std::string(64 * 1024 + 1, ' ')), 413, After::ends},
        {"body of 300 MB", head_of("POST", "/api/presets", "Content-Length: 300000000\r\n"), 413, After::ends},
        {"body that breaks off",
         head_of("POST", "/api/presets", "Content-Type: application/json\r\nContent-Length: 9\r\n") + "{}", 408,
         After::leaves},
        {"30,000 arrays", post(std::string(30'000, '[')), 400},
        {"32,000 arrays, closed", post(std::string(32'000, '[') + std::string(32'000, ']')), 400},
        {"12,000 objects", post(repeated("{\"a\":", 12'000)), 400},
        {"4,000 fields", post(many_keys + "\"k\":0}"), 400},
        {"one field 6,000 times", post("{" + repeated("\"name\":0,", 6000) + "\"name\":0}"), 400},
        {"a text of 60,000 quotes", post("{\"name\":\"" + repeated("\\\"", 30'000) + "\",\"trackId\":0}"), 400},
    };
    for (const char* body : {"",
                             "{",
                             "nul",
                             "null",
                             "[]",
                             "1",
                             "\"a\"",
                             "{}x",
                             "{}{}",
                             "{\"name\":\"a\",\"name\":\"b\",\"trackId\":1}",
                             "{\"name\":\"a\",\"trackId\":1e999}",
                             "{\"name\":\"a\",\"trackId\":NaN}",
                             "{\"name\":\"a\",\"trackId\":Infinity}",
                             "{\"name\":\"a\",\"trackId\":1.5}",
                             "{\"name\":\"a\",\"trackId\":0}",
                             "{\"name\":\"a\",\"trackId\":-1}",
                             "{\"name\":\"a\",\"trackId\":\"1\"}",
                             "{\"name\":\"a\",\"trackId\":[1]}",
                             "{\"name\":\"a\",\"trackId\":true}",
                             "{\"name\":\"a\",\"trackId\":9223372036854775808}",
                             "{\"name\":\"a\",\"trackId\":99999999999999999999999}",
                             "{\"name\":1,\"trackId\":1}",
                             "{\"name\":\"\xFF\",\"trackId\":1}",
                             "{\"name\":\"\xC0\x80\",\"trackId\":1}",
                             "{\"name\":\"\\ud800\",\"trackId\":1}",
                             "{\"name\":\"a\nb\",\"trackId\":1}",
                             "{\"\xFF\":1}",
                             "{\"__proto__\":1}"}) {
        rows.push_back({std::string("JSON ") + body, post(body), 400});
    }
    return rows;
}

inline Rows stranger_rows() {
    const auto post = [](const std::string& further) { return head_of("POST", "/api/tracks/1/render", further); };
    const auto host = [](const std::string& value) { return "GET /healthz HTTP/1.1\r\nHost: " + value + "\r\n\r\n"; };
    return {
        {"rebound name", host("evil.example"), 421},
        {"rebound name with our port", host("evil.example:4747"), 421},
        {"rebound name that begins like us", host("localhost.evil.example"), 421},
        {"rebound name like an address", host("127.0.0.1.evil.example"), 421},
        {"empty host", host(""), 400, After::ends},
        {"list of hosts", host("localhost, evil.example"), 421},
        {"user in the host", host("evil.example@localhost"), 421},
        {"path in the host", host("localhost/evil"), 421},
        {"short address", host("127.1"), 421},
        {"number for an address", host("2130706433"), 421},
        {"rebound change", "POST /api/tracks/1/render HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421},
        {"other site", post("Origin: http://evil.example\r\n"), 403},
        {"other port", post("Origin: http://localhost:1\r\n"), 403},
        {"opaque origin", post("Origin: null\r\n"), 403},
        {"empty origin", post("Origin: \r\n"), 400, After::ends},
        {"file", post("Origin: file://\r\n"), 403},
        {"two origins", post("Origin: http://localhost\r\nOrigin: http://evil.example\r\n"), 400, After::ends},
        {"cross-site", post("Sec-Fetch-Site: cross-site\r\n"), 403},
        {"other port of the site", post("Sec-Fetch-Site: same-site\r\n"), 403},
        {"cross-site form",
         post("Origin: http://evil.example\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n") + "{}", 403},
        {"origin without a host", "POST /api/tracks/1/render HTTP/1.0\r\nOrigin: http://evil.example\r\n\r\n", 403,
         After::ends},
        {"cross-site DELETE", head_of("DELETE", "/api/presets/mine", "Origin: http://evil.example\r\n"), 403},
        {"our own page", post("Origin: http://localhost\r\nSec-Fetch-Site: same-origin\r\n"), 202},
        {"no page at all", post("Sec-Fetch-Site: none\r\n"), 202},
    };
}

inline Rows range_rows() {
    const auto ranged = [](const std::string& value, const std::string& further = "") {
        return head_of("GET", "/api/player/stream/1", "Range: " + value + "\r\n" + further);
    };
    std::string disjoint = "bytes=";
    for (int i = 0; i < 500; ++i) disjoint += std::to_string(i) + "-" + std::to_string(i) + ",";
    return {
        {"past the end", ranged("bytes=99999999-"), 416, After::goes_on, "Content-Range: bytes */"},
        {"far past the end", ranged("bytes=18446744073709551615-"), 416},
        {"beyond 64 bits", ranged("bytes=99999999999999999999999-"), 416},
        {"end past the end", ranged("bytes=900-99999999999"), 206},
        {"end beyond 64 bits", ranged("bytes=0-18446744073709551616"), 206},
        {"one byte", ranged("bytes=0-0"), 206, After::goes_on, "Content-Length: 1\r\n"},
        {"long suffix", ranged("bytes=-99999999999999999999"), 206},
        {"empty suffix", ranged("bytes=-0"), 416},
        {"HEAD past the end", head_of("HEAD", "/api/player/stream/1", "Range: bytes=99999999-\r\n"), 200},
        {"nothing", ranged("bytes="), 200},
        {"only a dash", ranged("bytes=-"), 200},
        {"backwards", ranged("bytes=9-1"), 200},
        {"negative", ranged("bytes=--1"), 200},
        {"signed", ranged("bytes=+0-1"), 200},
        {"hexadecimal", ranged("bytes=0x0-0x9"), 200},
        {"other unit", ranged("items=0-1"), 200},
        {"no unit", ranged("0-1"), 200},
        {"two headers", ranged("bytes=0-1", "Range: bytes=2-3\r\n"), 200},
        {"of 9 parts", ranged("bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16"), 200},
        {"of 500 parts", ranged(disjoint), 200},
        {"of 2,000 equal parts", ranged("bytes=" + repeated("0-,", 2000)), 200},
        {"of 7,000 commas", ranged("bytes=" + std::string(7000, ',')), 200},
        {"three that overlap", ranged("bytes=0-,0-,0-"), 200},
        {"stale If-Range", ranged("bytes=0-1", "If-Range: \"stale\"\r\n"), 200},
        {"weak If-Range", ranged("bytes=0-1", "If-Range: W/\"one\"\r\n"), 200},
        {"unended tag", head_of("GET", "/api/player/stream/1", "If-Match: \"one\r\n"), 412},
        {"forged guard", head_of("GET", "/api/player/stream/1", "Lacquer-Guarded-Range: bytes=0-1\r\n"), 200},
    };
}

}  // namespace lacquer::test
