"""A daemon whose files fail when told to, and a listener who notices everything."""

import contextlib
import dataclasses
import http.client
import os
import pathlib
import time
import urllib.parse

from harness import LACQUER, Daemon

FAULTY_IO = pathlib.Path(LACQUER).resolve().parent / "tests" / "faulty_io.so"


class Faults:
    """The rules of tests/clients/faulty_io.cpp, changed while the daemon runs."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder) / "faults"
        self.log = pathlib.Path(f"{self.path}.log")
        assert FAULTY_IO.exists(), f"{FAULTY_IO} is missing: build the target faulty_io"

    def environment(self):
        return {"LD_PRELOAD": str(FAULTY_IO), "LACQUER_FAULTS": str(self.path)}

    def set(self, *rules):
        self.log.unlink(missing_ok=True)
        other = self.path.with_suffix(".new")
        other.write_text("".join(rule + "\n" for rule in rules))
        os.replace(other, self.path)

    def clear(self):
        self.path.unlink(missing_ok=True)

    def happened(self):
        """Calls that were made to fail, block or fall short since set()."""
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0


class FaultyDaemon(Daemon):
    def __init__(self, music, folder, *options):
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        self.faults = Faults(folder)
        super().__init__(music, folder, *options, environment=self.faults.environment())
        self.wait_measured()
        time.sleep(0.5)  # what is hashed in the background would meet the fault instead of the listener

    def stop(self):
        self.faults.clear()
        super().stop()

    def health(self):
        return self.json("/healthz")

    def manifest(self, track, query=""):
        return self.json(f"/api/tracks/{track}/render{query}")

    def ask(self, method, path):
        """Status, headers and body of a request without a body of its own."""
        connection = self.connect()
        connection.request(method, path, headers={"Content-Length": "0"} if method == "POST" else {})
        with contextlib.closing(connection):
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    def connect(self):
        return http.client.HTTPConnection(urllib.parse.urlsplit(self.url).netloc, timeout=120)

    def listen(self, path, headers=None):
        return Listener(self.connect(), path, headers or {})

    def stored_files(self):
        """Names of everything in the cache folder but the lock."""
        found = (self.folder / "cache").rglob("*")
        return sorted(path.name for path in found if path.is_file() and path.name != "lock")


@dataclasses.dataclass
class Listener:
    """One GET. `body` is what came; `ended` says how: "whole", "reset" or "short"."""
    connection: http.client.HTTPConnection
    path: str
    headers: dict
    body: bytes = b""
    ended: str = None

    def __post_init__(self):
        self.connection.request("GET", self.path, headers=self.headers)
        self.answer = self.connection.getresponse()
        self.status = self.answer.status

    def read(self, count=None):
        """Reads `count` more bytes, or all; remembers how it ended."""
        wanted = int(self.answer.headers["Content-Length"]) - len(self.body)
        left = wanted if count is None else min(count, wanted)
        try:
            while left > 0:
                piece = self.answer.read1(min(left, 1 << 20))
                if not piece:
                    self.ended = "short"
                    return self
                self.body += piece
                left -= len(piece)
            if len(self.body) == int(self.answer.headers["Content-Length"]):
                self.ended = "whole"
        except ConnectionResetError:
            self.ended = "reset"
        if self.ended:
            self.close()
        return self

    def close(self):
        self.connection.close()
