"""`lacquer live` between two JACK programs: what comes in goes out whole, exactly as late as it says, as loud as the preset
says; and nothing is left of it when it has ended."""

import pathlib
import re
import signal
import subprocess
import time
import unittest

import numpy

from harness import position_of, run
from playback import Playback, PlaybackTest, float_samples, passage
from virtual_sound import JACK_PIPE, JackDummy, PulseSink, Recording, first_sound

RATE_HZ = 44100
NO_DEVICE = 3
PERIOD_FRAMES = 256
TARGET_LUFS = -14.0  # of the adaptive preset


class Live(Playback):
    program = "live"

    def __init__(self, card, *arguments):
        super().__init__(card.environment, "--input", "voice", "--output", card.device, *arguments)

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)
        return self.wait(20)


def loudness(samples, scratch):
    """Of one channel, heard from both sides, as ffmpeg measures it."""
    raw = scratch / "heard.f32"
    numpy.repeat(samples.reshape(-1, 1), 2, axis=1).astype("<f4").tofile(raw)
    said = subprocess.run(["ffmpeg", "-nostats", "-f", "f32le", "-ar", str(RATE_HZ), "-ac", "2", "-i", str(raw), "-af",
                           "ebur128", "-f", "null", "-"], stdin=subprocess.DEVNULL, capture_output=True, check=True).stderr
    return float(re.findall(r"I:\s+(-?[\d.]+) LUFS", said.decode())[-1])


def lag(come_in, gone_out, longest=4096):
    """By how many frames the one follows the other, by their correlation."""
    return int(numpy.correlate(gone_out, come_in[:len(come_in) - longest], "valid").argmax())


class JackInsert(PlaybackTest):
    def through(self, name, samples, *arguments):
        """What came in, what went out in the same cycles, and what it said."""
        with JackDummy(self.scratch / name, RATE_HZ, PERIOD_FRAMES) as card, card.input() as voice:
            with Live(card, *arguments) as live:
                opened = live.wait_event("opened")
                with Recording([JACK_PIPE, "record", "voice:out_"], card.environment, RATE_HZ, 2) as recording:
                    recorder = f"recorder-{recording.process.pid}"
                    run("jack_disconnect", "voice:out_2", f"{recorder}:in_2", env=card.environment)
                    run("jack_connect", "system:monitor_2", f"{recorder}:in_2", env=card.environment)
                    voice.play(samples)
                    recording.wait_for_sound()
                    recording.wait_for_frames(len(samples) + RATE_HZ // 2)
                self.assertEqual(live.interrupt(), 0, live.error_text())
                self.assertEqual(live.of("lost"), [])
                self.assertEqual({status["lostFrames"] for status in live.of("status")}, {0})
            self.assertNotIn("lacquer", card.answers_to("jack_lsp"))
            self.assertEqual(list(pathlib.Path("/dev/shm").glob(f"jack_*{card.name}_lacquer*")), [])
        heard = recording.samples()
        begin = first_sound(heard) - 1
        return heard[begin:, 0], heard[begin:, 1], opened["latencyMs"], live.of("status")

    def frames(self, latency):
        whole = latency * RATE_HZ / 1000
        self.assertAlmostEqual(whole, round(whole), 3)
        return round(whole)

    def mono_music(self, seconds):
        return numpy.repeat(float_samples(passage(self.scratch / f"{seconds}.wav", seconds, channels=1), 1), 2, axis=1)

    def test_without_enhancement_every_sample_comes_out_as_late_as_it_says(self):
        music = self.mono_music(4)
        come_in, gone_out, latency, _ = self.through("wire", music, "--intensity", "0")
        late = self.frames(latency["total"])
        self.assertEqual((self.frames(latency["lookAhead"]), late), (0, PERIOD_FRAMES), latency)
        length = len(music) - int(music[:, 0].astype(bool).argmax())
        self.assertEqual(position_of(come_in[:length, None], gone_out[:, None]), late)

    def test_an_enhanced_signal_is_later_by_exactly_the_look_ahead_and_has_no_gap(self):
        noise = numpy.repeat(numpy.random.default_rng(1).normal(0, 0.05, (8 * RATE_HZ, 1)), 2, axis=1).astype("<f4")
        for preset in ["adaptive", "warm"]:
            with self.subTest(preset):
                come_in, gone_out, latency, status = self.through(preset, noise, "--preset", preset)
                late = self.frames(latency["total"])
                self.assertEqual(late, PERIOD_FRAMES + self.frames(latency["lookAhead"]))
                self.assertGreaterEqual(status[-1]["recipes"], 1)  # has taken over meanwhile
                for second in [0, 6]:
                    window = slice(second * RATE_HZ, (second + 2) * RATE_HZ)
                    self.assertEqual(lag(come_in[window], gone_out[window]), late, second)
                self.assert_no_gap(come_in[:len(noise)], gone_out[late:late + len(noise)])

    def assert_no_gap(self, come_in, gone_out, window=64):
        def levels(samples):
            return numpy.abs(samples[:len(samples) // window * window].reshape(-1, window)).max(axis=1)
        loud = levels(come_in) > 0.01
        self.assertGreater(loud.mean(), 0.5)
        self.assertGreater((levels(gone_out)[:len(loud)][loud] / levels(come_in)[loud]).min(), 0.1)

    def test_music_becomes_as_loud_as_the_preset_says_and_never_jumps(self):
        music = numpy.tile(self.mono_music(4), (4, 1))
        come_in, gone_out, _, status = self.through("loudness", music, "--preset", "adaptive")
        before, begun, after = (loudness(samples[4 * first * RATE_HZ:4 * (first + 1) * RATE_HZ], self.scratch)
                                for samples, first in [(come_in, 3), (gone_out[:int(2.9 * RATE_HZ)], 0), (gone_out, 3)])
        print(f"\nin {before:.1f} LUFS, out {begun:.1f} at first, {after:.1f} after 12 s, {status[-1]['recipes']} recipes, "
              f"bound '{status[-1]['bound']}'")
        self.assertLess(before, TARGET_LUFS - 3)  # there is something to do
        self.assertLess(abs(after - TARGET_LUFS), 1.5)
        gains = [event["gainDb"] for event in status]
        self.assertLess(max(abs(b - a) for a, b in zip(gains, gains[1:])), 2.01)


class OtherSound(PlaybackTest):
    def test_two_clocks_are_bridged(self):
        with PulseSink(self.scratch / "pulse", RATE_HZ) as card, card.input() as voice:
            with Live(card, "--latency", "200", "--intensity", "0") as live, card.record() as recording:
                live.wait_event("opened")
                time.sleep(1)  # silence has filled the bridge
                voice.play(numpy.full((3 * RATE_HZ, 2), 0.25, "<f4"))
                recording.wait_for_sound(30)
                recording.wait_for_silence()
                self.assertEqual(live.interrupt(), 0, live.error_text())
            self.assertGreater((recording.samples() == 0.25).all(axis=1).sum(), 2 * RATE_HZ)

    def test_no_such_device(self):
        with JackDummy(self.scratch / "jack", RATE_HZ) as card, Live(card) as live:  # nobody is called "voice"
            self.assertEqual(live.wait(30), NO_DEVICE)
            self.assertIn("voice", live.error_text())


if __name__ == "__main__":
    unittest.main()
