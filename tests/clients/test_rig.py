"""The rig itself: what a virtual sound card recorded is what was played, from the first sample to the last."""

import os
import pathlib
import subprocess
import threading
import time
import unittest

import numpy

import virtual_sound
from harness import SystemTest, position_of
from virtual_sound import JACK_PIPE, JackDummy, PulseSink, first_sound, start

RATE_HZ = 44100


def ramp(frames):
    """Every frame is another one, none is silent, all are exact in float."""
    steps = numpy.arange(1, frames + 1) / 2 ** 23
    return numpy.stack([steps, -steps], axis=1).astype("<f4")


def play_raw(card, samples):
    command = [JACK_PIPE, "play", f"player-{card.folder.name}", "system"]
    if isinstance(card, PulseSink):
        command = ["ffmpeg", "-v", "error", "-f", "f32le", "-ar", card.rate, "-ac", card.channels, "-i", "-",
                   "-c:a", "pcm_f32le", "-f", "alsa", "default"]
    player = start(command, card.environment, stdin=subprocess.PIPE)
    player.communicate(samples.tobytes(), timeout=60)
    if player.returncode != 0:
        raise AssertionError(f"{command[0]} exited {player.returncode}")


def heard(recording):
    samples = recording.samples()
    sounding = samples.any(axis=1)
    return samples[first_sound(samples) - 1:len(samples) - sounding[::-1].argmax()]


def children():
    """Processes of this one and of its children."""
    parents = {int(stat.split()[0]): int(stat.rsplit(")", 1)[1].split()[1]) for stat in all_stats()}
    mine = {os.getpid()}
    while True:
        more = {child for child, parent in parents.items() if parent in mine} | mine
        if more == mine:
            return mine - {os.getpid()}
        mine = more


def all_stats():
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            yield (folder / "stat").read_text()
        except OSError:
            pass  # ended meanwhile


class Rig(SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        assert not virtual_sound.missing_programs(), virtual_sound.missing_programs()

    def cards(self):
        return [PulseSink(self.scratch / "pulse", RATE_HZ), JackDummy(self.scratch / "jack", RATE_HZ),
                JackDummy(self.scratch / "jack48", 48000)]

    def test_a_ramp_is_recorded_bit_for_bit(self):
        for card in self.cards():
            with self.subTest(card.folder.name), card:
                with card.record() as recording:
                    begun = time.monotonic()
                    play_raw(card, ramp(3 * card.rate))
                    recording.wait_for_silence()
                played = heard(recording)
                self.assertEqual(len(played), 3 * card.rate)
                self.assertTrue(numpy.array_equal(played, ramp(3 * card.rate)))
                first = first_sound(recording.samples()) - 1
                self.assertGreater(recording.arrived(first), begun)
                self.assertGreaterEqual(recording.arrived(first + card.rate) - recording.arrived(first), 0.5)

    def test_one_wrong_sample_would_be_seen(self):
        with PulseSink(self.scratch / "pulse", RATE_HZ) as card, card.record() as recording:
            play_raw(card, ramp(RATE_HZ) * numpy.float32(1 + 2 ** -22))
            recording.wait_for_silence()
            self.assertFalse(numpy.array_equal(heard(recording), ramp(RATE_HZ)))

    def test_two_cards_at_once_hear_each_its_own(self):
        with JackDummy(self.scratch / "one", RATE_HZ) as one, JackDummy(self.scratch / "two", RATE_HZ) as two:
            with one.record() as first, two.record() as second:
                threads = [threading.Thread(target=play_raw, args=(card, ramp(RATE_HZ)[begin:]))
                           for card, begin in [(one, 0), (two, 1000)]]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                first.wait_for_silence()
                second.wait_for_silence()
            self.assertTrue(numpy.array_equal(heard(first), ramp(RATE_HZ)))
            self.assertTrue(numpy.array_equal(heard(second), ramp(RATE_HZ)[1000:]))

    def test_an_unplugged_card_comes_back(self):
        for card in self.cards()[:2]:
            with self.subTest(card.folder.name), card:
                with card.record() as recording:
                    card.unplug()
                    recording.process.wait(20)
                card.plug()
                with card.record() as recording:
                    play_raw(card, ramp(RATE_HZ))
                    recording.wait_for_silence()
                self.assertTrue(numpy.array_equal(heard(recording), ramp(RATE_HZ)))

    def test_an_input_sounds_without_a_hole(self):
        for card in self.cards()[:2]:
            with self.subTest(card.folder.name), card, card.input() as source:
                command = ["parec", "-d", "voice.monitor", "--format=float32le", f"--rate={RATE_HZ}", "--channels=2",
                           "--latency-msec=10", "--raw"]
                if isinstance(card, JackDummy):
                    command = [JACK_PIPE, "record", "voice:out_"]
                with virtual_sound.Recording(command, card.environment, RATE_HZ, 2) as recording:
                    source.play(ramp(2 * RATE_HZ))
                    recording.wait_for_sound()
                    recording.wait_for_silence()
                self.assertEqual(position_of(ramp(2 * RATE_HZ), recording.samples()), first_sound(recording.samples()) - 1)

    def test_nothing_is_left_behind(self):
        before = {path.name for path in pathlib.Path("/dev/shm").iterdir()} | {"jack-shm-registry"}
        names = []
        for card in self.cards():
            with card, card.record(), card.input():
                names.append(getattr(card, "name", "pulse"))
                self.assertTrue(children())
        self.assertEqual(children(), set())
        left = {path.name for path in pathlib.Path("/dev/shm").iterdir()} - before
        self.assertFalse([name for name in left if any(of in name for of in names)], left)


if __name__ == "__main__":
    unittest.main()
