"""`lacquer play` at a terminal of its own, its keys typed, what it says read; and what it should play, rendered."""

import concurrent.futures
import contextlib
import fcntl
import json
import os
import pathlib
import pty
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

import numpy

from harness import LACQUER, MUSIC, SystemTest, run
from recordings import compare
from virtual_sound import missing_programs, start, stop, wait_for

RIGHT, LEFT, UP, DOWN = "\x1b[C", "\x1b[D", "\x1b[A", "\x1b[B"
PLAY_SECONDS = 120


def processor_seconds(pid):
    """Of a program's threads that live, as the scheduler counts them; ticks are too coarse for what sleeps nearly always."""
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in pathlib.Path(f"/proc/{pid}/task").iterdir()) / 1e9


class Playback:
    """With as_json, `events` are what it said; without, `screen` is what was drawn on the terminal. Leaving the block ends
    it."""

    program = "play"

    def __init__(self, environment, *arguments, as_json=True):
        self.events, self.not_json, self.screen = [], [], b""
        self.terminal, self.slave = pty.openpty()  # the slave stays open here: its state outlives the player
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        self.settings_before = self.settings()
        self.errors = tempfile.TemporaryFile()
        command = [LACQUER, self.program, *arguments, *(["--json"] if as_json else [])]
        self.process = start(command, {**environment, "TERM": "xterm"}, stdin=self.slave,
                             stdout=subprocess.PIPE if as_json else self.slave, stderr=self.errors, bufsize=0,
                             start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.readers = [threading.Thread(target=self.read_screen, daemon=True)]
        if as_json:
            self.readers.append(threading.Thread(target=self.read_events, daemon=True))
        for reader in self.readers:
            reader.start()

    def read_events(self):
        for line in self.process.stdout:
            try:
                self.events.append(json.loads(line))
            except ValueError:
                self.not_json.append(line)

    def read_screen(self):
        with contextlib.suppress(OSError):  # the other side is closed
            while piece := os.read(self.terminal, 4096):
                self.screen += piece

    def settings(self):
        return termios.tcgetattr(self.slave)

    def key(self, key):
        """Types it. The moment just before."""
        moment = time.monotonic()
        os.write(self.terminal, key.encode())
        return moment

    def of(self, *names):
        return [event for event in list(self.events) if event["event"] in names]

    def wait_event(self, name, count=1, seconds=60):
        """The count-th event of that name."""
        def there():
            if self.process.poll() is not None and len(self.of(name)) < count:
                time.sleep(0.2)  # what it said last is being read
                if len(self.of(name)) < count:
                    raise AssertionError(f"no {name}, ended with {self.process.returncode}: {self.error_text()}")
            return len(self.of(name)) >= count
        wait_for(there, f"event {name} ({self.events[-3:]})", seconds)
        return self.of(name)[count - 1]

    def wait(self, seconds=PLAY_SECONDS):
        """Its exit code, after everything it said was read."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still playing after {seconds} s: {self.events[-2:]} {self.error_text()}") from None
        for reader in self.readers[1:]:
            reader.join(5)
        if self.not_json:
            raise AssertionError(f"said among the JSON lines: {self.not_json[:3]}")
        return code

    def error_text(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
        stop(self.process)
        os.close(self.slave)
        for reader in self.readers:
            reader.join(5)
        os.close(self.terminal)
        if self.process.stdout:
            self.process.stdout.close()
        self.errors.close()


class Lateness:
    """How late a program is that only sleeps, on whichever processor: what the machine does to everybody, the player and
    the sound server too."""

    CODE = ("import os, sys, time\nos.sched_setaffinity(0, {int(sys.argv[1])})\nlate = 0\nwhile True:\n"
            "  at = time.monotonic() + 0.005\n  time.sleep(0.005)\n"
            "  if time.monotonic() - at > late: late = time.monotonic() - at; print(1000 * late, flush=True)")

    def __enter__(self):
        self.processes = [start([sys.executable, "-c", self.CODE, processor], os.environ, stdout=subprocess.PIPE)
                          for processor in os.sched_getaffinity(0)]
        return self

    def __exit__(self, *_):
        for process in self.processes:
            stop(process)
        self.worst_ms = max(float((process.stdout.read().split() or [0])[-1]) for process in self.processes)
        for process in self.processes:
            process.stdout.close()


def float_samples(path, channels):
    return numpy.frombuffer(run("ffmpeg", "-v", "error", "-i", path, "-f", "f32le", "-c:a", "pcm_f32le", "-"),
                            "<f4").reshape(-1, channels)


def stereo(samples):
    return numpy.repeat(samples, 2, axis=1) if samples.shape[1] == 1 else samples


def passage(path, seconds, start=60, channels=2, rate=44100, edges="anull"):
    """Real music as a WAV file."""
    run("ffmpeg", "-v", "error", "-y", "-ss", start, "-t", seconds, "-i", sorted(MUSIC.glob("*.ogg"))[0], "-map_metadata", "-1",
        "-ar", rate, "-ac", channels, "-af", edges, "-sample_fmt", "s16", path)
    return path


def soft_passage(path, seconds):
    """Faded, with a tenth of a second of silence on both sides: a resampler's filter sees no cliff, whose ringing it would
    have to cut off."""
    return passage(path, seconds, edges=f"afade=in:d=0.1,afade=out:st={seconds - 0.3}:d=0.1,atrim=end={seconds - 0.2},"
                                        "adelay=100:all=1,apad=pad_dur=0.1")


def in_parallel(*cases):
    """Each on a thread of its own. Every case is run to its end before the first error is raised."""
    with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
        results = [pool.submit(case) for case in cases]
    return [result.result() for result in results]


class PlaybackTest(SystemTest):
    """Every card has a home of its own, so what was played on one is not in the cache of another; so has every render."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        assert not missing_programs(), missing_programs()

    def rendered(self, source, *options, channels=2):
        """The 32-bit render, as two channels."""
        home = pathlib.Path(tempfile.mkdtemp(dir=self.scratch))
        out = home / "render.wav"
        run(LACQUER, "render", source, "-o", out, "--depth", "float", *options,
            env={**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home), "XDG_STATE_HOME": str(home)})
        return stereo(float_samples(out, channels))

    def play(self, card, *arguments):
        """Plays to the end; what was heard, and the last it said."""
        with card.record() as recording, Playback(card.environment, *card.options, *arguments) as player:
            code = player.wait()
            recording.wait_for_silence()
            self.assertEqual(code, 0, player.error_text())
            ended = player.of("ended")[-1]
        self.assertEqual(ended["underruns"], 0, f"and {ended['xruns']} xruns of the driver")
        return recording.samples(), ended

    def table(self, *rows):
        print("\n" + f"{'file':22} {'device':14} {'at frame':>8} {'frames':>9} {'peak dBFS':>9} {'RMS dBFS':>9} {'missing':>7} "
              f"{'extra':>5} {'underruns':>9}")
        for row in rows:
            name, device, result, underruns = row
            print(f"{name:22} {device:14} {result.at:8} {result.frames:9} {level(result.peak_dbfs)} {level(result.rms_dbfs)} "
                  f"{result.missing:7} {result.extra:5} {underruns:9}")

    def assert_exact(self, recorded, reference):
        result = compare(recorded, reference)
        self.assertTrue(result.exact(), result)
        return result


def level(dbfs):
    return f"{'none' if dbfs <= -400 else f'{dbfs:.1f}':>9}"
