"""A recording in which the player went over from one version of a track to another: when, to what, and how smoothly."""

import dataclasses

import numpy

from recordings import dbfs

FADE_SECONDS = 0.030
STEADY_SECONDS = 0.3  # how much of what comes after a switch must be what it should be
NOISE = 1e-6          # -120 dBFS: what rounding to float may leave of a gain and of a fade


@dataclasses.dataclass
class Place:
    """From frame `heard` of the recording on, frame `wanted` of a reference is heard, times `gain`."""
    heard: int
    wanted: int
    gain: float = 1.0


@dataclasses.dataclass
class Switch:
    first: int            # frame of the recording: the first of the fade
    jump: int             # in frames of the track: 0 where time goes on
    gain: float           # of what is heard afterwards
    fade_dbfs: float      # how far the recording is from the straight fade between the two, at most
    steady_dbfs: float    # and from the new version after it


def differs_from(recording, reference, place):
    """The first frame, from `place` on, that is not what it should be."""
    count = min(len(recording) - place.heard, len(reference) - place.wanted)
    heard = recording[place.heard:place.heard + count]
    wanted = reference[place.wanted:place.wanted + count]
    if place.gain == 1.0:
        other = (heard != wanted).any(axis=1)
    else:
        other = (numpy.abs(heard - place.gain * wanted.astype("f8")) > NOISE / 4).any(axis=1)
    return place.heard + (int(other.argmax()) if other.any() else count)


def gain_between(heard, wanted):
    """Least squares. Exactly 1 where nothing was multiplied."""
    if numpy.array_equal(heard, wanted):
        return 1.0
    wanted = wanted.astype("f8")
    return float((heard * wanted).sum() / max((wanted ** 2).sum(), 1e-30))


def place_of(heard, reference, around, reach):
    """Frame of the reference that `heard` begins with, within `reach` of `around`, whatever its gain."""
    begin = max(0, around - reach)
    stretch = reference[begin:around + reach + len(heard)].astype("f8")
    size = 1 << (len(stretch) + len(heard)).bit_length()
    def spectrum(samples):
        return numpy.fft.rfft(samples, size, axis=0)
    match = numpy.fft.irfft((spectrum(stretch) * numpy.conj(spectrum(heard.astype("f8")))).sum(axis=1), size)
    energy = numpy.concatenate(([0.0], numpy.cumsum((stretch ** 2).sum(axis=1))))
    lags = len(stretch) - len(heard) + 1
    match = match[:lags] / numpy.sqrt(energy[len(heard):len(heard) + lags] - energy[:lags] + 1e-12)
    return begin + int(match.argmax())


def examine(recording, rate, old, new, place, expected_jump=0, reach_seconds=0.0):
    """The first switch after `place`, from the reference `old` to `new`. Returns it and the place after it."""
    fade, steady = round(FADE_SECONDS * rate), round(STEADY_SECONDS * rate)
    seen = differs_from(recording, old, place)
    after = seen + fade
    wanted = place.wanted + after - place.heard + expected_jump
    if reach_seconds:
        wanted = place_of(recording[after:after + steady], new, wanted, round(reach_seconds * rate))
    best = None
    for first in range(max(place.heard, seen - 8), seen + 1):  # the first frames of a fade may round to nothing
        switch = fade_from(first, recording, old, new, place, wanted - after, fade, steady)
        if best is None or switch.fade_dbfs < best.fade_dbfs:
            best = switch
    after = best.first + fade
    return best, Place(after, after + wanted - (seen + fade), best.gain)


def fade_from(first, recording, old, new, place, offset, fade, steady):
    after = first + fade
    coming = new[after + offset:after + offset + steady]
    heard = recording[after:after + len(coming)]
    gain = gain_between(heard, coming)
    steady_dbfs = dbfs(numpy.abs(heard - gain * coming.astype("f8")).max())
    old_first = place.wanted + first - place.heard
    going = place.gain * old[old_first:old_first + fade].astype("f8")
    coming = gain * new[first + offset:after + offset].astype("f8")
    weight = (numpy.arange(1, fade + 1) / fade)[:, None]
    fade_dbfs = dbfs(numpy.abs(recording[first:after] - (going + weight * (coming - going))).max())
    return Switch(first, first + offset - old_first, gain, fade_dbfs, steady_dbfs)
