#include <cstdlib>
#include <memory>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "src/player/url_fetch.h"
#include "tests/support/temp_dir.h"

namespace lacquer::player {
namespace {

using testing::HasSubstr;

// An HTTPS server for "localhost" whose certificate vouches for itself.
class TlsServer {
public:
    explicit TlsServer(const std::filesystem::path& certificate_file) {
        key_ = EVP_RSA_gen(2048);
        certificate_ = X509_new();
        X509_set_version(certificate_, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate_), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate_), -60);
        X509_gmtime_adj(X509_getm_notAfter(certificate_), 3600);
        X509_set_pubkey(certificate_, key_);
        X509_NAME* name = X509_get_subject_name(certificate_);
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1,
                                   -1, 0);
        X509_set_issuer_name(certificate_, name);
        X509_sign(certificate_, key_, EVP_sha256());
        FILE* file = std::fopen(certificate_file.c_str(), "w");
        PEM_write_X509(file, certificate_);
        std::fclose(file);
        server_ = std::make_unique<httplib::SSLServer>(certificate_, key_);
        server_->Get("/a.wav",
                     [](const auto&, auto& answer) { answer.set_content(std::string(1'000'000, 'x'), "audio/wav"); });
        server_->Get("/down", [](const auto&, auto& answer) { answer.set_redirect("http://localhost:1/"); });
        port_ = server_->bind_to_any_port("127.0.0.1");
        thread_ = std::thread([this] { server_->listen_after_bind(); });
        while (!server_->is_running()) std::this_thread::yield();
    }
    ~TlsServer() {
        server_->stop();
        thread_.join();
        X509_free(certificate_);
        EVP_PKEY_free(key_);
    }
    Url url(const std::string& host, const std::string& target) const {
        return parse_url("https://" + host + ":" + std::to_string(port_) + target).value();
    }

private:
    EVP_PKEY* key_ = nullptr;
    X509* certificate_ = nullptr;
    std::unique_ptr<httplib::SSLServer> server_;
    int port_ = 0;
    std::thread thread_;
};

class UrlFetchTlsTest : public testing::Test {
protected:
    ~UrlFetchTlsTest() override { ::unsetenv("SSL_CERT_FILE"); }
    void trust_it() { ::setenv("SSL_CERT_FILE", (folder / "certificate").c_str(), 1); }
    std::string error_of(const Url& url) const {
        FetchOptions options;
        options.wait = [](auto) {};
        try {
            return fetch_text(url, options).text.substr(0, 1);
        } catch (const FetchError& error) {
            return error.what();
        }
    }

    test::TempDir folder;
    TlsServer server{folder / "certificate"};
};

TEST_F(UrlFetchTlsTest, WhatACertificateVouchesForIsFetched) {
    trust_it();
    const FetchedFile got = fetch_to_file(server.url("localhost", "/a.wav"), folder / "got");
    EXPECT_EQ(got.bytes, 1'000'000u);
    EXPECT_EQ(got.content_type, "audio/wav");
}

TEST_F(UrlFetchTlsTest, ACertificateThatNobodyVouchesForIsRefused) {
    EXPECT_THAT(error_of(server.url("localhost", "/a.wav")), HasSubstr("no trusted connection to localhost"));
}

TEST_F(UrlFetchTlsTest, ACertificateForAnotherHostIsRefused) {
    trust_it();
    EXPECT_THAT(error_of(server.url("127.0.0.1", "/a.wav")), HasSubstr("no trusted connection to 127.0.0.1"));
}

TEST_F(UrlFetchTlsTest, ARedirectFromHttpsToHttpIsRefused) {
    trust_it();
    EXPECT_THAT(error_of(server.url("localhost", "/down")), HasSubstr("redirected from https to http"));
}

}  // namespace
}  // namespace lacquer::player
