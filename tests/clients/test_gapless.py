"""One piece of music in two files: joined with no missing and no extra sample, through a resampler without a seam."""

import pathlib
import unittest
import wave

import numpy

from harness import run
from playback import Playback, PlaybackTest, in_parallel, soft_passage
from recordings import compare_below, resampled
from virtual_sound import JackDummy, PulseSink

RATE_HZ = 44100
CUT_FRAME = 3 * RATE_HZ + 1237  # on no grid of anything


class Gapless(PlaybackTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.whole = soft_passage(cls.shared / "whole.wav", 6)
        with wave.open(str(cls.whole)) as file:
            data = file.readframes(file.getnframes())
        cls.source = numpy.frombuffer(data, "<i2").reshape(-1, 2).astype("<f4") / 32768
        cls.parts = [cls.shared / "part 1.wav", cls.shared / "part 2.wav"]
        for part, piece in zip(cls.parts, [data[:4 * CUT_FRAME], data[4 * CUT_FRAME:]]):
            with wave.open(str(part), "wb") as file:
                file.setparams((2, 2, RATE_HZ, 0, "NONE", ""))
                file.writeframes(piece)

    def joined(self, *options):
        return numpy.concatenate([self.rendered(part, *options) for part in self.parts])

    def test_joined_sample_for_sample(self):
        def case(name, *options):
            with PulseSink(self.scratch / name, RATE_HZ) as card:
                recorded, ended = self.play(card, *self.parts, *options)
            result = self.assert_exact(recorded, self.joined(*options))
            self.assertEqual(ended["underruns"], 0)
            return f"pair {name}", "PulseSink 44100", result, ended["underruns"]

        self.assertTrue(numpy.array_equal(self.joined("--intensity", "0"), self.source))  # nothing is done to it: the oracle
        self.table(*in_parallel(lambda: case("untouched", "--intensity", "0"), lambda: case("enhanced"),
                                lambda: case("punchy", "--preset", "punchy")))

    def test_one_missing_frame_would_be_seen(self):
        with PulseSink(self.scratch / "pulse", RATE_HZ) as card:
            recorded, _ = self.play(card, *self.parts, "--intensity", "0")
        with self.assertRaises(AssertionError):
            self.assert_exact(recorded, numpy.delete(self.source, CUT_FRAME, axis=0))

    def test_no_seam_through_the_resampler(self):
        with JackDummy(self.scratch / "jack", 48000) as card:
            recorded, ended = self.play(card, *self.parts, "--intensity", "0")
        result = compare_below(recorded, resampled(self.source, RATE_HZ, 48000), 48000, 20000)
        self.table(("pair < 20 kHz", "JackDummy 48000", result, ended["underruns"]))
        self.assertLessEqual(result.peak_dbfs, -120)
        self.assertEqual((result.missing, ended["underruns"]), (0, 0))

    def test_an_unreadable_file_is_passed_over_and_told(self):
        broken = self.scratch / "broken.wav"
        broken.write_bytes(b"RIFF and then nothing of the kind")
        playlist = self.scratch / "list.m3u8"
        playlist.write_text("#EXTM3U\n" + "\n".join(str(path) for path in [self.parts[0], broken, "not there.flac",
                                                                           self.parts[1]]) + "\n")
        with PulseSink(self.scratch / "pulse", RATE_HZ) as card, card.record() as recording:
            with Playback(card.environment, *card.options, playlist, "--intensity", "0") as player:
                self.assertEqual(player.wait(), 1, player.error_text())
                skipped = player.of("skipped")
            recording.wait_for_silence()
        self.assertEqual({pathlib.Path(event["name"]).name for event in skipped}, {"broken.wav", "not there.flac"})
        self.assertTrue(all(event["reason"] for event in skipped), skipped)
        self.assert_exact(recording.samples(), self.source)  # and the two that can be read are still joined

    def test_a_folder_is_played_in_order(self):
        folder = self.scratch / "album"
        folder.mkdir()
        for part in self.parts:
            (folder / part.name).write_bytes(part.read_bytes())
        (folder / "cover.jpg").write_bytes(b"\xff\xd8\xff")
        with PulseSink(self.scratch / "pulse", RATE_HZ) as card:
            recorded, _ = self.play(card, folder, "--intensity", "0")
        self.assert_exact(recorded, self.source)

    def test_an_album_of_unequal_rates_reopens_the_device_and_loses_nothing(self):
        other = self.scratch / "48.wav"
        run("ffmpeg", "-v", "error", "-i", self.whole, "-ar", 48000, "-sample_fmt", "s16", other)
        with JackDummy(self.scratch / "jack", 48000) as card:
            recorded, ended = self.play(card, self.whole, other, "--intensity", "0")
        first = resampled(self.source, RATE_HZ, 48000)
        second = self.rendered(other, "--intensity", "0")
        at = compare_below(recorded, first, 48000, 20000)
        self.assertLessEqual(at.peak_dbfs, -120)
        found = self.assert_exact(recorded[at.at + len(first) - 4800:], second)
        self.assertEqual(found.at, 4800)
        self.assertEqual(ended["underruns"], 0)


if __name__ == "__main__":
    unittest.main()
