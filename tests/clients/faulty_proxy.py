"""An HTTP proxy on loopback between a player and the daemon that spoils the transport on purpose and nothing else: bytes
that pass are the daemon's."""

import dataclasses
import socket
import struct
import threading
import time
import urllib.parse

PIECE_BYTES = 16 * 1024
SLOW_BYTES_PER_SECOND = 200_000


@dataclasses.dataclass
class Fault:
    """Byte counts are of the body. Cutting, stalling and slowness happen once, to the first response that gets so far: a
    player may open an address twice before it plays."""
    close_after_bytes: int = None    # the connection ends as if the server were done
    reset_after_bytes: int = None    # the same with a TCP reset
    stall_after_bytes: int = None
    stall_seconds: float = 0.0
    slow_after_bytes: int = None     # from there on hardly faster than it is listened to
    first_byte_seconds: float = 0.0  # every response waits so long
    content_type: str = None         # what every response claims to be

    def marks(self):
        marks = [self.close_after_bytes, self.reset_after_bytes, self.stall_after_bytes, self.slow_after_bytes]
        return [mark for mark in marks if mark is not None]


@dataclasses.dataclass
class Exchange:
    method: str
    range: str
    status: int
    body_bytes: int = 0  # passed on
    spoiled: bool = False  # this is the one that was cut, stalled or slowed


class Cut(Exception):
    pass


class FaultyProxy:
    """Threads: one that accepts and one for each connection; all end with close()."""

    def __init__(self, upstream_url, fault=None, when_cut=None):
        self.upstream_url = upstream_url  # may be changed at any time: the next request goes there
        self.fault = fault or Fault()
        self.when_cut = when_cut or (lambda: None)
        self.exchanges = []
        self.lock = threading.Lock()
        self.spoiled = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=[client], daemon=True).start()

    def serve(self, client):
        with client:
            try:
                while self.exchange(client):
                    pass
            except (Cut, OSError):
                pass  # one of the two sides is gone: so is the other one's connection

    def exchange(self, client):
        head = read_head(client)
        if not head:
            return False
        upstream = urllib.parse.urlsplit(self.upstream_url)
        with socket.create_connection((upstream.hostname, upstream.port), timeout=120) as server:
            server.sendall(with_field(head, "Host", upstream.netloc))
            answer = read_head(server)
            exchange = self.note(head, answer)
            time.sleep(self.fault.first_byte_seconds)
            if self.fault.content_type:
                answer = with_field(answer, "Content-Type", self.fault.content_type)
            client.sendall(answer)
            if has_body(exchange, answer):
                self.pass_body(server, client, int(field(answer, "Content-Length")), exchange)
        return (field(head, "Connection") or "").lower() != "close"

    def note(self, head, answer):
        exchange = Exchange(head.split(b" ")[0].decode(), field(head, "Range"), int(answer.split(b" ")[1]))
        with self.lock:
            self.exchanges.append(exchange)
        return exchange

    def pass_body(self, server, client, length, exchange):
        while exchange.body_bytes < length:
            done = exchange.body_bytes
            if done in self.fault.marks() and self.is_first_here(exchange):
                self.spoil(client, done)
            ends = [mark - done for mark in self.fault.marks() if mark > done]
            piece = server.recv(min([PIECE_BYTES, length - done, *ends]))
            if not piece:
                reset(client)
                raise Cut
            client.sendall(piece)
            exchange.body_bytes += len(piece)
            if exchange.spoiled and self.fault.slow_after_bytes is not None:
                time.sleep(len(piece) / SLOW_BYTES_PER_SECOND)

    def is_first_here(self, exchange):
        with self.lock:
            exchange.spoiled = not any(other.spoiled for other in self.exchanges)
            return exchange.spoiled

    def spoil(self, client, done):
        self.spoiled.set()
        if done == self.fault.stall_after_bytes:
            time.sleep(self.fault.stall_seconds)
        if done in (self.fault.close_after_bytes, self.fault.reset_after_bytes):
            self.when_cut()
            if done == self.fault.reset_after_bytes:
                reset(client)
            raise Cut


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def read_head(connection):
    """Up to and with the empty line; b"" when the other side has ended. Byte by byte, so that no body is taken along."""
    head = bytearray()
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            return b""
        head += byte
    return bytes(head)


def field(head, name):
    for line in head.decode("latin-1").split("\r\n")[1:]:
        if line.lower().startswith(name.lower() + ":"):
            return line.split(":", 1)[1].strip()
    return None


def with_field(head, name, value):
    lines = head.decode("latin-1").split("\r\n")
    kept = [line for line in lines[1:-2] if not line.lower().startswith(name.lower() + ":")]
    return "\r\n".join([lines[0], *kept, f"{name}: {value}", "", ""]).encode("latin-1")


def has_body(exchange, answer):
    return exchange.method != "HEAD" and exchange.status not in (204, 304) and field(answer, "Content-Length")
