"""A damaged database, found at the start or while running: the daemon lives, says so, and serves the same bytes again.
And what nobody can ask for any more, swept at the start."""

import hashlib
import os
import time
import unittest

from harness import Daemon, SystemTest

GRID = ["--chunk.body", 10, "--chunk.overlap", 1, "--chunk.context", 2, "--log-level", "info"]


class DamagedDatabase(SystemTest):
    def daemon(self, name="daemon"):
        return Daemon(self.music, self.scratch / name, *GRID)

    def database(self, name="daemon"):
        return self.scratch / name / "state" / "library.db"

    def digest(self, daemon):
        track = daemon.tracks()["music.ogg"]
        return hashlib.sha256(daemon.get(f"/api/player/stream/{track['id']}.wav")).hexdigest()

    def begin(self, name="daemon"):
        with self.daemon(name) as daemon:
            daemon.wait_measured()
            return self.digest(daemon), set(daemon.tracks())

    def moved_aside(self, name="daemon"):
        return [file for file in self.database(name).parent.iterdir()
                if ".damaged-" in file.name and not file.name.endswith(("-wal", "-shm"))]

    def test_found_at_the_start(self):
        digest, names = self.begin()
        healthy = self.database().read_bytes()
        for damage in ["empty", "foreign", "cut", "page", "header", "directory"]:
            with self.subTest(damage):
                self.database().unlink()
                if damage == "directory":
                    self.database().mkdir()
                else:
                    self.database().write_bytes({
                        "empty": b"", "foreign": b"<html>" * 4000, "cut": healthy[:len(healthy) // 2],
                        "page": healthy[:8192] + bytes(4096) + healthy[12288:], "header": b"X" + healthy[1:]}[damage])
                with self.daemon() as daemon:
                    said = "library.db was empty" if damage == "empty" else "library.db was damaged"
                    self.assertIn(said, daemon.log_text())
                    self.assertEqual(set(daemon.tracks()), names)
                    self.assertEqual(self.digest(daemon), digest)
                with self.daemon() as daemon:
                    self.assertNotIn("was damaged", daemon.log_text())
        self.assertEqual(len([file for file in self.moved_aside() if file.is_file()]), 2, "the newest two are kept")

    def test_found_while_running(self):
        digest, names = self.begin()
        with self.daemon() as daemon:
            track = daemon.tracks()["music.wav"]["id"]
            with open(self.database(), "r+b") as file:
                file.seek(4096)
                file.write(b"\x5a" * (self.database().stat().st_size - 4096))

            def repaired():
                for path in ["/api/tracks", f"/api/player/stream/{track}.wav?intensity=0", "/api/presets"]:
                    daemon.get(path, {"Range": "bytes=0-99"}, allow_error=True)
                return "found while running" in daemon.log_text()

            daemon.wait(repaired, "repair", 120)
            daemon.wait(lambda: set(daemon.tracks()) == names, "every track", 60)
            self.assertEqual(self.digest(daemon), digest)
            self.assertEqual(daemon.json("/healthz")["status"], "ok")
        with self.daemon() as daemon:
            self.assertNotIn("was damaged", daemon.log_text())
            self.assertEqual(set(daemon.tracks()), names)


class Leftovers(SystemTest):
    def test_chunks_of_another_engine_and_damaged_databases_are_swept_and_counted(self):
        folder = self.scratch / "daemon"
        with Daemon(self.music, folder, *GRID) as daemon:
            daemon.get(f"/api/player/stream/{daemon.tracks()['music.ogg']['id']}.wav")
            daemon.wait(lambda: daemon.json("/healthz")["cache"]["entries"] >= 9, "every chunk")
            self.assertEqual(set(daemon.json("/healthz")["cache"]["swept"].values()), {0})
        yesterday = time.time() - 25 * 3600
        chunks = [file for file in (folder / "cache").rglob("*") if file.suffix in (".chunk", ".kept")]
        for file in chunks:
            os.utime(file, (yesterday, yesterday))
        for year in (2023, 2024, 2025):  # the oldest is the last that a sweep removes: then the chunks were looked at
            (folder / "state" / f"library.db.damaged-{year}0101T000000Z").write_bytes(b"damaged")
        with Daemon(self.music, folder, *GRID) as daemon:
            daemon.wait(lambda: any(daemon.json("/healthz")["cache"]["swept"].values()), "sweep")
            self.assertEqual(daemon.json("/healthz")["cache"]["swept"],
                             {"chunks": 0, "files": 0, "libraryRows": 0, "damagedDatabases": 1})
            self.assertEqual(daemon.json("/healthz")["cache"]["entries"], len(chunks))
        with Daemon(self.music, folder, "--chunk.body", 11, *GRID[2:]) as daemon:
            daemon.wait(lambda: daemon.json("/healthz")["cache"]["swept"]["chunks"] == len(chunks), "sweep")
            self.assertEqual(daemon.json("/healthz")["cache"]["bytes"], 0)
            self.assertEqual([file for file in (folder / "cache").rglob("*") if file.is_file()], [folder / "cache/lock"])
            daemon.wait(lambda: f"swept: {len(chunks)} chunks" in daemon.log_text(), "line in the log")


if __name__ == "__main__":
    unittest.main()
