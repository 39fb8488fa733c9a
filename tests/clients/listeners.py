"""Real players without a sound card: what each would have sent to the loudspeaker, as 16-bit stereo samples.

Each is a class with play(url, folder, start, seek): `start` in seconds seeks when opening, `seek` while playing. All of
them hand on the samples unresampled, so that sample-exact is what is asked of every one."""

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

import numpy

PATIENCE_SECONDS = 90
NOBODY = 65534
MPD_STANDSTILL_SECONDS = 20  # more than any stall we make


@dataclasses.dataclass
class SeekWhilePlaying:
    seconds: float
    is_time: object  # says whether to do it now


@dataclasses.dataclass
class Heard:
    samples: numpy.ndarray
    error: str = ""  # what the player said when it gave up; empty when it ended well


def samples_in(path):
    """Behind the player's own WAV header where there is one; a size in it may never have been filled in."""
    data = path.read_bytes() if path.exists() else b""
    start = data.index(b"data") + 8 if data[:4] == b"RIFF" else 0
    return numpy.frombuffer(data[start:start + (len(data) - start) // 4 * 4], "<i2").reshape(-1, 2)


def wait_until(condition, what):
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"no {what}")
        time.sleep(0.02)


def end_all(process):
    """The process and what it started: it leads a session of its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdin.close()


class Player:
    can_seek_while_playing = True

    def play(self, url, folder, start=None, seek=None):
        out = folder / "heard"
        command = self.command(url, out, start, seek)
        with open(folder / "words", "wb") as words:
            process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=words,
                                       stderr=words, env=self.environment(folder), cwd=folder,
                                       start_new_session=True)
        try:
            if seek is not None:
                wait_until(lambda: seek.is_time() or process.poll() is not None, "time to seek")
                self.seek(process, folder, seek.seconds)
            code = process.wait(timeout=PATIENCE_SECONDS)
        except (subprocess.TimeoutExpired, OSError) as problem:
            code = str(problem)
        finally:
            end_all(process)
        said = (folder / "words").read_text(errors="replace").strip()
        return Heard(samples_in(out), f"exit {code}: {said[-300:]}" if self.failed(code, said) else "")

    def failed(self, code, said):
        return code != 0

    def environment(self, folder):
        return {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"}


class Curl(Player):
    can_seek_while_playing = False

    def command(self, url, out, start, seek):
        """Continues after a failure as its user would, with -C -. A seek is a range from the frame's byte on."""
        if start is not None:
            return ["curl", "-sSf", "-r", f"{44 + round(start * 44100) * 4}-", "-o", out, url]
        return ["sh", "-c", 'curl -sSf -o "$1" "$2" || curl -sSf -C - -o "$1" "$2"', "sh", out, url]


class Ffmpeg(Player):
    """-reconnect is off unless asked for; without it ffmpeg ends at a dropped connection."""
    can_seek_while_playing = False

    def command(self, url, out, start, seek):
        at = [] if start is None else ["-ss", start]
        return ["ffmpeg", "-nostdin", "-v", "error", "-reconnect", 1, "-reconnect_on_network_error", 1, *at, "-i", url,
                "-f", "s16le", out]


class Mpv(Player):
    def command(self, url, out, start, seek):
        at = [] if start is None else [f"--start={start}", "--hr-seek=yes"]
        return ["mpv", "--no-config", "--no-video", "--msg-level=all=error", "--ao=pcm", f"--ao-pcm-file={out}",
                "--ao-pcm-waveheader=no", "--input-ipc-server=ipc", *at, url]

    def seek(self, process, folder, seconds):
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(folder / "ipc"))
            with control.makefile("rw") as lines:
                wait_until(lambda: self.obeys(lines, ["seek", seconds, "absolute+exact"]), "the seek")

    def obeys(self, lines, command):
        """False while it has not opened the file yet."""
        lines.write(json.dumps({"command": command}) + "\n")
        lines.flush()
        replies = (json.loads(line) for line in lines)
        return next(reply for reply in replies if "error" in reply)["error"] == "success"


class Gstreamer(Player):
    def command(self, url, out, start, seek):
        player = pathlib.Path(__file__).with_name("gst_player.py")
        return [sys.executable, "-B", player, url, out, start or 0, *([seek.seconds] if seek else [])]

    def seek(self, process, folder, seconds):
        process.stdin.write(b"\n")
        process.stdin.flush()


class Vlc(Player):
    """Will not run as root: then it runs as nobody. Its file output keeps real time, which is its usual audio path;
    the faster --sout loses the last 50 ms in its WAV writer."""

    def command(self, url, out, start, seek):
        user = []
        if os.geteuid() == 0:
            os.chown(out.parent, NOBODY, NOBODY)
            user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        at = [] if start is None else [f"--start-time={start}"]
        return [*user, "vlc", "-q", "--no-color", "--play-and-exit", "--no-video", "-I", "rc", "--rc-fake-tty", "--aout=afile",
                f"--audiofile-file={out}", "--audiofile-format=s16", *at, url]

    def seek(self, process, folder, seconds):
        wait_until(lambda: len(samples_in(folder / "heard")) > 0, "sound")
        process.stdin.write(f"seek {round(seconds)}\n".encode())
        process.stdin.flush()

    def failed(self, code, said):
        return code != 0 or "unable to open" in said


MPD_CONF = """bind_to_address "{socket}"
input {{
    plugin "curl"
}}
audio_output {{
    type "recorder"
    name "file"
    path "{out}"
    encoder "wave"
}}
"""


class Mpd(Player):
    """A daemon of its own with one output that writes a file; driven over its protocol."""

    def command(self, url, out, start, seek):
        (out.parent / "conf").write_text(MPD_CONF.format(socket=out.parent / "socket", out=out))
        return [sys.executable, "-B", __file__, url, start or 0]

    def seek(self, process, folder, seconds):
        with MpdControl(folder / "socket") as control:  # its file need not grow before it is whole
            wait_until(lambda: float(control.ask("status").get("elapsed", 0)) > 0, "sound")
            control.ask(f"seekcur {seconds}")


class MpdControl:
    def __init__(self, path):
        self.path = str(path)

    def __enter__(self):
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.connect(self.path)
        self.lines = self.connection.makefile("r")
        self.lines.readline()
        return self

    def __exit__(self, *_):
        self.connection.close()

    def ask(self, command):
        self.connection.sendall(command.encode() + b"\n")
        answer = {}
        for line in self.lines:
            if line.startswith(("OK", "ACK")):
                if line.startswith("ACK"):
                    raise ConnectionError(f"{command}: {line.strip()}")
                return answer
            key, _, value = line.strip().partition(": ")
            answer[key] = value
        raise ConnectionError(f"{command}: MPD is gone")


def play_with_mpd(url, start):
    """In a process of its own, in the current folder. Returns what went wrong: MPD tells it in its log only."""
    with open("mpd-words", "wb") as words:
        process = subprocess.Popen(["mpd", "--no-daemon", "--stderr", "conf"], stdin=subprocess.DEVNULL, stdout=words,
                                   stderr=words)
    try:
        wait_until(lambda: can_connect("socket") or process.poll() is not None, "MPD")
        with MpdControl("socket") as control:
            control.ask(f'add "{url}"')
            control.ask(f"seek 0 {start}" if start else "play")
            return mpd_to_its_end(control)
    finally:
        process.kill()
        process.wait()


def mpd_to_its_end(control):
    """MPD 0.23 has a race of its own: now and then it does not notice a failed transfer and turns in circles."""
    heard, last_change = 0, time.monotonic()
    while control.ask("status")["state"] != "stop":
        size = pathlib.Path("heard").stat().st_size if pathlib.Path("heard").exists() else 0
        if size != heard:
            heard, last_change = size, time.monotonic()
        if time.monotonic() - last_change > MPD_STANDSTILL_SECONDS:
            return ["stands still"]
        time.sleep(0.02)
    return re.findall("CURL failed.*", pathlib.Path("mpd-words").read_text(errors="replace"))


def can_connect(path):
    with socket.socket(socket.AF_UNIX) as attempt:
        return attempt.connect_ex(path) == 0


PLAYERS = {"curl": Curl(), "ffmpeg": Ffmpeg(), "mpv": Mpv(), "VLC": Vlc(), "GStreamer": Gstreamer(), "MPD": Mpd()}

if __name__ == "__main__":
    sys.exit("\n".join(play_with_mpd(sys.argv[1], float(sys.argv[2]))) or 0)
