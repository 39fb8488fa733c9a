// Who may ask: the Host header (against DNS rebinding), Origin and Sec-Fetch-Site of what changes something (against
// other sites in the same browser), and the token.
//
// Threads: check() may be called from many at once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/request.h"

namespace lacquer::server {

bool is_loopback_host(std::string_view host);  // "localhost", 127.0.0.0/8, "::1"

class Access {
public:
    // Throws std::runtime_error when `listen_host` is not loopback and `token` is empty.
    Access(const std::string& listen_host, std::string token, std::vector<std::string> public_hosts);

    // Throws HttpError 421 for a foreign Host, 403 for a foreign Origin or site, 401 without the token where one is
    // set.
    void check(const Request& request) const;

    // For URLs in playlists: opens streams only. Empty when no token is set.
    const std::string& stream_token() const { return stream_token_; }

private:
    bool is_own_host(std::string_view host) const;
    void check_site(const Request& request, std::string_view authority) const;
    void check_token(const Request& request) const;
    bool opens(std::string_view presented, const Request& request) const;

    std::string token_;
    std::string stream_token_;
    std::vector<std::string> names_;  // localhost, the machine's own, the public ones
};

}  // namespace lacquer::server
