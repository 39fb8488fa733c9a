"""Pause, next, previous: what is silent, and what comes after it."""

import time
import unittest

import numpy

from playback import Playback, PlaybackTest, passage
from recordings import align, dbfs
from switches import FADE_SECONDS, Place, differs_from
from virtual_sound import JackDummy, PulseSink

RATE_HZ = 44100
FADE = round(FADE_SECONDS * RATE_HZ)


class Pause(PlaybackTest):
    def test_nothing_is_lost(self):
        source = passage(self.scratch / "music.wav", 6)
        for card in [PulseSink(self.scratch / "pulse", RATE_HZ), JackDummy(self.scratch / "jack", RATE_HZ)]:
            with self.subTest(type(card).__name__), card, card.record() as recording:
                with Playback(card.environment, *card.options, source) as player:
                    recording.wait_for_sound(60)
                    for count in [1, 3]:
                        recording.wait_for_frames(round(1.1 * RATE_HZ))
                        player.key(" ")
                        paused = player.wait_event("switched", count)
                        recording.wait_for_frames(round(0.7 * RATE_HZ))
                        player.key(" ")
                        resumed = player.wait_event("switched", count + 1)
                        self.assertEqual((paused["state"], resumed["state"]), ("paused", "playing"))
                    self.assertEqual(player.wait(), 0)
                    self.assertEqual(player.of("ended")[-1]["underruns"], 0)
                recording.wait_for_silence()
                self.follow(recording.samples(), self.rendered(source))

    def follow(self, recorded, reference):
        """The render, but for 30 ms that fade out and 30 ms that fade in, with silence between."""
        place = Place(*align(recorded, reference))
        falling = 1 - (numpy.arange(1, FADE + 1) / FADE)[:, None]
        for _ in range(2):
            out = self.near(differs_from(recorded, reference, place), recorded, reference, place, falling)
            silent = out + FADE - 1  # where the fade has come to nothing: the first frame that was not heard
            back = silent + int(recorded[silent:].any(axis=1).argmax())
            self.assertGreater(back - silent, 0.3 * RATE_HZ)
            rest = place.wanted + silent - place.heard
            rising = (numpy.arange(1, FADE + 1) / FADE)[:, None]
            difference = recorded[back:back + FADE] - rising * reference[rest:rest + FADE]
            self.assertLessEqual(dbfs(numpy.abs(difference).max()), -120)
            place = Place(back + FADE, rest + FADE)
        self.assertEqual(differs_from(recorded, reference, place), place.heard + len(reference) - place.wanted)

    def near(self, seen, recorded, reference, place, weight):
        """The first frame of the fade: the first ones may be as before."""
        def error(first):
            wanted = place.wanted + first - place.heard
            return numpy.abs(recorded[first:first + FADE] - weight * reference[wanted:wanted + FADE]).max()
        first = min(range(seen - 8, seen + 1), key=error)
        self.assertLessEqual(dbfs(error(first)), -120)
        return first


class Tracks(PlaybackTest):
    def test_next_and_previous(self):
        tracks = [passage(self.scratch / f"{number}.wav", 12, start=30 * number) for number in range(3)]
        with JackDummy(self.scratch / "jack", RATE_HZ) as card, card.record() as recording:
            with Playback(card.environment, *card.options, *tracks) as player:
                recording.wait_for_sound(60)
                for key in ["n", "n", "p"]:  # to the third, and from its beginning back to the second
                    time.sleep(1)
                    heard = len(player.of("switched", "started"))
                    player.key(key)
                    player.wait_event("started", len(player.of("started")) + (len(player.of("switched", "started")) == heard))
                time.sleep(1)
                player.key("q")
                self.assertEqual(player.wait(), 0)
                started = [event["track"]["number"] for event in player.of("started")]
        self.assertEqual(started, [1, 2, 3, 2])
        recorded = recording.samples()
        faded = [(number, align(recorded, self.rendered(tracks[number - 1]), FADE)) for number in [1, 2, 3]]
        self.assertTrue(all(place for _, place in faded), faded)


if __name__ == "__main__":
    unittest.main()
