"""The measure of switches, against switches made by hand: what is clean is found so, and every fault is told."""

import unittest

import numpy

from recordings import transient_db
from switches import FADE_SECONDS, Place, examine

RATE_HZ = 44100
FADE = round(FADE_SECONDS * RATE_HZ)


def track(seed):
    return (0.1 * numpy.random.default_rng(seed).standard_normal((10 * RATE_HZ, 2))).astype("<f4")


def switched(old, new, at, jump=0, gain=1.0, fade=FADE):
    """old up to frame `at`, a straight fade, new."""
    coming = numpy.float32(gain) * new[at + jump:]
    going = old[at:at + len(coming)][:len(coming)]
    weight = numpy.clip(numpy.arange(1, len(coming) + 1) / max(fade, 1), 0, 1).astype("<f4")[:, None]
    mixed = numpy.where(weight < 1, going[:len(coming)] + weight * (coming[:len(going)] - going), coming[:len(going)])
    return numpy.concatenate([old[:at], mixed]).astype("<f4")


class SwitchMeasure(unittest.TestCase):
    def setUp(self):
        self.old, self.new = track(1), track(2)

    def examine(self, recording, **options):
        return examine(recording, RATE_HZ, self.old, self.new, Place(0, 0), **options)

    def test_a_clean_one(self):
        switch, after = self.examine(switched(self.old, self.new, 50000))
        self.assertEqual((switch.first, switch.jump, switch.gain), (50000, 0, 1.0))
        self.assertLess(switch.fade_dbfs, -120)
        self.assertEqual(switch.steady_dbfs, -400)
        self.assertEqual(after, Place(50000 + FADE, 50000 + FADE, 1.0))

    def test_a_gain_is_found(self):
        switch, _ = self.examine(switched(self.old, self.new, 50000, gain=0.7))
        self.assertAlmostEqual(switch.gain, 0.7, places=6)
        self.assertLess(max(switch.fade_dbfs, switch.steady_dbfs), -120)

    def test_a_jump_is_found(self):
        switch, after = self.examine(switched(self.old, self.new, 50000, jump=2 * RATE_HZ + 17, gain=0.9),
                                     expected_jump=2 * RATE_HZ, reach_seconds=0.2)
        self.assertEqual(switch.jump, 2 * RATE_HZ + 17)
        self.assertLess(max(switch.fade_dbfs, switch.steady_dbfs), -120)
        self.assertEqual(after.wanted - after.heard, 2 * RATE_HZ + 17)

    def test_one_frame_of_time_lost_is_told(self):
        switch, _ = self.examine(switched(self.old, self.new, 50000, jump=1))
        self.assertGreater(switch.steady_dbfs, -40)

    def test_a_hard_cut_and_a_short_fade_are_told(self):
        for fade in [0, FADE // 2]:
            switch, _ = self.examine(switched(self.old, self.new, 50000, fade=fade))
            self.assertGreater(switch.fade_dbfs, -40)

    def test_a_click_in_the_fade_is_told(self):
        recording = switched(self.old, self.new, 50000)
        recording[50500] += 0.01
        self.assertGreater(self.examine(recording)[0].fade_dbfs, -41)

    def test_a_straight_fade_of_tones_has_no_corner(self):
        tone = numpy.sin(2 * numpy.pi * 300 / RATE_HZ * numpy.arange(2 * RATE_HZ))[:, None].repeat(2, axis=1) / 4
        faded = switched(tone.astype("<f4"), (0.5 * tone).astype("<f4"), 50000)
        self.assertLess(transient_db(faded), transient_db(switched(tone.astype("<f4"), (0.5 * tone).astype("<f4"), 50050, fade=0)) - 40)


if __name__ == "__main__":
    unittest.main()
