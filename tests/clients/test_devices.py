"""Devices that go and come back, that are not there, that cannot do what is asked; and a terminal left as it was found."""

import signal
import time
import unittest

from playback import Playback, PlaybackTest, in_parallel, passage
from recordings import align
from virtual_sound import JACK_PIPE, JackDummy, PulseSink, wait_for

RATE_HZ = 44100
BUSY_CARD = JACK_PIPE.parent / "busy_card.so"
NO_DEVICE, BUSY, UNSUPPORTED = 3, 4, 5


class Unplugged(PlaybackTest):
    def case(self, card, source):
        """Unplugged for two seconds; the rest is heard from about there on, to its end."""
        reference = self.rendered(source)
        with card:
            with Playback(card.environment, *card.options, source) as player:
                with card.record() as recording:
                    recording.wait_for_sound(60)
                    time.sleep(2)
                    card.unplug()
                before = recording.samples()
                lost = player.wait_event("deviceLost", seconds=30)
                time.sleep(2)
                card.plug()
                with card.record() as recording:
                    player.wait_event("deviceOpened", 2, seconds=60)
                    self.assertEqual(player.wait(), 0, player.error_text())
                    recording.wait_for_silence()
                after = recording.samples()
        first, second = align(before, reference), align(after, reference, 2 * RATE_HZ)
        self.assertTrue(first and second, (first, second, lost))
        heard_before = first[1] + len(before) - first[0]
        print(f"\n{type(card).__name__}: heard until {heard_before / RATE_HZ:.2f} s, again from {second[1] / RATE_HZ:.2f} s")
        self.assertLessEqual(abs(second[1] - heard_before), 2 * RATE_HZ)
        end = second[0] + len(reference) - second[1]
        self.assertTrue((after[second[0]:end] == reference[second[1]:]).all())

    def test_comes_back(self):
        source = passage(self.scratch / "music.wav", 8)
        in_parallel(lambda: self.case(PulseSink(self.scratch / "pulse", RATE_HZ), source),
                    lambda: self.case(JackDummy(self.scratch / "jack", RATE_HZ), source))

    def test_can_be_ended_while_it_is_away(self):
        source = passage(self.scratch / "music.wav", 12)
        with PulseSink(self.scratch / "pulse", RATE_HZ) as card:
            with Playback(card.environment, *card.options, source) as player:
                player.wait_event("started")
                time.sleep(1)
                card.unplug()
                player.wait_event("deviceLost", seconds=30)
                player.key("q")
                self.assertEqual(player.wait(20), 0)


class NotPossible(PlaybackTest):
    def refused(self, card, code, *arguments):
        with Playback(card.environment, *arguments) as player:
            self.assertEqual(player.wait(30), code, player.error_text())
            return player.error_text() + str(player.events)

    def test_no_device(self):
        source = passage(self.scratch / "music.wav", 2)
        with PulseSink(self.scratch / "pulse", RATE_HZ) as card:
            said = self.refused(card, NO_DEVICE, source, "--device", "Theremin")
            self.assertIn("Theremin", said)
            self.assertIn("default", said)  # and what there is instead
        with self.subTest("and no server"):
            self.refused(card, NO_DEVICE, source)

    def test_a_device_that_another_program_has_taken(self):
        source = passage(self.scratch / "music.wav", 2)
        with PulseSink(self.scratch / "pulse", RATE_HZ) as card:
            card.environment.update({"LD_PRELOAD": str(BUSY_CARD), "BUSY_CARD_AFTER": "1"})  # free when it is listed
            self.assertIn("default", self.refused(card, BUSY, source, "--device", "default"))

    def test_a_rate_that_the_device_cannot_do(self):
        source = passage(self.scratch / "music.wav", 2)
        with JackDummy(self.scratch / "jack", 48000) as card:
            self.assertIn("44100", self.refused(card, UNSUPPORTED, source, "--device", "system", "--rate", "44100").replace(
                "44.1 kHz", "44100"))

    def test_nothing_that_can_be_played(self):
        broken = self.scratch / "broken.flac"
        broken.write_bytes(b"fLaC, says the file")
        with PulseSink(self.scratch / "pulse", RATE_HZ) as card:
            self.assertIn("broken.flac", self.refused(card, 1, broken, "--device", "default"))


class Terminal(PlaybackTest):
    def ending(self, card, source, end, code):
        with Playback(card.environment, *card.options, source, as_json=False) as player:
            while b"0:0" not in player.screen and player.process.poll() is None:  # the status block
                time.sleep(0.05)
            self.assertNotEqual(player.settings(), player.settings_before)  # keys are read as they are typed
            time.sleep(0.5)
            end(player)
            self.assertEqual(player.wait(60), code, player.screen[-500:] + player.error_text().encode())
            self.assertEqual(player.settings(), player.settings_before)
            wait_for(lambda: player.screen.rfind(b"\x1b[?25l") < player.screen.rfind(b"\x1b[?25h"), "the cursor")
            return player.screen

    def test_is_left_as_it_was_found(self):
        source = passage(self.scratch / "music.wav", 12)
        with PulseSink(self.scratch / "pulse", RATE_HZ) as card:
            self.ending(card, source, lambda player: player.key("q"), 0)
            self.ending(card, source, lambda player: player.key("\x03"), 128 + signal.SIGINT)  # Ctrl-C
            self.ending(card, source, lambda player: player.process.send_signal(signal.SIGTERM), 128 + signal.SIGTERM)
            screen = self.ending(card, source, lambda player: None, 0)
        self.assertIn(b"adaptive", screen)


if __name__ == "__main__":
    unittest.main()
