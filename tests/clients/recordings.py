"""What a recording has to do with what should have been played: where it begins, what is missing, how far it is off."""

import dataclasses

import numpy

WINDOW_FRAMES = 64
RESYNC_SECONDS = 5
SILENT_DBFS = -400.0


def dbfs(amplitude):
    return 20 * numpy.log10(float(amplitude)) if amplitude > 1e-20 else SILENT_DBFS


def find(needle, haystack):
    """Frame of `haystack` where `needle` occurs first, bit for bit; -1: nowhere."""
    starts = numpy.flatnonzero((haystack[:max(0, len(haystack) - len(needle) + 1)] == needle[0]).all(axis=1))
    for frame in starts:
        if numpy.array_equal(haystack[frame:frame + len(needle)], needle):
            return int(frame)
    return -1


def telling(window):
    """Whether a stretch of audio can be told from its neighbours: silence and a constant cannot."""
    return len(window) == WINDOW_FRAMES and len(numpy.unique(window[:, 0])) > WINDOW_FRAMES // 4


def align(recording, reference, begin=0):
    """Frames (in the recording, in the reference) of the first window, at or after `begin` of the reference, that occurs
    in the recording bit for bit; None when none does. The windows are tried a power of two apart."""
    step = WINDOW_FRAMES
    while begin < len(reference):
        window = reference[begin:begin + WINDOW_FRAMES]
        found = find(window, recording) if telling(window) else -1
        if found >= 0:
            back = min(found, begin, run_before(recording[:found], reference[:begin]))
            return found - back, begin - back
        begin += step
        step = min(2 * step, 1 << 14)
    return None


def run_before(recording, reference):
    """How many frames at the ends of both are the same."""
    count = min(len(recording), len(reference))
    if count == 0:
        return 0
    same = (recording[len(recording) - count:] == reference[len(reference) - count:]).all(axis=1)[::-1]
    return count if same.all() else int(same.argmin())


@dataclasses.dataclass
class Comparison:
    """`missing` and `extra` frames, at the ends and in the middle; `changed` ones, which differ but keep the time. The
    difference over all that was compared. `gap_frames`: the longest silence that the reference does not have."""
    at: int = -1  # frame of the recording where the reference begins; -1: nowhere
    frames: int = 0
    missing: int = 0
    extra: int = 0
    changed: int = 0
    peak_dbfs: float = SILENT_DBFS
    rms_dbfs: float = SILENT_DBFS
    gap_frames: int = 0

    def exact(self):
        return self.at >= 0 and self.missing == self.extra == self.changed == 0


def compare(recording, reference, ends_in_silence=True):
    """The whole reference against the recording. Silence around it is none of its business; sound after its end is extra,
    unless the recording goes on with something else."""
    reference = reference.astype("<f4")
    aligned = align(recording, reference)
    if aligned is None:
        return Comparison(missing=len(reference))
    at, lost = aligned
    result = Comparison(at=at - lost, missing=lost if reference[:lost].any() else 0)
    differences, heard, wanted = [], at, lost
    while wanted < len(reference) and heard < len(recording):
        count = min(len(reference) - wanted, len(recording) - heard)
        same = (recording[heard:heard + count] == reference[wanted:wanted + count]).all(axis=1)
        run = count if same.all() else int(same.argmin())
        heard, wanted, result.frames = heard + run, wanted + run, result.frames + run
        if run < count:
            heard, wanted = resync(recording, reference, heard, wanted, result, differences)
    rest = reference[wanted:]
    result.missing += len(rest) if rest.any() else 0
    after = recording[heard:].any(axis=1)
    result.extra += len(after) - int(after[::-1].argmax()) if ends_in_silence and after.any() else 0
    if result.changed:
        every = numpy.concatenate(differences).astype("f8")
        result.peak_dbfs = dbfs(numpy.abs(every).max())
        result.rms_dbfs = dbfs(numpy.sqrt((every ** 2).sum() / max(1, result.frames * every.shape[1])))
    return result


def resync(recording, reference, heard, wanted, result, differences):
    """From the first frame that differs to the next that does not. What one of the two has more of is extra or missing."""
    span = round(RESYNC_SECONDS * 48000)
    again = align(recording[heard:heard + span], reference[wanted:wanted + span], 1)
    if again is None and not recording[heard:].any():
        return len(recording), wanted
    by_heard, by_wanted = again or (min(len(recording) - heard, len(reference) - wanted),) * 2
    common = min(by_heard, by_wanted)
    differences.append(recording[heard:heard + common].astype("f8") - reference[wanted:wanted + common])
    result.changed += common
    result.frames += common
    result.extra += by_heard - common
    result.missing += by_wanted - common
    silent = longest_silence(recording[heard:heard + by_heard])
    if silent > longest_silence(reference[wanted:wanted + by_wanted]):
        result.gap_frames = max(result.gap_frames, silent)
    return heard + by_heard, wanted + by_wanted


def longest_silence(samples):
    sounding = numpy.flatnonzero(samples.any(axis=1))
    edges = numpy.concatenate(([-1], sounding, [len(samples)]))
    return int(numpy.diff(edges).max() - 1)


def correlate(recording, reference):
    """Frame of the recording where the reference begins, for one that is equal up to rounding or filtering."""
    size = 1 << (len(recording) + len(reference)).bit_length()
    spectrum = numpy.fft.rfft(recording[:, 0].astype("f8"), size) * numpy.conj(numpy.fft.rfft(reference[:, 0].astype("f8"), size))
    lags = numpy.fft.irfft(spectrum, size)
    peak = int(lags.argmax())
    return peak if peak < size // 2 else peak - size


def resampled(samples, from_hz, to_hz):
    """Band-limited interpolation by Fourier transform, in double: exact up to the ends, which are taken to be silent."""
    divisor = numpy.gcd(from_hz, to_hz)
    up, down = to_hz // divisor, from_hz // divisor
    blocks = -(-len(samples) // down) + 2 * (from_hz // down)  # and two seconds of silence
    padded = numpy.zeros((blocks * down, samples.shape[1]))
    padded[:len(samples)] = samples
    spectrum = numpy.fft.rfft(padded, axis=0)
    bins = blocks * up // 2 + 1
    fitted = numpy.zeros((bins, samples.shape[1]), complex)
    fitted[:min(bins, len(spectrum))] = spectrum[:min(bins, len(spectrum))]
    return numpy.fft.irfft(fitted, blocks * up, axis=0)[:-(-len(samples) * to_hz // from_hz)] * (up / down)


def below(samples, rate_hz, limit_hz):
    """Without what lies above limit_hz; the transition is 1 kHz wide."""
    size = 1 << (len(samples) + rate_hz).bit_length()
    spectrum = numpy.fft.rfft(samples.astype("f8"), size, axis=0)
    frequency = numpy.fft.rfftfreq(size, 1 / rate_hz)
    ramp = numpy.clip((limit_hz - frequency) / 1000, 0, 1)
    return numpy.fft.irfft(spectrum * (0.5 - 0.5 * numpy.cos(numpy.pi * ramp))[:, None], size, axis=0)[:len(samples)]


def compare_below(recording, reference, rate_hz, limit_hz):
    """After resampling: of what lies below limit_hz, all along the reference."""
    at = correlate(recording, reference)
    heard = numpy.zeros((len(reference), reference.shape[1]))
    part = recording[max(at, 0):at + len(reference)]
    heard[max(-at, 0):max(-at, 0) + len(part)] = part
    difference = below(heard - reference, rate_hz, limit_hz)
    return Comparison(at, len(reference), len(reference) - len(part), 0, 0, dbfs(numpy.abs(difference).max()),
                      dbfs(numpy.sqrt((difference ** 2).mean())))


def transient_db(samples):
    """The sharpest corner: largest fourth difference. Music has little there; a jump of x counts 6 x."""
    return dbfs(numpy.abs(numpy.diff(samples.astype("f8"), 4, axis=0)).max())
