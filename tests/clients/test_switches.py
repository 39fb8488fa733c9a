"""Keys typed while it plays, found again in the recording: heard within 100 ms, faded over in 30 ms, nothing else changed,
and time goes on. One piece is played with all of them; the tests look at it from different sides."""

import math
import re
import statistics
import subprocess
import time
import unittest

import numpy

from playback import DOWN, LEFT, RIGHT, UP, Playback, PlaybackTest, float_samples, passage
from recordings import align
from switches import Place, examine
from virtual_sound import JackDummy

RATE_HZ = 44100
PERIOD_FRAMES = 256
HEARD_WITHIN_MS = 100.0
CLEAN_DBFS = -120.0
LOUDNESS_BAR_LU = 0.5
SEEKS = {RIGHT: 5, LEFT: -5, UP: 30, DOWN: -30}
SEEK_REACH_SECONDS = 0.3  # between the key and the fade, time goes on
NAMES = {RIGHT: "+5 s", LEFT: "-5 s", UP: "+30 s", DOWN: "-30 s"}
# Never heard before, so rendered while one waits, but for the last ones.
KEYS = ["2", "3", "4", "5", "6", "7", "8", "1", "[", "[", "]", "a", "a", RIGHT, LEFT, UP, "a", RIGHT, "a", DOWN, "3", "a", "2", "a"]


def loudness(samples):
    """Integrated, in LUFS, by ffmpeg's meter."""
    said = subprocess.run(["ffmpeg", "-v", "info", "-nostats", "-f", "f32le", "-ar", str(RATE_HZ), "-ac", "2", "-i", "-", "-af",
                           "ebur128", "-f", "null", "-"], input=samples.astype("<f4").tobytes(), stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, timeout=120, check=True).stderr.decode(errors="replace")
    return float(re.findall(r"I:\s+(-?[\d.]+) LUFS", said)[-1])


class Switches(PlaybackTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.source = passage(cls.shared / "music.wav", 90)
        with JackDummy(cls.shared / "jack", RATE_HZ, PERIOD_FRAMES) as card, card.record() as recording:
            with Playback(card.environment, "--device", card.device, cls.source) as player:
                recording.wait_for_sound(60)
                cls.typed = cls.type_keys(player)
                player.key("q")
                cls.code = player.wait()
                cls.events = player.of("switched")
                cls.ended = player.of("ended")[-1]
        cls.recorded, cls.recording = recording.samples(), recording
        cls.references = {}

    @classmethod
    def type_keys(cls, player):
        """The moments. Each waits for the one before to be heard, and for no round number."""
        moments = []
        for index, key in enumerate(KEYS):
            time.sleep(0.6 + 0.037 * (index % 7))
            moments.append(player.key(key))
            player.wait_event("switched", index + 1)
        time.sleep(0.6)
        return moments

    def reference(self, event):
        """What should be heard after an event, but for the gain of a comparison."""
        key = "original" if event["original"] else (event["preset"], round(event["intensity"], 6))
        if key not in self.references:
            self.references[key] = (float_samples(self.source, 2) if event["original"] else
                                    self.rendered(self.source, "--preset", key[0], "--intensity", key[1]))
        return self.references[key]

    def switches(self):
        """(key, event, switch, place after it) of every key, in order; followed through the whole recording."""
        if not hasattr(type(self), "found"):
            old = self.rendered(self.source)
            place = Place(*align(self.recorded, old))
            type(self).found = []
            for key, event in zip(KEYS, self.events):
                new = self.reference(event)
                jump = SEEKS.get(key, 0) * RATE_HZ
                switch, place = examine(self.recorded, RATE_HZ, old, new, place, jump, SEEK_REACH_SECONDS if jump else 0)
                self.found.append((key, event, switch, place))
                old = new
        return self.found

    def test_every_key_is_heard_within_100_ms(self):
        print(f"\n{'key':6} {'heard ms':>8} {'fade off dBFS':>13} {'after off dBFS':>14} {'jump s':>7} {'gain dB':>7}")
        waits = []
        for (key, _, switch, _), typed in zip(self.switches(), self.typed):
            waits.append(1000 * (self.recording.arrived(switch.first) - typed))
            print(f"{NAMES.get(key, key):6} {waits[-1]:8.1f} {switch.fade_dbfs:13.1f} {switch.steady_dbfs:14.1f} "
                  f"{switch.jump / RATE_HZ:7.3f} {20 * math.log10(max(switch.gain, 1e-9)):7.2f}")
        print(f"heard after {statistics.median(waits):.1f} ms in the median, {max(waits):.1f} ms at worst, of {len(waits)}")
        self.assertGreater(min(waits), 0)
        self.assertLessEqual(max(waits), HEARD_WITHIN_MS)

    def test_a_switch_is_a_fade_and_then_the_new_version(self):
        for key, event, switch, _ in self.switches():
            with self.subTest(NAMES.get(key, key), preset=event["preset"]):
                self.assertLessEqual(switch.fade_dbfs, CLEAN_DBFS)
                self.assertLessEqual(switch.steady_dbfs, CLEAN_DBFS)

    def test_time_goes_on_and_seeks_land(self):
        for key, _, switch, _ in self.switches():
            with self.subTest(NAMES.get(key, key)):
                if key in SEEKS:
                    self.assertLessEqual(abs(switch.jump / RATE_HZ - SEEKS[key]), SEEK_REACH_SECONDS)
                else:
                    self.assertEqual(switch.jump, 0)

    def test_without_a_comparison_there_is_no_gain(self):
        for key, event, switch, _ in self.switches()[:KEYS.index("a")]:
            with self.subTest(NAMES.get(key, key), preset=event["preset"]):
                self.assertEqual(switch.gain, 1.0)

    def test_a_and_b_are_as_loud(self):
        compared = [(event, switch) for key, event, switch, _ in self.switches() if key == "a"]
        levels = [loudness(numpy.float32(switch.gain) * self.reference(event)) for event, switch in compared]
        for (event, switch), level in zip(compared, levels):
            print(f"{'original' if event['original'] else event['preset']:10} {20 * math.log10(switch.gain):6.2f} dB "
                  f"{level:6.1f} LUFS")
        for before, after in zip(levels[0::2], levels[1::2]):
            self.assertLessEqual(abs(before - after), LOUDNESS_BAR_LU)
        for event, switch in compared:
            self.assertAlmostEqual(20 * math.log10(switch.gain), event["matchGainDb"], delta=0.01)

    def test_the_end_of_it(self):
        self.assertEqual(self.code, 0)
        self.assertEqual((self.ended["underruns"], len(self.events)), (0, len(KEYS)))


if __name__ == "__main__":
    unittest.main()
