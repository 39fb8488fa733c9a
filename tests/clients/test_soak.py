"""Listeners that come, seek, switch presets and vanish, on a cache far too small for them: one minute, or ten with
LACQUER_LONG=1. Every byte is right, and memory, threads and descriptors end where they began."""

import os
import random
import socket
import struct
import threading
import time
import unittest

import numpy

from harness import Daemon, SystemTest

SECONDS = 600 if os.environ.get("LACQUER_LONG") else 60
WARM_UP_SECONDS = SECONDS / 4
SLOPE_BAR_KIB_PER_MINUTE = 400 if os.environ.get("LACQUER_LONG") else 4000  # a render more or less is 6,000
LEFT_BEHIND_KIB = 5000
CHOICES = ["", "?preset=warm", "?preset=night&intensity=0.5", "?intensity=0"]
LISTENERS, VISITORS, SUBSCRIBERS = 6, 2, 3
SEED = 4


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def vanish(connection, by_reset):
    """Closes with a FIN, or with a reset."""
    if by_reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def ask(connection, method, path, headers=""):
    """Sends a request; returns the status and what came of the body with the head."""
    connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = connection.recv(4096)
        if not piece:
            raise ConnectionError(f"{path} was not answered")
        answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


class Soak(SystemTest):
    def actor(self, act, number):
        random_numbers = random.Random(SEED * 1000 + number)
        try:
            while not self.over.is_set():
                act(random_numbers)
        except Exception as error:  # the thread's end must be seen by the test
            self.errors.append(f"{act.__name__}: {error!r}")
            self.over.set()

    def listen(self, numbers):
        """Seeks somewhere, reads some of it, perhaps to the end, compares, and leaves one way or another."""
        path = numbers.choice(list(self.bodies))
        body = self.bodies[path]
        at = numbers.randrange(len(body))
        end = min(len(body), at + numbers.choice([1, 50_000, 2_000_000, 20_000_000]))
        connection = connect(self.port)
        status, got = ask(connection, "GET", path, f"Range: bytes={at}-\r\n")
        self.assertEqual(status, 206, path)
        received = bytearray(got)
        while len(received) < end - at:
            piece = connection.recv(1 << 16)
            self.assertTrue(piece, f"{path} from {at} was cut short after {len(received)}")
            received += piece
        self.assertTrue(received == body[at:at + len(received)], f"{path} from {at}: wrong bytes")
        vanish(connection, numbers.random() < 0.5)
        self.visits += 1

    def visit(self, numbers):
        """Asks for this and that on one connection; leaves in the middle of a request now and then."""
        connection = connect(self.port)
        track = numbers.choice(self.tracks)
        for method, path in [("HEAD", f"/api/player/stream/{track}.wav"), ("HEAD", f"/api/tracks/{track}/render"),
                             ("HEAD", "/playlist.m3u8"), ("HEAD", "/api/tracks"), ("HEAD", "/healthz")]:
            status, _ = ask(connection, method, path)
            self.assertEqual(status, 200, path)
        connection.sendall(b"GET /api/player/stream/")
        vanish(connection, numbers.random() < 0.5)
        time.sleep(0.05)

    def subscribe(self, numbers):
        """Follows the events for a while; every other subscriber never reads."""
        connection = connect(self.port)
        status, _ = ask(connection, "GET", "/api/events")
        self.assertEqual(status, 200)
        until = time.monotonic() + numbers.uniform(0.1, 5)
        reads = numbers.random() < 0.5
        connection.settimeout(0.2)
        while time.monotonic() < until and not self.over.is_set():
            try:
                connection.recv(4096) if reads else time.sleep(0.2)
            except TimeoutError:
                pass
        vanish(connection, numbers.random() < 0.5)

    def resident_over_time(self):
        begin, samples = time.monotonic(), []
        while time.monotonic() < begin + SECONDS and not self.over.wait(0.25):
            samples.append((time.monotonic() - begin, self.daemon.resident_bytes() / 1024))
        return numpy.array(samples)

    def back_to(self, idle):
        now = self.daemon.process_figures()
        return all(now[name] <= idle[name] for name in ("threads", "descriptors")) and \
            now["rss_kib"] <= idle["rss_kib"] + LEFT_BEHIND_KIB

    def test_memory_stays_flat_and_everything_is_given_back(self):
        self.daemon = Daemon(self.music, self.scratch / "daemon", "--cache-size", "60MB")
        self.addCleanup(self.daemon.stop)
        self.daemon.wait_measured()
        self.port = int(self.daemon.url.rsplit(":", 1)[1])
        self.tracks = [track["id"] for track in self.daemon.tracks().values()]
        self.bodies = {path: self.daemon.get(path) for track in self.tracks[:2] for choice in CHOICES
                       for path in [f"/api/player/stream/{track}.wav{choice}"]}
        self.over, self.errors, self.visits = threading.Event(), [], 0
        idle = self.daemon.process_figures()
        actors = [self.listen] * LISTENERS + [self.visit] * VISITORS + [self.subscribe] * SUBSCRIBERS
        threads = [threading.Thread(target=self.actor, args=(act, i)) for i, act in enumerate(actors)]
        for thread in threads:
            thread.start()
        samples = self.resident_over_time()
        self.over.set()
        for thread in threads:
            thread.join()
        self.assertEqual(self.errors, [])

        settled = samples[samples[:, 0] >= WARM_UP_SECONDS]
        slope_per_minute = 60 * numpy.polyfit(settled[:, 0], settled[:, 1], 1)[0]
        cache = self.daemon.json("/healthz")["cache"]
        print(f"\n{SECONDS} s: {self.visits} listens, {cache['evictions']} evictions; resident {settled[:, 1].min():.0f} to "
              f"{settled[:, 1].max():.0f} KiB, slope {slope_per_minute:.0f} KiB/min; idle {idle}")
        self.assertLess(slope_per_minute, SLOPE_BAR_KIB_PER_MINUTE)
        self.assertGreater(cache["evictions"], 20)
        self.assertEqual(cache["corrupt"], 0)
        self.daemon.wait(lambda: self.back_to(idle), f"return to {idle}: {self.daemon.process_figures()}")


if __name__ == "__main__":
    unittest.main()
