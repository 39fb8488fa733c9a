"""Real players through a transport that misbehaves: what each put out, sample by sample, against the stream as it should be.

The source is a chirp, so its position can be heard as well. Prints the conformance matrix."""

import contextlib
import dataclasses
import itertools
import os
import re
import shutil
import unittest
from concurrent.futures import ThreadPoolExecutor

import numpy

from chirp import RATE_HZ, heard_seconds, write_chirp
from faulty_proxy import Fault, FaultyProxy
from harness import Daemon, SystemTest, position_of, run, wav_samples
from listeners import PLAYERS, SeekWhilePlaying

SECONDS = 45
CHUNKS_OF_10_SECONDS = ["--chunk.body", 10]
SEEK_SECONDS = 33.3
SEEK_WHILE_PLAYING_SECONDS = 35
BODY_BYTES = 44 + SECONDS * RATE_HZ * 4
LATE_BYTES = 6_000_001  # more than a player that opens twice may leave in the socket of the connection it abandons
CHECKED_FRAMES = 1024
STREAMS_AT_ONCE = 12


@dataclasses.dataclass
class Case:
    name: str
    fault: Fault = dataclasses.field(default_factory=Fault)
    cached: bool = False
    start: float = None
    seek: float = None


# mpv keeps time in seconds as a floating-point number and rounds down: a seek may land one frame early. That is its own
# arithmetic: from any position it plays every frame once.
SEEKS_WITHIN_FRAMES = {"mpv": 1}

# VLC seeks when it has opened the file, and may have put out the first block of it by then.
FRAMES_BEFORE_A_START = {"VLC": RATE_HZ // 20}

CASES = [
    Case("first play"),
    Case("cached", cached=True),
    Case("seek at opening, first play", start=SEEK_SECONDS),
    Case("seek at opening, cached", start=SEEK_SECONDS, cached=True),
    Case("seek while playing, first play", Fault(slow_after_bytes=2_000_000), seek=SEEK_WHILE_PLAYING_SECONDS),
    Case("connection closed in mid-body", Fault(close_after_bytes=LATE_BYTES)),
    Case("connection reset in mid-body", Fault(reset_after_bytes=LATE_BYTES)),
    Case("type text/html", Fault(content_type="text/html")),
    Case("no type worth the name", Fault(content_type="application/octet-stream")),
    Case("first byte after 3 s", Fault(first_byte_seconds=3)),
    Case("first byte after 3 s, seek", Fault(first_byte_seconds=3), start=SEEK_SECONDS),
    Case("8 s of nothing in mid-body", Fault(stall_after_bytes=LATE_BYTES, stall_seconds=8)),
]

# MPD has no resume: it stops and says so in its log (or, a race of its own, stands still). What it played is exact.
STOPS_WITH_AN_ERROR = {("MPD", "connection closed in mid-body"), ("MPD", "connection reset in mid-body")}


def pieces(samples, reference):
    """The output as [frame in the reference or None, frames]: one piece when nothing is missing, repeated or altered."""
    found, at = [], 0
    while at < len(samples) and len(found) < 10:
        start = position_of(samples[at:at + CHECKED_FRAMES], reference)
        if start < 0:
            count = min(CHECKED_FRAMES, len(samples) - at)
        else:
            count = min(len(samples) - at, len(reference) - start)
            differs = (samples[at:at + count] != reference[start:start + count]).any(axis=1)
            count = int(differs.argmax()) if differs.any() else count
        found.append((start if start >= 0 else None, count))
        at += count
    return found


@dataclasses.dataclass
class Cell:
    player: str
    case: Case
    pieces: list
    heard_ms: float
    error: str
    requests: int

    def wanted(self):
        if self.case.seek is not None:
            return round(self.case.seek * RATE_HZ)
        return round((self.case.start or 0) * RATE_HZ)

    def landed(self):
        """The first frame after the seek, or of all."""
        return self.after_seek()[0][0] if self.pieces else None

    def after_seek(self):
        # GStreamer's file begins anew with a seek: then there is nothing before it.
        return self.pieces[-1:] if self.may_play_before() else self.pieces

    def may_play_before(self):
        if self.case.seek is not None:
            return self.wanted()
        return FRAMES_BEFORE_A_START.get(self.player, 0) if self.case.start else 0

    def verdict(self):
        frames = SECONDS * RATE_HZ
        if (self.player, self.case.name) in STOPS_WITH_AN_ERROR:
            played_exactly = all(piece[0] == 0 and piece[1] < frames for piece in self.pieces) and len(self.pieces) <= 1
            return ("stands still" if "stands still" in self.error else "stops, says so") if self.error and played_exactly else "WRONG"
        before, rest = self.pieces[:-1], self.after_seek()
        whole = len(rest) == 1 and rest[0][0] is not None and sum(rest[0]) == frames
        in_order = not before or (len(before) == 1 and before[0][0] == 0 and before[0][1] <= self.may_play_before())
        if not whole or not in_order or self.error:
            return "WRONG"
        return "exact" if abs(self.landed() - self.wanted()) <= SEEKS_WITHIN_FRAMES.get(self.player, 0) else "WRONG"

    def row(self):
        landed = self.landed()
        error = "-" if landed is None else landed - self.wanted()
        return (f"{self.case.name:31} {self.player:10} {self.wanted():9} {str(landed):>9} {error:>7} {self.heard_ms:>9.3f} "
                f"{sum(count for _, count in self.pieces):9} {self.requests:5}  {self.verdict()}")


TITLE = (f"{'case':31} {'player':10} {'frame':>9} {'landed at':>9} {'frames':>7} {'ms by':>9} {'frames':>9} {'':5}\n"
         f"{'':31} {'':10} {'wanted':>9} {'':>9} {'off':>7} {'the ear':>9} {'heard':>9} {'reqs':>5}")


class Conformance(SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        os.chmod(cls.shared, 0o755)  # VLC may run as nobody
        chirps = cls.shared / "chirps"
        chirps.mkdir()
        write_chirp(chirps / "chirp.wav", SECONDS)
        cls.daemon = cls.enterClassContext(Daemon(chirps, cls.shared / "daemon", *CHUNKS_OF_10_SECONDS))
        cls.track = cls.daemon.tracks()["chirp.wav"]["id"]
        cls.source = wav_samples((chirps / "chirp.wav").read_bytes())
        cls.daemon.wait_measured()
        cls.intensities = itertools.count(1)

    def setUp(self):
        super().setUp()
        os.chmod(self.scratch, 0o755)

    def fresh_path(self):
        """Another intensity is another recipe, of which nothing is rendered yet. So low that no equaliser delays the tone."""
        return f"/api/player/stream/{self.track}.wav?intensity={next(self.intensities) / 1000}"

    def play(self, player, case):
        for attempt in range(3):  # MPD 0.23 now and then stands still, whatever the server does
            cell = self.play_once(player, case, attempt)
            if "stands still" not in cell.error:
                break
        return cell

    def play_once(self, player, case, attempt):
        path = self.fresh_path()
        folder = self.scratch / f"{player}{CASES.index(case)}-{attempt}"
        folder.mkdir()
        if case.cached:
            self.daemon.get(path)
        with FaultyProxy(self.daemon.url, case.fault) as proxy:
            seek = SeekWhilePlaying(case.seek, proxy.spoiled.is_set) if case.seek is not None else None
            heard = PLAYERS[player].play(proxy.url + path, folder, case.start, seek)
            if case.fault.marks():
                self.assertTrue(proxy.spoiled.is_set(), f"{player}, {case.name}: it never came to the fault")
        found = pieces(heard.samples, wav_samples(self.daemon.get(path)))
        cell = Cell(player, case, found, 0.0, heard.error, len(proxy.exchanges))
        after_seek = heard.samples[len(heard.samples) - sum(count for _, count in cell.after_seek()):]
        cell.heard_ms = (heard_seconds(after_seek) - cell.wanted() / RATE_HZ) * 1000
        return cell

    def test_every_player_lands_exactly_in_every_case(self):
        runs = [(player, case) for case in CASES for player in PLAYERS
                if case.seek is None or PLAYERS[player].can_seek_while_playing]
        longest_first = sorted(runs, key=lambda run: run[0] != "VLC")
        with ThreadPoolExecutor(STREAMS_AT_ONCE) as pool:
            results = dict(zip(map(str, longest_first), pool.map(lambda run: self.play(*run), longest_first)))
        print("\n" + TITLE)
        for one in runs:
            print(results[str(one)].row())
        for one in runs:
            cell = results[str(one)]
            with self.subTest(player=cell.player, case=cell.case.name):
                self.assertNotEqual(cell.verdict(), "WRONG", f"pieces {cell.pieces}, error {cell.error!r}")

    def curl(self, *options):
        return run("curl", "-sS", *options)

    def test_byte_ranges_of_curl_are_those_of_the_stream(self):
        url = self.daemon.url + self.fresh_path()
        last = BODY_BYTES - 1
        wanted = {"0-0": (0, 0), "0-43": (0, 43), "44-": (44, last), "-1": (last, last), "-500": (BODY_BYTES - 500, last),
                  "1763999-1764099": (1763999, 1764099), f"{last}-": (last, last), f"5-{last + 9}": (5, last)}
        got = {asked: self.curl("-f", "-r", asked, url) for asked in wanted}  # nothing is cached before the first
        stream = self.curl("-f", url)
        self.assertEqual(len(stream), BODY_BYTES)
        for asked, (first, end) in wanted.items():
            self.assertEqual(got[asked], stream[first:end + 1], f"-r {asked}")

    def test_if_range_continues_the_same_stream_only(self):
        url = self.daemon.url + self.fresh_path()
        etag = re.search(r'ETag: (".*")', self.curl("-I", url).decode()).group(1)
        stream = self.curl("-f", url)
        for validator, status, body in [(etag, "206", stream[1000:]), ('"another"', "200", stream), (f"W/{etag}", "200", stream)]:
            out = self.scratch / "out"
            answer = self.curl("-r", "1000-", "-H", f"If-Range: {validator}", "-o", out, "-w", "%{http_code}", url)
            self.assertEqual((answer.decode(), out.read_bytes() == body), (status, True), validator)

    def test_a_play_goes_on_where_it_broke_though_the_daemon_restarted_without_its_cache(self):
        folder = self.scratch / "restarted"
        print()
        for player in ["curl", "ffmpeg", "mpv", "GStreamer"]:
            daemons = contextlib.ExitStack()
            with daemons, FaultyProxy("", Fault(close_after_bytes=LATE_BYTES)) as proxy:
                def start():
                    daemon = daemons.enter_context(Daemon(self.shared / "chirps", folder, *CHUNKS_OF_10_SECONDS))
                    proxy.upstream_url = daemon.url
                    return daemon

                def restart():
                    daemons.close()
                    shutil.rmtree(folder / "cache")
                    start()

                proxy.when_cut = restart
                start().wait_measured()
                heard_in = self.scratch / player
                heard_in.mkdir()
                heard = PLAYERS[player].play(f"{proxy.url}/api/player/stream/1.wav", heard_in)
                reference = self.reference()
            self.assertTrue(proxy.spoiled.is_set())
            print(f"{player:10} {len(heard.samples)} frames, {len(proxy.exchanges)} requests")
            self.assertEqual((pieces(heard.samples, reference), heard.error), ([(0, SECONDS * RATE_HZ)], ""), player)

    def reference(self):
        return wav_samples(self.daemon.get(f"/api/player/stream/{self.track}.wav"))

    def test_the_position_heard_is_that_of_the_source(self):
        neutral = wav_samples(self.daemon.get(f"/api/player/stream/{self.track}.wav?intensity=0"))
        self.assertTrue(numpy.array_equal(neutral, self.source), "intensity 0 is the source bit for bit")
        for second in range(0, SECONDS - 1, 4):
            late_ms = (heard_seconds(self.reference()[second * RATE_HZ:]) - second) * 1000
            self.assertLess(abs(late_ms), 1.0, f"at {second} s: an equaliser's delay of the tone, not a position")


if __name__ == "__main__":
    unittest.main()
