"""The comparisons of recordings, each against damage of known size."""

import unittest

import numpy

import recordings
from recordings import align, compare, compare_below, correlate, resampled, transient_db

RATE_HZ = 44100


def noise(seconds, seed=1):
    return (0.1 * numpy.random.default_rng(seed).standard_normal((round(seconds * RATE_HZ), 2))).astype("<f4")


def silence(frames):
    return numpy.zeros((frames, 2), "<f4")


def tones(rate_hz, seconds, delay_frames=0):
    """Sines below 15 kHz that fade in and out, written down for any rate."""
    time = (numpy.arange(round(seconds * rate_hz)) - delay_frames) / rate_hz
    window = numpy.where((time > 0) & (time < seconds), numpy.sin(numpy.pi * time / seconds) ** 4, 0)
    left = sum(numpy.sin(2 * numpy.pi * f * time + f) for f in [110.3, 1000.7, 5011.1, 14900.9]) / 8
    return numpy.stack([left * window, 0.5 * left * window], axis=1)


class Recordings(unittest.TestCase):
    def setUp(self):
        self.reference = noise(2)

    def recorded(self, *parts):
        return numpy.concatenate([silence(777), *parts, silence(5000)])

    def test_the_same_is_exact(self):
        result = compare(self.recorded(self.reference), self.reference)
        self.assertTrue(result.exact())
        self.assertEqual((result.at, result.frames, result.gap_frames), (777, len(self.reference), 0))
        self.assertEqual(result.peak_dbfs, recordings.SILENT_DBFS)

    def test_silence_at_the_ends_of_the_reference_counts_as_played(self):
        reference = numpy.concatenate([silence(3000), self.reference, silence(400)])
        result = compare(self.recorded(reference), reference)
        self.assertTrue(result.exact(), result)
        self.assertEqual(result.at, 777)

    def test_a_hole_is_missing(self):
        result = compare(self.recorded(self.reference[:30000], self.reference[30441:]), self.reference)
        self.assertEqual((result.missing, result.extra, result.gap_frames), (441, 0, 0))
        self.assertFalse(result.exact())

    def test_one_frame_less_is_missing(self):
        result = compare(self.recorded(self.reference[:30000], self.reference[30001:]), self.reference)
        self.assertEqual((result.missing, result.extra), (1, 0))

    def test_a_pause_is_extra_and_a_gap(self):
        result = compare(self.recorded(self.reference[:30000], silence(512), self.reference[30000:]), self.reference)
        self.assertEqual((result.missing, result.extra, result.gap_frames), (0, 512, 512))

    def test_a_muted_stretch_is_changed_and_a_gap(self):
        muted = self.reference.copy()
        muted[30000:30100] = 0
        result = compare(self.recorded(muted), self.reference)
        self.assertEqual((result.missing, result.extra, result.gap_frames), (0, 0, 100))
        self.assertGreaterEqual(result.changed, 100)

    def test_what_was_heard_twice_is_extra(self):
        result = compare(self.recorded(self.reference[:30000], self.reference[29000:]), self.reference)
        self.assertEqual((result.missing, result.extra), (0, 1000))

    def test_a_beginning_or_an_end_that_lacks_is_missing(self):
        self.assertEqual(compare(self.recorded(self.reference[500:]), self.reference).missing, 500)
        self.assertEqual(compare(self.recorded(self.reference[:-500]), self.reference).missing, 500)

    def test_something_after_the_end_is_extra(self):
        self.assertEqual(compare(self.recorded(self.reference, noise(0.01, 3)), self.reference).extra, 441)

    def test_one_bit_is_told_in_db(self):
        other = self.reference.copy()
        other[40000, 1] += numpy.float32(1e-3)
        result = compare(self.recorded(other), self.reference)
        self.assertGreaterEqual(result.changed, 1)
        self.assertAlmostEqual(result.peak_dbfs, -60, delta=0.01)
        self.assertAlmostEqual(result.rms_dbfs, -60 - 10 * numpy.log10(2 * len(self.reference)), delta=0.01)

    def test_something_else_is_nowhere(self):
        self.assertIsNone(align(self.recorded(noise(2, 9)), self.reference))
        self.assertEqual(compare(self.recorded(noise(2, 9)), self.reference).missing, len(self.reference))

    def test_resampling_in_the_oracle_is_exact(self):
        error = resampled(tones(RATE_HZ, 2), RATE_HZ, 48000) - tones(48000, 2)
        self.assertLess(recordings.dbfs(numpy.abs(error).max()), -200)

    def test_after_resampling_a_difference_is_told_in_db(self):
        reference = resampled(tones(RATE_HZ, 2), RATE_HZ, 48000)
        played = numpy.concatenate([silence(1234), tones(48000, 2), silence(9000)])
        self.assertEqual(correlate(played, reference), 1234)
        self.assertLess(compare_below(played, reference, 48000, 20000).peak_dbfs, -150)
        late = numpy.concatenate([silence(1234), tones(48000, 2, 0.001), silence(9000)])  # by 20 ns
        self.assertGreater(compare_below(late, reference, 48000, 20000).peak_dbfs, -80)
        played[50000, 0] += 1e-5
        self.assertGreater(compare_below(played, reference, 48000, 20000).peak_dbfs, -104)

    def test_above_the_limit_nothing_counts(self):
        reference = tones(48000, 2)
        frames = numpy.arange(len(reference))
        hiss = 1e-3 * numpy.sin(2 * numpy.pi * 22000 / 48000 * frames) * numpy.sin(numpy.pi * frames / len(frames)) ** 4
        self.assertLess(compare_below(reference + hiss[:, None], reference, 48000, 20000).peak_dbfs, -150)
        self.assertAlmostEqual(compare_below(reference + hiss[:, None], reference, 48000, 23900).peak_dbfs, -60, delta=0.1)

    def test_a_click_stands_out(self):
        smooth = tones(RATE_HZ, 2)
        clicked = smooth.copy()
        clicked[RATE_HZ:] += 0.05
        self.assertGreater(transient_db(clicked), transient_db(smooth) - 100)
        low = numpy.sin(2 * numpy.pi * 200 / RATE_HZ * numpy.arange(RATE_HZ))[:, None]
        cut = numpy.concatenate([low[:20000], low[20050:]])
        self.assertGreater(transient_db(cut), transient_db(low) + 40)


if __name__ == "__main__":
    unittest.main()
