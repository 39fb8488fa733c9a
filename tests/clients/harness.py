"""A daemon of its own for each test: real binary, real sockets on loopback, real players, a folder of real music."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.request
import wave

import numpy

LACQUER = os.environ.get("LACQUER", "build/release/lacquer")
MUSIC = pathlib.Path("/usr/share/games/singularity/music")  # Debian's singularity-music
START_SECONDS = 60


def run(*command, **options):
    """Runs a tool to its end; its stderr is shown when it fails."""
    result = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, timeout=options.pop("timeout", 300), **options)
    if result.returncode != 0:
        raise AssertionError(f"{command[0]} exited {result.returncode}: {result.stderr.decode(errors='replace')[-800:]}")
    return result.stdout


def music_folder(folder, seconds=95, start=60):
    """One passage of real music as WAV, FLAC, MP3 and Ogg."""
    source = sorted(MUSIC.glob("*.ogg"))[0]
    folder.mkdir(parents=True, exist_ok=True)
    common = ["ffmpeg", "-v", "error", "-y", "-ss", start, "-t", seconds, "-i", source, "-map_metadata", "-1"]
    run(*common, "-ar", "44100", "-sample_fmt", "s16", folder / "music.wav")
    for name, options in {"music.flac": [], "music.mp3": ["-b:a", "192k"], "music.ogg": ["-c:a", "libvorbis"]}.items():
        run("ffmpeg", "-v", "error", "-y", "-i", folder / "music.wav", *options, folder / name)
    return folder


class Daemon:
    """`lacquer serve` on a free port. Ends by SIGTERM when the block is left; a wrong exit code is an error."""

    def __init__(self, music, folder, *options, environment=None):
        self.folder = pathlib.Path(folder)
        self.log_path = self.folder / "daemon.log"
        command = [LACQUER, "serve", "--music", music, "--listen", "127.0.0.1:0", "--cache-dir", self.folder / "cache",
                   "--state-dir", self.folder / "state", *options]
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = open(self.log_path, "ab")
        self.begin = self.log.tell()
        self.process = subprocess.Popen([str(part) for part in command], stdout=self.log, stderr=self.log,
                                        env={**os.environ, **(environment or {})})
        self.url = self.wait_for_url()
        self.wait(lambda: self.get("/readyz", allow_error=True) is not None, "the first scan")

    def wait(self, condition, what, seconds=START_SECONDS):
        for _ in range(seconds * 20):
            if condition():
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"no {what}: {self.log_text()}")

    def log_text(self):
        return self.log_path.read_bytes()[self.begin:].decode(errors="replace")

    def wait_for_url(self):
        pattern = re.compile(r"listening on (http://\S+)")
        self.wait(lambda: pattern.search(self.log_text()), "address")
        return pattern.search(self.log_text()).group(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=30)
        self.log.close()
        if code != 0:
            raise AssertionError(f"the daemon exited {code}: {self.log_text()}")

    def get(self, path, headers=None, allow_error=False):
        request = urllib.request.Request(self.url + path, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.read()
        except urllib.error.HTTPError:
            if allow_error:
                return None
            raise

    def json(self, path):
        return json.loads(self.get(path))

    def tracks(self):
        return {track["fileName"]: track for track in self.json("/api/tracks?limit=1000")["items"]}

    def stream_url(self, track_id, query=""):
        return f"{self.url}/api/player/stream/{track_id}.wav{query}"

    def rendered(self):
        """Chunks rendered since the start, as the cache counts them."""
        return self.json("/healthz")["cache"]["insertions"]

    def wait_measured(self):
        self.wait(lambda: all(track["measured"] for track in self.tracks().values()), "measurement", 600)

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024

    def process_figures(self):
        process = pathlib.Path(f"/proc/{self.process.pid}")
        threads = int(re.search(r"Threads:\s+(\d+)", (process / "status").read_text()).group(1))
        return {"threads": threads, "descriptors": len(list((process / "fd").iterdir())),
                "rss_kib": self.resident_bytes() // 1024}


def wav_samples(data):
    """The 16-bit samples of a WAV file with a 44-byte header, as frames x channels."""
    channels = int.from_bytes(data[22:24], "little")
    assert data[:4] == b"RIFF" and data[36:40] == b"data", data[:44]
    return numpy.frombuffer(data[44:44 + int.from_bytes(data[40:44], "little")], "<i2").reshape(-1, channels)


def position_of(needle, haystack):
    """Frame of `haystack` where `needle` begins, bit for bit; -1 when it does not occur."""
    candidates = numpy.flatnonzero((haystack[:len(haystack) - len(needle) + 1] == needle[0]).all(axis=1))
    for frame in candidates:
        if numpy.array_equal(haystack[frame:frame + len(needle)], needle):
            return int(frame)
    return -1


class SystemTest(unittest.TestCase):
    """Shares one music folder among the tests of a class; each test has a scratch folder."""

    @classmethod
    def setUpClass(cls):
        assert MUSIC.is_dir(), f"{MUSIC} is missing; script/setup installs it"
        cls.shared = pathlib.Path(tempfile.mkdtemp(prefix="lacquer-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        cls.music = music_folder(cls.shared / "music")

    def setUp(self):
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="scratch-", dir=self.shared))
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)


def wav_info(path):
    with wave.open(str(path)) as file:
        return file.getframerate(), file.getnchannels(), file.getnframes()
