"""A linear chirp: its instantaneous frequency tells the position, so that what a player put out says where it was."""

import wave

import numpy

RATE_HZ = 44100
FROM_HZ = 4000.0  # above every crossover and equaliser band with a delay to speak of
HZ_PER_SECOND = 60.0
WINDOW_SECONDS = 1.0


def write_chirp(path, seconds):
    time_s = numpy.arange(round(seconds * RATE_HZ)) / RATE_HZ
    phase = 2 * numpy.pi * (FROM_HZ + HZ_PER_SECOND / 2 * time_s) * time_s
    stereo = numpy.stack([0.25 * numpy.sin(phase), 0.2 * numpy.cos(phase)], axis=1)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(numpy.round(stereo * 32767).astype("<i2").tobytes())


def heard_seconds(samples):
    """Position of the first sample, from the left channel's sweep over one second. What is left after multiplying
    by the opposite sweep is a tone: its frequency is that of the first sample. Exact to about 0.1 ms."""
    count = round(WINDOW_SECONDS * RATE_HZ)
    signal = samples[:count, 0].astype(float)
    if len(signal) < count or not signal.any():
        return float("nan")
    spectrum = numpy.fft.fft(signal)
    spectrum[count // 2:] = 0
    time_s = numpy.arange(count) / RATE_HZ
    tone = numpy.fft.ifft(spectrum) * numpy.exp(-1j * numpy.pi * HZ_PER_SECOND * time_s ** 2) * numpy.hanning(count)
    bins = abs(numpy.fft.fft(tone, 4 * count))
    peak = int(bins.argmax())
    left, middle, right = numpy.log(bins[[peak - 1, peak, (peak + 1) % len(bins)]])
    peak_hz = (peak + 0.5 * (left - right) / (left - 2 * middle + right)) * RATE_HZ / len(bins)
    return (peak_hz - FROM_HZ) / HZ_PER_SECOND
