"""Files that break careless programs, through `lacquer render`: what comes out is finite, of the right length, below the
ceiling, and the same in chunks as in one pass, so that nothing bursts at a boundary."""

import os
import struct
import subprocess
import time
import unittest

import numpy

from harness import LACQUER, SystemTest, run

CEILING = 10 ** (-1 / 20)
SHORT_CHUNKS = ["--chunk.body", 5, "--chunk.overlap", 1, "--chunk.context", 5]


def write_float_wav(path, samples, rate):
    """Float WAV by hand, so that NaN and Inf get in as they are."""
    channels = samples.shape[1]
    data = samples.astype("<f4").tobytes()
    format_chunk = struct.pack("<HHIIHHH", 3, channels, rate, rate * channels * 4, channels * 4, 32, 0)
    body = b"WAVEfmt " + struct.pack("<I", len(format_chunk)) + format_chunk
    body += b"fact" + struct.pack("<II", 4, len(samples)) + b"data" + struct.pack("<I", len(data)) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)


def read_float_wav(path):
    data = path.read_bytes()
    at, channels = 12, None
    while at + 8 <= len(data):
        name, size = data[at:at + 4], struct.unpack("<I", data[at + 4:at + 8])[0]
        if name == b"fmt ":
            channels = struct.unpack("<H", data[at + 10:at + 12])[0]
        if name == b"data":
            return numpy.frombuffer(data[at + 8:at + 8 + size], "<f4").reshape(-1, channels)
        at += 8 + size + size % 2
    raise AssertionError(f"{path} has no data")


def pink(frames, channels, level=0.1, seed=1):
    random = numpy.random.default_rng(seed)
    spectrum = numpy.fft.rfft(random.standard_normal((frames, channels)), axis=0)
    spectrum /= numpy.sqrt(numpy.maximum(numpy.arange(len(spectrum)), 1))[:, None]
    noise = numpy.fft.irfft(spectrum, frames, axis=0)
    return noise / noise.std() * level


class Robust(SystemTest):
    def render(self, samples, rate, *options, preset="adaptive"):
        source, output = self.scratch / "in.wav", self.scratch / "out.wav"
        write_float_wav(source, samples, rate)
        run(LACQUER, "render", source, "-o", output, "--depth", "float", "--preset", preset, "--cache-dir",
            self.scratch / f"cache{time.monotonic_ns()}", "--state-dir", self.scratch / "state", *options)
        return read_float_wav(output)

    def check(self, name, samples, rate, preset="adaptive"):
        chunks = self.render(samples, rate, *SHORT_CHUNKS, preset=preset)
        whole = self.render(samples, rate, "--whole", preset=preset)
        self.assertEqual(chunks.shape, samples.shape, name)
        self.assertTrue(numpy.isfinite(chunks).all(), name)
        peak = float(abs(chunks).max()) if len(chunks) else 0.0
        apart = float(abs(chunks.astype(float) - whole).max()) if len(chunks) else 0.0
        print(f"{name:34s} {len(samples):8d} frames, peak {20 * numpy.log10(max(peak, 1e-10)):7.2f} dBFS, "
              f"chunks against whole {20 * numpy.log10(max(apart, 1e-10)):7.1f} dB")
        self.assertLessEqual(peak, CEILING, name)
        self.assertLess(apart, 10 ** (-120 / 20), name)
        return chunks

    def test_signals_at_the_edge(self):
        rate, frames = 44100, 44100 * 17
        time_s = numpy.arange(frames) / rate
        square = numpy.sign(numpy.sin(2 * numpy.pi * 100.3 * time_s))
        for name, wave in {"silence": 0 * time_s, "DC": 0 * time_s + 0.5, "full-scale square": square,
                           "square of +12 dBFS": 4 * square,
                           "full-scale tone at 0.49 of the rate": numpy.sin(2 * numpy.pi * 0.49 * rate * time_s),
                           "denormal noise": 1e-41 * numpy.sign(numpy.sin(time_s))}.items():
            out = self.check(name, numpy.stack([wave, wave], axis=1), rate)
            if name == "silence":
                self.assertFalse(out.any())

    def test_what_is_no_number_becomes_silence_and_spreads_nowhere(self):
        rate = 44100
        clean = pink(rate * 17, 2)
        for name, value in {"NaN": numpy.nan, "+Inf": numpy.inf, "-Inf": -numpy.inf, "1e38": 1e38}.items():
            broken = clean.copy()
            for second in [0, 4.999, 5, 5.5, 6, 12]:
                broken[int(second * rate):int(second * rate) + 3, 0] = value
            out = self.check(f"noise with {name}", broken, rate)
            if name != "1e38":
                self.assertGreater(out[-rate:].std(), 0.03, name)
        self.check("nothing but NaN", numpy.full((rate * 7, 2), numpy.nan), rate)

    def test_every_rate_and_mono(self):
        for rate in [8000, 11025, 22050, 44100, 48000, 96000, 192000]:
            for channels in [1, 2]:
                self.check(f"{rate} Hz, {channels} channel(s)", pink(int(rate * 7.3), channels, seed=rate), rate)

    def test_lengths(self):
        for frames in [0, 1, 2, 100, 44100 * 5 - 1, 44100 * 5, 44100 * 5 + 1, 44100 * 6, 44100 * 6 + 1, 44100 * 11]:
            for preset in ["warm", "speech"]:
                self.check(f"{frames} frames, {preset}", pink(frames, 2) if frames > 100 else
                           numpy.full((frames, 2), 0.5), 44100, preset)

    @unittest.skipUnless(os.environ.get("LACQUER_LONG"), "three hours: script/test --long")
    def test_three_hours(self):
        rate = 11025
        hour = pink(rate * 600, 1)
        samples = numpy.tile(hour, (18, 1))
        out = self.check("three hours of 11 kHz mono", samples, rate)
        seconds = out[:len(out) // rate * rate].reshape(-1, rate).std(axis=1)
        self.assertLess(seconds.max() / numpy.median(seconds), 2.0, "no burst in any second")


if __name__ == "__main__":
    unittest.main()
