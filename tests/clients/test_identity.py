"""A chunk is a pure function: however, whenever and by how many workers it is rendered, the bytes are the same."""

import random
import subprocess
import unittest

from harness import LACQUER, Daemon, SystemTest, run

PRESETS = ["adaptive", "night"]
RANGES = 50


class Identity(SystemTest):
    def ranges(self, size, seed):
        """50 ranges in random order that together cover the file."""
        generator = random.Random(seed)
        cuts = sorted({0, size, *generator.sample(range(1, size), RANGES - 1)})
        pieces = list(zip(cuts, cuts[1:]))
        generator.shuffle(pieces)
        return pieces

    def fetch_in_pieces(self, daemon, path, seed=20261120):
        size = int(self.head(daemon, path)["Content-Length"])
        result = bytearray(size)
        for first, end in self.ranges(size, seed):
            piece = daemon.get(path, {"Range": f"bytes={first}-{end - 1}"})
            self.assertEqual(len(piece), end - first)
            result[first:end] = piece
        return bytes(result)

    def head(self, daemon, path):
        lines = run("curl", "-sSfI", daemon.url + path).decode().splitlines()
        return dict(line.split(": ", 1) for line in lines if ": " in line)

    def test_front_to_back_and_by_50_random_ranges_with_1_and_2_workers(self):
        for name in ["music.wav", "music.flac", "music.mp3", "music.ogg"]:
            for preset in PRESETS:
                with Daemon(self.music, self.scratch / f"{name}{preset}a", "--workers", "1") as daemon:
                    path = f"/api/player/stream/{daemon.tracks()[name]['id']}.wav?preset={preset}"
                    whole = daemon.get(path)
                with Daemon(self.music, self.scratch / f"{name}{preset}b", "--workers", "2") as daemon:
                    pieces = self.fetch_in_pieces(daemon, path)
                self.assertTrue(whole == pieces, f"{name} {preset}: the bytes differ")

    def test_every_instruction_set_measures_derives_and_renders_the_same(self):
        refusal = subprocess.run([LACQUER, "config", "print", "--simd", "none"], capture_output=True, text=True)
        self.assertEqual(refusal.returncode, 2)
        sets = [name for name in ["scalar", "ssse3", "sse4", "avx2", "avx3", "neon"] if name in refusal.stderr]
        self.assertTrue(sets, refusal.stderr)
        answers = {}
        for simd in sets:
            with Daemon(self.music, self.scratch / simd, "--simd", simd) as daemon:
                path = f"/api/player/stream/{daemon.tracks()['music.flac']['id']}?preset=warm"
                answers[simd] = (self.head(daemon, path)["ETag"], daemon.get(path))
        self.assertEqual(len(set(answers.values())), 1, {simd: answer[0] for simd, answer in answers.items()})
        print(f"the same {len(answers[sets[0]][1])} bytes and ETag from measuring on: {', '.join(sets)}")

    def test_after_a_restart_the_same_bytes_come_without_rendering(self):
        with Daemon(self.music, self.scratch / "d") as daemon:
            path = f"/api/player/stream/{daemon.tracks()['music.flac']['id']}"
            before = daemon.get(path)
            etag = self.head(daemon, path)["ETag"]
        with Daemon(self.music, self.scratch / "d") as daemon:
            headers = self.head(daemon, path)
            self.assertEqual(headers["X-Audio-Status"], "complete")
            self.assertEqual(headers["ETag"], etag)
            self.assertTrue(daemon.get(path) == before)
            self.assertEqual(daemon.rendered(), 0)

    def test_the_chunks_concatenated_are_the_stream(self):
        with Daemon(self.music, self.scratch / "d") as daemon:
            track = daemon.tracks()["music.flac"]["id"]
            manifest = daemon.json(f"/api/tracks/{track}/render")
            chunks = [daemon.get(f"/api/tracks/{track}/render/chunks/{n}") for n in range(manifest["totalChunks"])]
            self.assertGreater(len(chunks), 2)
            self.assertTrue(b"".join(chunk[44:] for chunk in chunks) == daemon.get(f"/api/player/stream/{track}")[44:])
            manifest = daemon.json(f"/api/tracks/{track}/render")
            self.assertEqual(manifest["status"], "complete")
            self.assertEqual(manifest["chunkSizes"], [len(chunk) - 44 for chunk in chunks])

    def test_available_is_the_beginning_of_the_stream_and_never_waits(self):
        with Daemon(self.music, self.scratch / "d") as daemon:
            track = daemon.tracks()["music.wav"]["id"]
            path = f"/api/player/stream/{track}"
            daemon.get(path, {"Range": "bytes=0-99"})
            daemon.wait(lambda: daemon.json(f"/api/tracks/{track}/render")["status"] == "complete", "background render")
            ready = daemon.get(path + "?available=true")
            self.assertTrue(ready == daemon.get(path))


if __name__ == "__main__":
    unittest.main()
