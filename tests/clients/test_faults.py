"""Faults of files under the real daemon: what the listener gets, and what is counted. Prints the fault matrix."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

import numpy

from faults import FaultyDaemon, Faults
from harness import LACQUER, Daemon, SystemTest, run, wav_samples

GRID = ["--chunk.body", 10]
RATE_HZ = 44100
FRAME_BYTES = 4
TRACK = "music.wav"
TRACK_SECONDS = 65
HANGING = [f"hung{n}.wav" for n in range(4)]


def byte_of(seconds):
    return 44 + round(seconds * RATE_HZ) * FRAME_BYTES


class FaultTest(SystemTest):
    """One class for each place of faults; the rows of all are printed once at the end."""
    rows = []

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.music = cls.shared / "one"
        cls.passage(cls.music / TRACK, 0, TRACK_SECONDS)
        with Daemon(cls.music, cls.shared / "reference", *GRID) as daemon:
            daemon.wait_measured()
            cls.ids = {name: track["id"] for name, track in daemon.tracks().items()}
            cls.reference = daemon.get(cls.stream())
            cls.etag = run("curl", "-sI", daemon.url + cls.stream()).decode().split('ETag: "')[1].split('"')[0]

    @classmethod
    def passage(cls, path, start, seconds):
        path.parent.mkdir(exist_ok=True)
        run("ffmpeg", "-v", "error", "-y", "-ss", start, "-t", seconds, "-i", cls.shared / "music" / TRACK, path)

    @classmethod
    def stream(cls, name=TRACK, query=""):
        return f"/api/player/stream/{cls.ids[name]}.wav{query}"

    def daemon(self, *options, music=None):
        return FaultyDaemon(music or self.music, self.scratch / "daemon", *GRID, *options)

    def note(self, fault, listener, counted):
        self.rows.append((fault, listener, counted))

    def assert_exact(self, listener, what):
        self.assertEqual((listener.status, listener.ended), (200, "whole"), what)
        self.assertTrue(listener.body == self.reference, f"{what}: other bytes than without the fault")

    def assert_no_leftovers(self, daemon):
        foreign = [name for name in daemon.stored_files() if not name.endswith((".chunk", ".kept"))]
        self.assertEqual(foreign, [])


class Sources(FaultTest):
    """The music folder, as on a network mount."""

    def attempts(self, daemon, query=""):
        return [chunk["attempts"] for chunk in daemon.manifest(self.ids[TRACK], query)["chunks"]]

    def test_what_passes_is_retried_and_nobody_hears_it(self):
        self.check_retried("read {} EIO count 2", "read {} ESTALE count 1", f"read {{}} EAGAIN after {byte_of(35)} count 3")

    def test_what_passes_when_opening_is_retried_too(self):
        self.check_retried("open {} EMFILE count 2", "open {} ESTALE count 2", "open {} EAGAIN count 3")

    def check_retried(self, *rules):
        for rule in rules:
            with self.subTest(rule=rule), self.daemon() as daemon:
                daemon.faults.set(rule.format(TRACK))
                listener = daemon.listen(self.stream()).read()
                happened, attempts = daemon.faults.happened(), self.attempts(daemon)
                retries = len(re.findall(r"chunk \d+ of track \d+: retry \d/3 in \S+ s: ", daemon.log_text()))
                self.note(rule.format("SOURCE"), "same bytes" if listener.body == self.reference else "other bytes",
                          f"{happened} faults, {retries} retries logged, attempts of a chunk at most {max(attempts)}")
                self.assertEqual(happened, int(rule.rsplit(" ", 1)[1]), "the fault took place")
                self.assert_exact(listener, rule)
                self.assertGreater(max(attempts), 1)
                self.assertEqual(daemon.manifest(self.ids[TRACK])["failedChunks"], [])
                self.assertGreater(retries, 0, daemon.log_text())
            shutil.rmtree(self.scratch / "daemon")

    def check_fallback(self, listener, exact_until_seconds, silent_from_seconds):
        """Exact before the fault, silent where nothing can be read, never short."""
        self.assertEqual((listener.status, listener.ended), (200, "whole"))
        exact, silent = byte_of(exact_until_seconds), byte_of(silent_from_seconds)
        self.assertEqual(len(listener.body), len(self.reference))
        self.assertTrue(listener.body[:exact] == self.reference[:exact], "exact before the fault")
        self.assertLessEqual(abs(numpy.frombuffer(listener.body[silent:], "<i2").astype(int)).max(), 1, "silence")

    def test_an_unreadable_end_is_silence_of_its_length_and_told(self):
        with self.daemon() as daemon:
            daemon.faults.set(f"read {TRACK} EIO after {byte_of(45)}")
            listener = daemon.listen(self.stream()).read()
            self.check_fallback(listener, 40, 46)
            kept = wav_samples(listener.body)[41 * RATE_HZ:44 * RATE_HZ].astype(float)
            self.assertGreater(kept.std(), 100, "what can be read of a chunk is heard")
            chunks = daemon.manifest(self.ids[TRACK])["chunks"]
            fallbacks = [chunk["index"] for chunk in chunks if chunk["status"] == "fallback"]
            self.assertEqual(fallbacks, list(range(4, len(chunks))))
            for n in fallbacks:
                retries = re.findall(rf"chunk {n} of track \d+: retry (\d)/3 in ", daemon.log_text())
                self.assertEqual(retries, ["1", "2", "3"], daemon.log_text())
            later = daemon.listen(self.stream())
            self.assertIn("no-store", later.answer.headers["Cache-Control"])
            self.assertEqual(later.answer.headers["X-Failed-Chunks"], f"{fallbacks[0]}-{fallbacks[-1]}")
            self.assertNotEqual(later.answer.headers["ETag"], f'"{self.etag}"')
            resumed = daemon.listen(self.stream(), {"Range": "bytes=1000-", "If-Range": f'"{self.etag}"'})
            self.assertEqual(resumed.status, 200, "never continued across a fallback")
            later.close()
            resumed.close()
            self.note(f"read SOURCE EIO from {45} s on", "exact to 40 s, the source to 45 s, silence to the promised length",
                      f"fallback {fallbacks}, 3 retries each; later answers: X-Failed-Chunks, no-store, another ETag")
            self.check_recovery(daemon)

    def check_recovery(self, daemon):
        daemon.faults.clear()
        status, _, body = daemon.ask("POST", f"/api/tracks/{self.ids[TRACK]}/render/retry")
        self.assertIn(status, (200, 202), body)
        again = daemon.listen(self.stream()).read()
        self.assert_exact(again, "after the mount came back and a retry")
        self.assertNotIn("without", again.answer.headers["ETag"])
        self.assertNotEqual(again.answer.headers["ETag"], f'"{self.etag}"', "which stood on bytes of another making")
        self.assertIsNone(again.answer.headers["X-Failed-Chunks"])
        self.note("  then readable again, POST .../retry", "same bytes, an ETag of its own", "no chunk failed")

    def test_what_cannot_pass_is_not_retried(self):
        with self.daemon() as daemon:
            daemon.faults.set(f"open {TRACK} EACCES")
            listener = daemon.listen(self.stream()).read()
            attempts = self.attempts(daemon) if listener.status == 200 else [0]
            self.note("open SOURCE EACCES", f"{listener.status}, {listener.ended}, {len(listener.body)} bytes",
                      f"attempts of a chunk at most {max(attempts)}, {daemon.log_text().count('retry ')} retries logged")
            self.assertEqual(daemon.log_text().count("retry "), 0)
            if listener.status == 200:
                self.check_fallback(listener, 0, 0)

    def test_a_source_that_refuses_a_fourth_reader(self):
        folder = self.scratch / "five"
        folder.mkdir()
        for n in range(5):
            self.passage(folder / f"{n}.wav", 10 * n, 9)
        for workers in [5, 3]:
            with self.daemon("--workers", workers, music=folder) as daemon, ThreadPoolExecutor(5) as pool:
                paths = [f"/api/player/stream/{track['id']}.wav" for track in daemon.tracks().values()]
                daemon.faults.set("read /five/ EAGAIN concurrent 3 delay 5")
                heard = list(pool.map(lambda path: daemon.listen(path).read(), paths))
                retries, refused = daemon.log_text().count("retry "), daemon.faults.happened()
                failed = sum(len(daemon.manifest(track["id"])["failedChunks"]) for track in daemon.tracks().values())
                daemon.faults.clear()
                self.note(f"a fourth read at once: EAGAIN; {workers} workers", f"5 of 5 {heard[0].ended}",
                          f"{refused} refused, {retries} retries, {failed} chunks failed")
                self.assertEqual([one.ended for one in heard], ["whole"] * 5)
                self.assertEqual(failed, 0)
                self.assertEqual(retries > 0, workers > 3, daemon.log_text())
            with self.subTest(workers=workers), Daemon(folder, self.scratch / "clean", *GRID) as clean:
                for one in heard:
                    self.assertTrue(clean.get(one.path) == one.body, one.path)
            shutil.rmtree(self.scratch / "daemon")

    def test_a_source_that_hangs_ends_in_silence_and_no_other_listener_notices(self):
        folder = pathlib.Path(shutil.copytree(self.music, self.scratch / "music"))
        for n, name in enumerate(HANGING):
            self.passage(folder / name, 10 * n, 15)
        with self.daemon("--workers", 2, "--render.stuck", 1, music=folder) as daemon:
            ids = {name: track["id"] for name, track in daemon.tracks().items()}
            daemon.faults.set(f"read hung0.wav block after {byte_of(5)}")
            with ThreadPoolExecutor(2) as pool:
                hung = pool.submit(lambda: daemon.listen(f"/api/player/stream/{ids['hung0.wav']}.wav").read())
                daemon.wait(lambda: daemon.faults.happened() > 0, "read that hangs")
                other = pool.submit(lambda: daemon.listen(f"/api/player/stream/{ids[TRACK]}.wav").read()).result()
                self.assert_exact(other, "the other listener")
                ended = hung.result()
            manifest = daemon.manifest(ids["hung0.wav"])
            errors = {chunk["error"] for chunk in manifest["chunks"] if chunk["error"]}
            self.note("read SOURCE hangs for ever", f"{ended.status}, {ended.ended}, {len(ended.body)} bytes; the others: same bytes",
                      f"{daemon.faults.happened()} reads hang, errors {sorted(errors)}, {daemon.log_text().count('timeout')} in the log")
            self.assertTrue(any("timeout" in error for error in errors), manifest)
            self.assertEqual((ended.status, ended.ended), (200, "whole"), "silence for what cannot be read")
            self.check_all_workers_hung(daemon, ids)

    def check_all_workers_hung(self, daemon, ids):
        """However much hangs, what is cached plays, what is not is refused where it can be seen; and it passes."""
        daemon.faults.set("read /music/ block")
        paths = [f"/api/player/stream/{ids[name]}.wav?intensity=0.5" for name in HANGING]
        with ThreadPoolExecutor(len(paths)) as pool:
            heard = list(pool.map(daemon.listen, paths))
            list(pool.map(lambda one: one.read() if one.status == 200 else one, heard))
        self.assert_exact(daemon.listen(f"/api/player/stream/{ids[TRACK]}.wav").read(), "cached, while everything hangs")
        refusals = [one for one in heard if one.status == 503]
        for one in refusals:
            self.assertIsNotNone(one.answer.headers["Retry-After"])
        self.note("every source hangs, 2 workers", f"{len(refusals)} of 4 get 503 + Retry-After, the rest "
                  f"{sorted({one.ended for one in heard if one.status == 200})}; cached tracks: same bytes", "")
        daemon.faults.clear()
        recovered = ids[HANGING[0]]
        daemon.ask("POST", f"/api/tracks/{recovered}/render/retry?intensity=0.4")
        daemon.wait(lambda: self.plays(daemon, f"/api/player/stream/{recovered}.wav?intensity=0.4"), "recovery")

    def plays(self, daemon, path):
        if daemon.listen(path).read().ended != "whole":
            return False
        again = daemon.listen(path).read()
        return again.status == 200 and not again.answer.headers["X-Failed-Chunks"]


class CacheFolder(FaultTest):
    def check(self, name, *rules, counted):
        with self.subTest(name), self.daemon() as daemon:
            daemon.faults.set(*rules)
            first, second = daemon.listen(self.stream()).read(), daemon.listen(self.stream()).read()
            happened, stats = daemon.faults.happened(), daemon.health()["cache"]
            self.note(name, "same bytes, twice", f"{happened} faults; failedWrites {stats['failedWrites']}, "
                      f"corrupt {stats['corrupt']}, insertions {stats['insertions']}")
            self.assertGreater(happened, 0, "the fault took place")
            self.assert_exact(first, name)
            self.assert_exact(second, name)
            counted(stats)
            daemon.faults.clear()
            self.assert_exact(daemon.listen(self.stream()).read(), f"after {name}")
        self.assert_no_leftovers(daemon)
        shutil.rmtree(self.scratch / "daemon")

    def test_a_cache_that_cannot_be_written_or_read_is_done_without(self):
        def refused(stats):
            self.assertGreater(stats["failedWrites"], 0)
            self.assertEqual(stats["insertions"], 0)

        def stored(stats):
            self.assertEqual(stats["failedWrites"], 0)
            self.assertGreater(stats["insertions"], 0)

        def unreadable(stats):
            self.assertGreater(stats["misses"] + stats["corrupt"], 0)

        self.check("write CACHE ENOSPC", "write /cache/ ENOSPC", counted=refused)
        self.check("write CACHE ENOSPC after 1 MB of a file", "write /cache/ short", "write /cache/ ENOSPC after 1000000",
                   counted=lambda stats: self.assertGreater(stats["failedWrites"], 0))
        self.check("write CACHE EIO", "write /cache/ EIO", counted=refused)
        self.check("write CACHE short", "write /cache/ short", counted=stored)
        self.check("open CACHE EROFS", "open /cache/ EROFS", counted=refused)
        self.check("open CACHE EMFILE", "open /cache/ EMFILE", counted=refused)
        self.check("rename CACHE EIO", "rename /cache/ EIO", counted=refused)
        self.check("read CACHE EIO", "read /cache/ EIO", counted=unreadable)

    def test_chunks_damaged_under_a_running_stream_are_rendered_again(self):
        with self.daemon() as daemon:
            daemon.listen(self.stream()).read()
            listener = daemon.listen(self.stream()).read(byte_of(12))
            for path in (self.scratch / "daemon" / "cache").rglob("*.*"):
                data = bytearray(path.read_bytes())
                for at in range(20_000, len(data), 65_536):
                    data[at] ^= 0x10
                path.write_bytes(data)  # the same file: what is open sees it
            listener.read()
            stats = daemon.health()["cache"]
            self.note("bits flipped in every cached chunk", "same bytes", f"corrupt {stats['corrupt']}")
            self.assert_exact(listener, "damaged chunks")
            self.assertGreater(stats["corrupt"], 0)

    def test_a_cache_folder_deleted_under_a_running_stream(self):
        with self.daemon() as daemon:
            daemon.listen(self.stream()).read()
            listener = daemon.listen(self.stream()).read(byte_of(12))
            for path in (self.scratch / "daemon" / "cache").iterdir():
                if path.is_dir():
                    shutil.rmtree(path)
            self.assert_exact(listener.read(), "running")
            self.assert_exact(daemon.listen(self.stream()).read(), "new")
            self.note("cache folder emptied while playing", "same bytes", f"misses {daemon.health()['cache']['misses']}")


class Database(FaultTest):
    def test_a_full_disk_under_the_database(self):
        for rule in ["write /state/ ENOSPC", "write /state/ EIO", "write /state/ short"]:
            with self.subTest(rule=rule), self.daemon() as daemon:
                known = daemon.listen(self.stream()).read(1000)
                daemon.faults.set(rule)
                self.assert_exact(known.read(), "a running stream")
                again = daemon.listen(self.stream()).read()
                fresh = daemon.listen(self.stream(query="?intensity=0.8")).read()
                happened = daemon.faults.happened()
                self.note(rule.replace("/state/", "DATABASE"), f"running: same bytes; again: {again.status} {again.ended}; "
                          f"a new recipe: {fresh.status} {fresh.ended}", f"{happened} faults")
                self.assert_exact(again, "a known recipe")
                self.assertIn(fresh.status, (200, 503))
                daemon.faults.clear()
                self.assertEqual(daemon.listen(self.stream(query="?intensity=0.8")).read().ended, "whole")
            shutil.rmtree(self.scratch / "daemon")


class Replaced(FaultTest):
    """The file of a track changes while it plays: old bytes, then an end that can be noticed; never a mix."""

    def other_music(self, path):
        run("ffmpeg", "-v", "error", "-y", "-i", self.music / TRACK, "-af", "areverse", "-c:a", "pcm_s16le", path)

    def by_rename(self, source):
        self.other_music(source.with_suffix(".new.wav"))
        os.replace(source.with_suffix(".new.wav"), source)

    def in_place(self, source):
        self.other_music(self.scratch / "other.wav")
        source.write_bytes((self.scratch / "other.wav").read_bytes())

    def truncated(self, source):
        os.truncate(source, byte_of(20))

    def test_a_source_replaced_while_playing_is_never_mixed(self):
        for name, change in {"renamed over": self.by_rename, "written over": self.in_place, "truncated": self.truncated,
                             "deleted": pathlib.Path.unlink}.items():
            folder = self.scratch / name.replace(" ", "-")
            folder.mkdir()
            source = pathlib.Path(shutil.copy2(self.music / TRACK, folder / TRACK))
            with self.subTest(name), self.daemon(music=folder) as daemon:
                path = f"/api/player/stream/{daemon.tracks()[TRACK]['id']}.wav"
                daemon.faults.set(f"read {TRACK} delay 20")  # so that the change comes while most is not yet rendered
                listener = daemon.listen(path).read(1_000_000)
                change(source)
                daemon.faults.clear()
                listener.read()
                fits = listener.body == self.reference[:len(listener.body)]
                self.assertTrue(fits, f"{name}: {len(listener.body)} bytes are not all of the old content")
                self.assertIn(listener.ended, ("whole", "reset"))
                fresh = self.new_open(daemon, path)
                self.note(f"SOURCE {name} while playing", f"old bytes, {listener.ended}",
                          f"new open: {fresh.status}, {'the old' if fresh.body == self.reference else 'another'} content")
                if fresh.status == 200:
                    self.assertTrue(fresh.body == self.clean_bytes(folder), "the new content, all of it")
            shutil.rmtree(self.scratch / "daemon")

    def new_open(self, daemon, path):
        listener = daemon.listen(path)
        return listener.read() if listener.status == 200 else listener

    def clean_bytes(self, folder):
        with Daemon(folder, self.scratch / f"clean{time.monotonic_ns()}", *GRID) as clean:
            clean.wait_measured()
            return clean.get(f"/api/player/stream/{clean.tracks()[TRACK]['id']}.wav")


class Cancel(FaultTest):
    """A render is ended, not waited for: with 20 ms for each 64 KiB a track would take many times what these tests take."""

    def test_deleting_a_render_leaves_nothing_running(self):
        with self.daemon() as daemon:
            daemon.faults.set(f"read {TRACK} delay 100")
            track = self.ids[TRACK]
            self.assertEqual(daemon.ask("POST", f"/api/tracks/{track}/render")[0], 202)
            daemon.wait(lambda: "rendering" in self.states(daemon), "chunk being rendered")
            ready_before = self.states(daemon).count("ready")
            self.assertLess(daemon.ask("DELETE", f"/api/tracks/{track}/render")[0], 300)
            daemon.wait(lambda: "rendering" not in self.states(daemon), "idle workers")
            ready_after = self.states(daemon).count("ready")
            self.assertFalse(daemon.manifest(track)["active"])
            self.note("DELETE .../render in mid-chunk", "-", f"ready before {ready_before}, after {ready_after}; no temporary file")
            self.assertEqual(ready_after, ready_before, "the chunk was ended, not finished")
            self.assert_no_leftovers(daemon)

    def states(self, daemon):
        return [chunk["status"] for chunk in daemon.manifest(self.ids[TRACK])["chunks"]]

    def test_terminated_while_rendering_and_while_a_source_hangs(self):
        for name, rule in {"SIGTERM in mid-render": "read {} delay 100", "SIGTERM while a source hangs": "read {} block"}.items():
            with self.subTest(name), self.daemon() as daemon:
                daemon.faults.set(rule.format(TRACK))
                with ThreadPoolExecutor(1) as pool:
                    heard = pool.submit(lambda: self.open_and_read(daemon))
                    daemon.wait(lambda: "rendering" in self.states(daemon), "render")
                    daemon.process.send_signal(signal.SIGTERM)
                    code = daemon.process.wait(timeout=30)
                    ended = heard.result()
                self.note(name, ended, f"exit {code}; no temporary file")
                self.assertEqual(code, 0, daemon.log_text())
                self.assertNotEqual(ended, "whole", "what is missing can be seen: fewer bytes than Content-Length")
                self.assert_no_leftovers(daemon)
            shutil.rmtree(self.scratch / "daemon")

    def open_and_read(self, daemon):
        try:
            return daemon.listen(self.stream()).read().ended
        except (OSError, ConnectionError) as problem:
            return f"no answer ({type(problem).__name__})"
        except Exception as problem:  # http.client says BadStatusLine for a connection that ended
            return f"no answer ({type(problem).__name__})"

    def test_interrupting_a_batch_leaves_no_half_files(self):
        faults = Faults(self.scratch)
        faults.set(f"read {TRACK} delay 100")
        out, temporary = self.scratch / "out", self.scratch / "tmp"
        out.mkdir()
        temporary.mkdir()
        process = subprocess.Popen([LACQUER, "render", self.music / TRACK, "-o", out / "out.wav", "--cache-dir",
                                    self.scratch / "cache", "--state-dir", self.scratch / "state"],
                                   env={**os.environ, **faults.environment(), "TMPDIR": str(temporary)},
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1)
        self.assertIsNone(process.poll(), "still rendering")
        process.send_signal(signal.SIGINT)
        code = process.wait(timeout=30)
        left = [path.name for folder in [out, temporary] for path in folder.rglob("*")]
        self.note("Ctrl-C of lacquer render", "-", f"exit {code}; files left: {left}")
        self.assertNotEqual(code, 0)
        self.assertEqual(left, [])


def tearDownModule():
    width = [max(len(row[column]) for row in FaultTest.rows) for column in range(2)]
    print(f"\n{'fault':{width[0]}}  {'what the listener gets':{width[1]}}  what is counted")
    for fault, listener, counted in FaultTest.rows:
        print(f"{fault:{width[0]}}  {listener:{width[1]}}  {counted}")


if __name__ == "__main__":
    unittest.main()
