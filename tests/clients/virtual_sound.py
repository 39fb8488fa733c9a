"""Sound cards without sound: a PulseAudio null sink (an ALSA device to programs) and JACK's dummy driver, both paced in
real time by a server of their own, so that tests run side by side. What they play is recorded bit for bit.

    with PulseSink(folder, 44100) as card, card.record() as recording:
        subprocess.run(player, env=card.environment)
    recording.samples()   # frames x channels, float32

Every process ends with its block, by its id, or with this process."""

import contextlib
import functools
import itertools
import os
import pathlib
import shutil
import subprocess
import threading
import time

import numpy

from harness import LACQUER

JACK_PIPE = pathlib.Path(LACQUER).resolve().parent / "tests" / "jack_pipe"
CHANNELS = 2
START_SECONDS = 20
STOP_SECONDS = 5
server_numbers = itertools.count()


def wait_for(condition, what, seconds=START_SECONDS):
    """The first true answer. An error when there is none in time."""
    for _ in range(int(seconds * 100)):
        answer = condition()
        if answer:
            return answer
        time.sleep(0.01)
    raise AssertionError(f"no {what} within {seconds} s")


def start(command, environment, **options):
    """A process that dies with the thread that started it, however that ends."""
    return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *[str(part) for part in command]], env=environment,
                            **{"stdin": subprocess.DEVNULL, **options})


@functools.lru_cache
def as_hardware():
    """A real card waits for no program: neither does a server that stands for one, where that is allowed."""
    command = ["chrt", "--fifo", "5"]
    return command if subprocess.run([*command, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0 else []


def stop(process):
    """Ends it: asked first, then killed. Its exit code."""
    if process.poll() is None:
        process.terminate()
    try:
        return process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


class Recording:
    """What a program writes to a pipe, read as it comes. From the first frame the block sees to its end."""

    def __init__(self, command, environment, rate, channels):
        self.rate, self.channels = rate, channels
        self.pieces, self.arrivals = [], []  # bytes; (frames so far, monotonic seconds when the last of them had arrived)
        self.process = start(command, environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0)
        self.thread = threading.Thread(target=self.read, daemon=True)

    def read(self):
        size = 0
        while piece := self.process.stdout.read(1 << 16):
            size += len(piece)
            self.pieces.append(piece)
            self.arrivals.append((size // (4 * self.channels), time.monotonic()))

    def __enter__(self):
        self.thread.start()
        wait_for(lambda: self.arrivals, "first frame of a recording")
        return self

    def __exit__(self, *_):
        self.ended_by_itself = self.process.poll()
        stop(self.process)
        self.thread.join()
        self.process.stdout.close()

    def frames(self):
        return self.arrivals[-1][0]

    def samples(self, first=0):
        """What has arrived, from frame `first` on."""
        data = b"".join(list(self.pieces))
        whole = len(data) // (4 * self.channels) * self.channels
        return numpy.frombuffer(data, "<f4", whole).reshape(-1, self.channels)[first:]

    def arrived(self, frame):
        """The moment (time.monotonic) by which `frame` had been heard: an upper bound, by the latency of the pipe."""
        return next(moment for frames, moment in list(self.arrivals) if frames > frame)

    def wait_for_frames(self, count, seconds=60):
        """More than have come until now. Of the card's own time: a machine with too much to do makes it slow."""
        end = self.frames() + count
        wait_for(lambda: self.frames() >= end, f"{count} frames", seconds)

    def wait_for_sound(self, seconds=START_SECONDS):
        """The first frame that is not silent."""
        looked_at = 0

        def sound():
            nonlocal looked_at
            new = self.samples(looked_at)
            found = first_sound(new)
            looked_at += found or len(new)
            return found
        wait_for(sound, "sound", seconds)
        return looked_at - 1

    def wait_for_silence(self, silent_seconds=0.5, seconds=120):
        wait_for(lambda: not self.samples(max(0, self.frames() - round(silent_seconds * self.rate))).any(),
                 "silence", seconds)


def first_sound(samples):
    """One more than the first frame that is not silent; 0 when all are."""
    heard = samples.any(axis=1)
    return int(heard.argmax()) + 1 if heard.any() else 0


class VirtualCard:
    """What both have in common: a folder, an environment for the player, a server that can be unplugged."""

    def __init__(self, folder, rate, channels):
        self.folder, self.rate, self.channels = pathlib.Path(folder), rate, channels
        self.folder.mkdir(parents=True, exist_ok=True)
        self.server = None
        self.log = None
        self.environment = {**os.environ, "HOME": str(self.folder), "XDG_RUNTIME_DIR": str(self.folder),
                            "JACK_NO_START_SERVER": "1", "JACK_DEFAULT_SERVER": "none"}

    def __enter__(self):
        self.log = open(self.folder / "server.log", "ab")
        try:
            self.plug()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.unplug()
        self.log.close()

    def plug(self):
        self.server = start([*as_hardware(), *self.command()], self.environment, stdout=self.log, stderr=self.log)
        wait_for(self.answers, f"sound server: {self.log_text()}")

    def unplug(self):
        if self.server is not None:
            stop(self.server)
        self.server = None

    def log_text(self):
        return (self.folder / "server.log").read_text(errors="replace")[-800:]

    def answers_to(self, *command):
        if self.server.poll() is not None:
            raise AssertionError(f"the sound server exited {self.server.returncode}: {self.log_text()}")
        with contextlib.suppress(subprocess.TimeoutExpired):  # asked again by who waits for it
            return subprocess.run(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, timeout=STOP_SECONDS, check=False).stdout.decode()
        return ""


class PulseSink(VirtualCard):
    """A PulseAudio null sink as ALSA's default device. It takes any rate: PulseAudio resamples what is not its own. Its clock
    waits for nobody: whoever is later than `latency_ms` is silent meanwhile. Half a second is for machines with much to do."""

    device = "default"

    def __init__(self, folder, rate, channels=CHANNELS, latency_ms=500):
        super().__init__(folder, rate, channels)
        self.options = ["--device", self.device, "--latency", latency_ms]
        self.socket = self.folder / "pulse.sock"
        self.alsa = self.folder / "alsa.conf"
        self.alsa.write_text(f'<confdir:alsa.conf>\npcm.!default {{ type pulse server "unix:{self.socket}" device "cap" }}\n'
                             f'ctl.!default {{ type pulse server "unix:{self.socket}" }}\n')
        # With the latency left to PulseAudio, or with rewinds, playback crawls.
        self.environment.update({"ALSA_CONFIG_PATH": str(self.alsa), "PULSE_SERVER": f"unix:{self.socket}",
                                 "PULSE_LATENCY_MSEC": str(latency_ms), "PULSE_COOKIE": str(self.folder / "cookie")})
        for other in ["DISPLAY", "DBUS_SESSION_BUS_ADDRESS"]:
            self.environment.pop(other, None)

    def null_sink(self, name):
        return f"module-null-sink sink_name={name} rate={self.rate} channels={self.channels} format=float32le norewinds=1"

    def command(self):
        self.socket.unlink(missing_ok=True)  # of a server that was killed
        return ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=yes",
                "--realtime=no", "--high-priority=no", "-L", self.null_sink("cap"),
                "-L", f"module-native-protocol-unix auth-anonymous=1 socket={self.socket}"]

    def answers(self):
        return "cap" in self.answers_to("pactl", "list", "short", "sinks")

    def record(self, latency_ms=10):
        environment = {**self.environment, "PULSE_LATENCY_MSEC": ""}
        del environment["PULSE_LATENCY_MSEC"]
        return Recording(["parec", "-d", "cap.monitor", "--format=float32le", f"--rate={self.rate}",
                          f"--channels={self.channels}", f"--latency-msec={latency_ms}", "--raw"],
                         environment, self.rate, self.channels)

    def input(self):
        """A second device, "voice", that plays what it is given: VirtualInput."""
        return VirtualInput(self, ["pacat", "--playback", "-d", "voice", "--format=float32le", f"--rate={self.rate}",
                                   f"--channels={self.channels}", "--latency-msec=500", "--raw"], self.add_voice)

    def add_voice(self):
        self.answers_to("pactl", "load-module", *self.null_sink("voice").split())
        with open(self.alsa, "a", encoding="utf-8") as file:
            file.write(f'pcm.voice {{ type pulse server "unix:{self.socket}" device "voice.monitor" hint.description "voice" }}\n')
        wait_for(lambda: "voice.monitor" in self.answers_to("pactl", "list", "short", "sources"), "voice")


class JackDummy(VirtualCard):
    """JACK's dummy driver: one rate, one period, no other. Every cycle waits for its clients (--sync), so that a machine
    with too much to do makes it late, and takes nothing away from what is recorded. Without, whoever is late is not heard;
    its clients then have real-time priority, where that is allowed.
    JACK mixes up clients of one name that open at the same moment, were it on two servers: programs that use PortAudio
    all have one. So the tests that use it have a lock in tests/gate/CMakeLists.txt."""

    device = "system"

    def __init__(self, folder, rate, period=256, waits=True):
        super().__init__(folder, rate, CHANNELS)
        self.options = ["--device", self.device]
        self.period, self.waits = period, waits
        self.name = f"lacquer-{os.getpid()}-{next(server_numbers)}"
        self.environment.update({"JACK_DEFAULT_SERVER": self.name, "ALSA_CONFIG_PATH": str(self.folder / "alsa.conf")})
        (self.folder / "alsa.conf").write_text("<confdir:alsa.conf>\n")

    def command(self):
        paced = ["-R", "-P", "10"] if as_hardware() and not self.waits else ["-r"]
        return ["jackd", "-n", self.name, *paced, "-p", "64", "-t", "2000", *(["-S"] if self.waits else []), "-d", "dummy",
                "-r", self.rate, "-p", self.period, "-C", CHANNELS, "-P", CHANNELS, "-m"]

    def unplug(self):
        super().unplug()
        for path in pathlib.Path("/dev/shm").glob(f"jack_*{self.name}_*"):  # of one that had to be killed
            path.unlink(missing_ok=True)

    def answers(self):
        return "system:monitor_2" in self.answers_to("jack_lsp")

    def record(self):
        return Recording([JACK_PIPE, "record"], self.environment, self.rate, self.channels)

    def input(self):
        return VirtualInput(self, [JACK_PIPE, "play", "voice"],
                            lambda: None, lambda: wait_for(lambda: "voice:out_2" in self.answers_to("jack_lsp"), "voice"))


class VirtualInput:
    """A capture device named "voice". What play() is given sounds once, without a hole; silence before and after."""

    device = "voice"

    def __init__(self, card, command, prepare, appear=lambda: None):
        self.card, self.command, self.prepare, self.appear = card, command, prepare, appear
        self.process, self.thread = None, None

    def __enter__(self):
        self.prepare()
        self.process = start(self.command, self.card.environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        self.appear()
        return self

    def play(self, samples):
        self.thread = threading.Thread(target=self.feed, args=(numpy.ascontiguousarray(samples, "<f4").tobytes(),), daemon=True)
        self.thread.start()

    def feed(self, data):
        with contextlib.suppress(BrokenPipeError):  # ended while there was more to play
            self.process.stdin.write(data)
            self.process.stdin.close()

    def __exit__(self, *_):
        stop(self.process)
        if self.thread is not None:
            self.thread.join()
        self.process.stdin.close()


def missing_programs():
    programs = ["pulseaudio", "pactl", "parec", "pacat", "jackd", "jack_lsp", "setpriv"]
    return [program for program in programs if shutil.which(program) is None] + ([] if JACK_PIPE.exists() else [str(JACK_PIPE)])
