"""Playing while both cores are busy; what playing costs; what was rendered before is not rendered again."""

import os
import pathlib
import subprocess
import tempfile
import threading
import time
import unittest

import numpy

from harness import Daemon, LACQUER, run
from playback import Lateness, Playback, PlaybackTest, in_parallel, passage, processor_seconds
from recordings import compare
from virtual_sound import JackDummy, PulseSink, start, stop

RATE_HZ = 44100
PERIOD_FRAMES = 1024
DEFAULT_MS = 50  # lacquer play --latency
LOADED_SECONDS = 600 if os.environ.get("LACQUER_LONG") else 60
WATCHED_SECONDS = 20
PERCENT_OF_A_CORE = 4.0  # the bar is 1 at rest; this is not a machine at rest


class BatchRenders:
    """`lacquer render` of one track after the other, two at a time, until the block ends."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.ended, self.rounds = threading.Event(), 0
        self.thread = threading.Thread(target=self.render)
        self.folder.mkdir()
        for number in range(4):
            passage(self.folder / f"{number}.wav", 90, start=20 * number)

    def render(self):
        while not self.ended.is_set():
            with tempfile.TemporaryDirectory(dir=self.folder) as home:
                batch = start([LACQUER, "render", *sorted(self.folder.glob("*.wav")), "-o", home, "--jobs", 2],
                              {**os.environ, "HOME": home}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                while batch.poll() is None and not self.ended.wait(0.05):
                    pass
                self.rounds += stop(batch) == 0

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def chunk_files(folder):
    return sorted(path.name for path in pathlib.Path(folder).rglob("*") if path.is_file() and path.name != "lock")


class Underruns(PlaybackTest):
    def case(self, card, source, times, options):
        with card, card.record() as recording, Playback(card.environment, *options, *[source] * times) as player:
            self.assertEqual(player.wait(2 * LOADED_SECONDS + 120), 0, player.error_text())
            ended = player.of("ended")[-1]
            recording.wait_for_silence()
        return recording.samples(), ended

    def test_none_while_a_batch_keeps_both_cores_busy(self):
        """The player always has something ready. Both cards are paced in real time, and the threads that serve them are
        real-time ones where the system allows it; a machine which makes everybody late makes them late too."""
        source = passage(self.scratch / "music.wav", 60)
        times = max(1, LOADED_SECONDS // 60)
        reference = numpy.concatenate([self.rendered(source)] * times)
        cards = [PulseSink(self.scratch / "pulse", RATE_HZ, latency_ms=DEFAULT_MS),
                 JackDummy(self.scratch / "jack", RATE_HZ, PERIOD_FRAMES, waits=False)]
        bounds_ms = [DEFAULT_MS / 3, 1000 * PERIOD_FRAMES / RATE_HZ]
        with BatchRenders(self.scratch / "batch") as batch, Lateness() as machine:
            heard = in_parallel(*[lambda card=card: self.case(card, source, times, ["--device", card.device]) for card in cards])
        results = [compare(recorded, reference) for recorded, _ in heard]
        self.table(*[(f"{LOADED_SECONDS} s under load", f"{type(card).__name__} {card.rate}", result, ended["underruns"])
                     for card, result, (_, ended) in zip(cards, results, heard)])
        print(f"{batch.rounds} batches of 4 renders meanwhile; a program that only sleeps was late by {machine.worst_ms:.1f} ms "
              f"at worst; xruns: PulseAudio {heard[0][1]['xruns']}, JACK {heard[1][1]['xruns']}")
        self.assertEqual([ended["underruns"] for _, ended in heard], [0, 0])
        self.assertGreater(batch.rounds, 0)
        for result, (_, ended), bound_ms in zip(results, heard, bounds_ms):
            if not result.exact():  # then the card was not served in time, says the driver, and nobody could have been
                self.assertGreater(machine.worst_ms, bound_ms, result)
                self.assertGreater(ended["xruns"] + result.gap_frames, 0, result)


class Cost(PlaybackTest):
    def percent(self, card, source, options):
        """Of a core, while what is played has been rendered before, and the first seconds are over."""
        home = self.scratch / card.folder.name
        caches = ["--cache-dir", home / "cache", "--state-dir", home / "state"]
        run(LACQUER, "render", source, "-o", home / "warm.wav", *caches)
        with card, Playback(card.environment, *options, source, *caches) as player:
            player.wait_event("started")
            percent = self.watch(player.process.pid)
            player.key("q")
            self.assertEqual(player.wait(), 0)
        return percent

    def mpv_percent(self, card, source):
        """Another player, that only plays, with as much sound in the same device."""
        with card:
            player = start(["mpv", "--no-config", "--no-video", "--really-quiet", "--ao=alsa",
                            f"--audio-buffer={DEFAULT_MS / 1000}", source], {**os.environ, **card.environment})
            percent = self.watch(player.pid)
            stop(player)
        return percent

    def watch(self, pid):
        time.sleep(3)
        begun, at = processor_seconds(pid), time.monotonic()
        time.sleep(WATCHED_SECONDS)
        return 100 * (processor_seconds(pid) - begun) / (time.monotonic() - at)

    def test_processor_time(self):
        source = passage(self.scratch / "music.wav", WATCHED_SECONDS + 8)
        pulse = PulseSink(self.scratch / "pulse", RATE_HZ, latency_ms=DEFAULT_MS)
        jack, peer = JackDummy(self.scratch / "jack", RATE_HZ, 1024), PulseSink(self.scratch / "peer", RATE_HZ, latency_ms=DEFAULT_MS)
        results = in_parallel(lambda: self.percent(pulse, source, ["--device", pulse.device]),
                              lambda: self.percent(jack, source, ["--device", jack.device]),
                              lambda: self.mpv_percent(peer, source))
        print(f"\nof a core, {WATCHED_SECONDS} s of 44.1 kHz stereo: PulseAudio, {DEFAULT_MS} ms: {results[0]:.2f} %, "
              f"JACK, 1024 frames: {results[1]:.2f} %; mpv, which only plays, PulseAudio, {DEFAULT_MS} ms: {results[2]:.2f} %")
        for percent in results[:2]:
            self.assertLessEqual(percent, PERCENT_OF_A_CORE)


class AlreadyRendered(PlaybackTest):
    def test_the_second_time_nothing_is_rendered(self):
        source = passage(self.scratch / "music.wav", 5)
        options = ["--cache-dir", self.scratch / "cache", "--state-dir", self.scratch / "state"]
        with PulseSink(self.scratch / "pulse", RATE_HZ) as card:
            self.play(card, source, *options)
            chunks = chunk_files(self.scratch / "cache")
            recorded, _ = self.play(card, source, *options)
        self.assertTrue(chunks)
        self.assertEqual(chunk_files(self.scratch / "cache"), chunks)
        self.assert_exact(recorded, self.rendered(source))

    def test_what_was_streamed_is_not_rendered(self):
        folder = self.scratch / "music"
        folder.mkdir()
        source = passage(folder / "music.wav", 5)
        with Daemon(folder, self.scratch / "daemon") as daemon:
            daemon.wait_measured()
            daemon.get(f"/api/player/stream/{daemon.tracks()['music.wav']['id']}.wav?depth=float")
        before = chunk_files(self.scratch / "daemon" / "cache")
        with PulseSink(self.scratch / "pulse", RATE_HZ) as card:
            self.play(card, source, "--cache-dir", self.scratch / "daemon" / "cache", "--state-dir",
                      self.scratch / "daemon" / "state")
        self.assertEqual(chunk_files(self.scratch / "daemon" / "cache"), before)


if __name__ == "__main__":
    unittest.main()
