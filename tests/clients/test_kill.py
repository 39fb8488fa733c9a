"""kill -9 at any moment, while a small cache renders and evicts for clients that read: whoever comes after serves the same
bytes from a directory with nothing foreign in it. 20 rounds, or 200 with LACQUER_LONG=1."""

import hashlib
import os
import random
import threading
import unittest
import urllib.error
import urllib.request

from harness import Daemon, SystemTest

ROUNDS = 200 if os.environ.get("LACQUER_LONG") else 20
SEED = int(os.environ.get("LACQUER_SEED", 20261120))
CAPACITY = 4_000_000  # a chunk takes 1.1 to 1.3 MB, so that three of them fill it
GRID = ["--chunk.body", 5, "--chunk.overlap", 1, "--chunk.context", 1]
PRESETS = ["adaptive", "night"]
SLICE = 300_000
PAGE = 4096


class Killable(Daemon):
    def kill(self):
        self.process.kill()
        self.process.wait(timeout=30)
        self.log.close()


class Reader(threading.Thread):
    """Reads slices of random tracks until the daemon is gone; notes every one that differs."""

    def __init__(self, url, wanted, seed):
        super().__init__()
        self.url, self.wanted, self.random = url, wanted, random.Random(seed)
        self.slices, self.wrong = 0, []

    def run(self):
        paths = sorted(self.wanted)
        while True:
            path = self.random.choice(paths)
            whole = self.wanted[path]
            first = self.random.randrange(len(whole) - SLICE)
            request = urllib.request.Request(self.url + path, headers={"Range": f"bytes={first}-{first + SLICE - 1}"})
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    data = answer.read()
            except (OSError, urllib.error.URLError, EOFError, ValueError):
                return  # killed
            except Exception as error:  # http.client's own, for what was cut
                if type(error).__module__ != "http.client":
                    raise
                return
            if data != whole[first:first + len(data)]:
                self.wrong.append((path, first))
            self.slices += 1


class Kill(SystemTest):
    def daemon(self, name, capacity):
        return Killable(self.music, self.scratch / name, *GRID, "--cache-size", capacity, "--workers", 2, "--log-level", "info")

    def undisturbed(self):
        """Every stream, from a daemon that lives and has room."""
        with self.daemon("undisturbed", "1GB") as daemon:
            daemon.wait_measured()
            tracks = daemon.tracks()
            paths = [f"/api/player/stream/{tracks[name]['id']}.wav?preset={preset}"
                     for name in ["music.wav", "music.ogg"] for preset in PRESETS]
            return {path: daemon.get(path) for path in paths}, self.identities(tracks)

    @staticmethod
    def identities(tracks):
        return {name: (track["id"], track["contentId"], track["measured"]) for name, track in tracks.items()}

    def files(self, folder):
        return [file for file in (folder / "cache").rglob("*") if file.is_file() and file.name != "lock"]

    def check_directory(self, daemon):
        """Before anybody asks for anything: nothing but chunks, below the cap, counted exactly."""
        files = self.files(daemon.folder)
        self.assertEqual({file.suffix for file in files} - {".chunk", ".kept"}, set())
        on_disk = sum(-(-file.stat().st_size // PAGE) * PAGE for file in files)
        cache = daemon.json("/healthz")["cache"]
        self.assertEqual(cache["bytes"], on_disk)
        self.assertEqual(cache["entries"], len(files))
        self.assertLessEqual(on_disk, CAPACITY)
        self.assertEqual(cache["corrupt"], 0)

    def check_bytes(self, daemon, wanted, generator):
        path = generator.choice(sorted(wanted))
        first = generator.randrange(len(wanted[path]) - 2 * SLICE)
        data = daemon.get(path, {"Range": f"bytes={first}-{first + 2 * SLICE - 1}"})
        self.assertEqual(hashlib.sha256(data).digest(), hashlib.sha256(wanted[path][first:first + 2 * SLICE]).digest())

    def test_whoever_comes_after_a_kill_finds_all_sound(self):
        wanted, identities = self.undisturbed()
        generator = random.Random(SEED)
        with self.daemon("killed", CAPACITY) as daemon:
            daemon.wait_measured()
        slices = kills_while_writing = evicting = 0
        for number in range(ROUNDS):
            with self.subTest(round=number, seed=SEED):
                daemon = self.daemon("killed", CAPACITY)
                self.check_directory(daemon)
                self.assertEqual(self.identities(daemon.tracks()), identities)
                self.check_bytes(daemon, wanted, generator)
                readers = [Reader(daemon.url, wanted, generator.random()) for _ in range(3)]
                for reader in readers:
                    reader.start()
                readers[0].join(generator.uniform(0.02, 0.4))
                cache = daemon.json("/healthz")["cache"]
                self.assertLessEqual(cache["bytes"], CAPACITY)
                evicting += cache["evictions"] > 0
                daemon.kill()
                for reader in readers:
                    reader.join(60)
                    self.assertEqual(reader.wrong, [])
                    slices += reader.slices
                kills_while_writing += any(file.suffix == ".tmp" for file in self.files(daemon.folder))
        with self.daemon("killed", CAPACITY) as daemon:
            self.check_directory(daemon)
            for path, whole in sorted(wanted.items()):
                self.assertEqual(hashlib.sha256(daemon.get(path)).digest(), hashlib.sha256(whole).digest(), path)
        print(f"\n{ROUNDS} kills, seed {SEED}: {slices} slices right, {evicting} while evicting, "
              f"{kills_while_writing} left a file half written")
        self.assertGreater(evicting, ROUNDS // 2, "else this proves little")
        self.assertGreater(slices, ROUNDS)


if __name__ == "__main__":
    unittest.main()
