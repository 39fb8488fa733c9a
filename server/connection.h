// One accepted socket: heads in, bytes out, with every wait bounded.
//
// Threads: one, except that another may ::shutdown() the descriptor, which ends every wait here.
// Memory:  at most max_head_bytes and one read of 4 KiB beyond it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace lacquer::server {

class Connection {
public:
    using Milliseconds = std::chrono::milliseconds;

    Connection(int descriptor, Milliseconds write_timeout);
    ~Connection();  // closes
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Waits for the first byte of a request, without spinning. False: closed, or nothing came but empty lines.
    bool wait_for_request(Milliseconds patience);

    enum class Head { complete, closed, too_slow, too_large };
    // Reads one head; what was read beyond it is kept for the next. Bounded by max_head_bytes and by `patience` as a
    // whole.
    Head read_head(std::string& head, Milliseconds patience);
    // Reads a request body. False: it did not all come in time.
    bool read_body(std::string& body, std::uint64_t bytes, Milliseconds patience);
    // Reads and forgets one.
    bool skip_body(std::uint64_t bytes, Milliseconds patience);

    // False when the client is gone, or took nothing for the write timeout.
    bool write(std::span<const std::byte> bytes);
    bool write(std::string_view text);
    // Until a good part of the send buffer is free; false as with write().
    bool wait_until_writable() const;

    // Whether somebody may still read what we write. A client that only closed its sending side counts as present once
    // it took bytes afterwards, for one second otherwise: a FIN alone does not tell a half-closed from a closed one.
    bool peer_is_present();
    // Bytes that a client must skip (an interim response). Sent once by peer_is_present() to a client that closed its
    // sending side: if it is gone altogether, they are answered with a reset. Empty: none.
    void set_probe(std::string_view probe) { probe_ = probe; }

    // Ends without a clean close: the client sees a broken transfer.
    void reset();
    // Lets the client read the answer although it still sends: closing at once would reset the connection.
    void close_gently();

private:
    bool wait(short events, std::chrono::steady_clock::time_point deadline) const;
    bool receive(std::chrono::steady_clock::time_point deadline);
    template <typename Take>
    bool take_body(std::uint64_t bytes, Milliseconds patience, Take take);

    int descriptor_;
    Milliseconds write_timeout_;
    std::string received_;
    std::string_view probe_;
    std::uint64_t written_bytes_ = 0;
    std::uint64_t written_at_half_close_ = 0;
    std::chrono::steady_clock::time_point half_closed_at_;
    bool is_half_closed_ = false;
    bool input_ended_ = false;
};

}  // namespace lacquer::server
