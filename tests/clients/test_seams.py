"""Chunked against whole: `lacquer render --depth float` with and without --whole, on real music and on hard sections.

Bars: RMS of the residual over any second at most -150 dBFS, its peak at most -140 dBFS, the gain step at a seam at most
0.001 dB. The control, without context and overlap, must miss them."""

import tempfile
import unittest

import numpy

from harness import LACQUER, MUSIC, SystemTest, run

RATE_HZ = 44100
RMS_BAR_DBFS, PEAK_BAR_DBFS, STEP_BAR_DB = -150.0, -140.0, 0.001


def db(amplitude):
    return 20 * numpy.log10(max(float(amplitude), 1e-20))


def float_samples(path):
    return numpy.frombuffer(run("ffmpeg", "-v", "error", "-i", path, "-f", "f32le", "-"), "<f4").reshape(-1, 2)


def residual(chunked, whole):
    """Largest RMS over any second and largest peak of the difference, in dBFS."""
    power = ((chunked.astype("f8") - whole.astype("f8")) ** 2).mean(axis=1)
    sums = numpy.concatenate(([0.0], numpy.cumsum(power)))
    windows = sums[RATE_HZ:] - sums[:-RATE_HZ]
    return db(numpy.sqrt(max(windows.max(), 0.0) / RATE_HZ)), db(numpy.abs(chunked - whole).max())


def largest_step(chunked, whole):
    """Change of the gain of chunked over whole across any seam, half a second either side, in dB."""
    steps = []
    for seam in range(30 * RATE_HZ, len(whole) - RATE_HZ, 30 * RATE_HZ):
        gains = []
        for part in (slice(seam - RATE_HZ // 2, seam), slice(seam, seam + RATE_HZ // 2)):
            reference = numpy.sqrt((whole[part].astype("f8") ** 2).mean())
            gains.append(db(numpy.sqrt((chunked[part].astype("f8") ** 2).mean())) - db(reference))
        steps.append(abs(gains[1] - gains[0]))
    return max(steps)


def sections_15_db_apart(path):
    """Seeded noise bursts over a chord, in sections of 30 s whose levels differ by 15 dB; the borders lie off the grid."""
    generator = numpy.random.default_rng(7)
    time = numpy.arange(100 * RATE_HZ) / RATE_HZ
    tone = sum(numpy.sin(2 * numpy.pi * f * time + i) for i, f in enumerate([55, 220, 277.2, 329.6, 2200])) / 5
    bursts = generator.standard_normal((len(time), 2)) * (0.2 + (time % 0.5 < 0.08))[:, None] / 4
    level = numpy.where((time + 17) // 30 % 2 == 0, 0.9, 0.9 * 10 ** (-15 / 20))
    audio = ((tone[:, None] + bursts) * level[:, None] / 1.6).clip(-1, 1)
    raw = path.with_suffix(".raw")
    (audio * 32767).astype("<i2").tofile(raw)
    run("ffmpeg", "-v", "error", "-y", "-f", "s16le", "-ar", RATE_HZ, "-ac", 2, "-i", raw, path)


class Seams(SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        sections_15_db_apart(cls.shared / "sections.wav")
        run("ffmpeg", "-v", "error", "-y", "-i", sorted(MUSIC.glob("*.ogg"))[3], "-t", 130, "-ar", RATE_HZ, "-sample_fmt",
            "s16", cls.shared / "real.wav")

    def render(self, source, preset, *options):
        out = self.scratch / f"{len(list(self.scratch.iterdir()))}.wav"
        run(LACQUER, "render", source, "-o", out, "--preset", preset, "--depth", "float", "--cache-dir",
            tempfile.mkdtemp(dir=self.scratch), "--state-dir", self.scratch / "state", *options)
        return float_samples(out)

    def test_chunked_equals_whole_within_the_bars(self):
        print(f"\n{'material':10} {'preset':9} {'RMS dBFS':>9} {'peak dBFS':>10} {'step dB':>9}")
        for material in ["real", "sections"]:
            for preset in ["adaptive", "punchy", "night"]:
                source = self.shared / f"{material}.wav"
                whole = self.render(source, preset, "--whole")
                chunked = self.render(source, preset)
                self.assertEqual(len(whole), len(chunked))
                rms, peak = residual(chunked, whole)
                step = largest_step(chunked, whole)
                print(f"{material:10} {preset:9} {rms:9.1f} {peak:10.1f} {step:9.6f}")
                self.assertLessEqual(rms, RMS_BAR_DBFS)
                self.assertLessEqual(peak, PEAK_BAR_DBFS)
                self.assertLessEqual(step, STEP_BAR_DB)

    def test_no_context_and_no_overlap_miss_them(self):
        print()
        for preset in ["adaptive", "punchy", "night"]:
            whole = self.render(self.shared / "sections.wav", preset, "--whole")
            control = self.render(self.shared / "sections.wav", preset, "--no-context")
            rms, peak = residual(control, whole)
            step = largest_step(control, whole)
            print(f"control    {preset:9} {rms:9.1f} {peak:10.1f} {step:9.6f}")
            self.assertGreater(rms, RMS_BAR_DBFS)
            self.assertGreater(peak, PEAK_BAR_DBFS)
            self.assertGreater(step, STEP_BAR_DB)


if __name__ == "__main__":
    unittest.main()
