"""Memory while a long track that nobody heard before is streamed: 10 minutes, or 2 hours with LACQUER_LONG=1."""

import os
import threading
import unittest
import urllib.request

from harness import Daemon, SystemTest, run

SECONDS = 7200 if os.environ.get("LACQUER_LONG") else 605
GROWTH_BAR_BYTES = 15_000_000


class Memory(SystemTest):
    def test_streaming_a_long_track_grows_resident_memory_by_at_most_15_mb(self):
        folder = self.scratch / "long"
        folder.mkdir()
        run("ffmpeg", "-v", "error", "-y", "-stream_loop", "-1", "-i", self.music / "music.flac", "-t", SECONDS,
            folder / "long.flac")
        with Daemon(folder, self.scratch / "daemon", "--cache-size", "300MB") as daemon:
            daemon.wait_measured()
            idle = daemon.resident_bytes()
            peak = idle
            done = threading.Event()

            def watch():
                nonlocal peak
                while not done.wait(0.05):
                    peak = max(peak, daemon.resident_bytes())

            watcher = threading.Thread(target=watch)
            watcher.start()
            received = 0
            with urllib.request.urlopen(daemon.stream_url(daemon.tracks()["long.flac"]["id"]), timeout=120) as answer:
                expected = int(answer.headers["Content-Length"])
                while piece := answer.read(1 << 20):
                    received += len(piece)
            done.set()
            watcher.join()
            print(f"\n{SECONDS} s streamed: idle {idle / 1e6:.1f} MB, peak {peak / 1e6:.1f} MB, growth {(peak - idle) / 1e6:.1f} MB")
            self.assertEqual(received, expected)
            self.assertLessEqual(peak - idle, GROWTH_BAR_BYTES)


if __name__ == "__main__":
    unittest.main()
