"""What the daemon may do and what it keeps to itself: any user, two directories to write to, one secret."""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import unittest
import unittest.mock
import urllib.error
import urllib.parse
import urllib.request

import harness
from harness import LACQUER, Daemon, run

NOBODY = 65534
IS_ROOT = os.geteuid() == 0
CHANGES = "open,openat,openat2,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,rmdir,link,linkat,symlink," \
    "symlinkat,truncate,chmod,fchmodat,chown,lchown,fchownat,mknod,mknodat,utimensat,setxattr"


def words(*parts):
    return " ".join(f"'{part}'" for part in parts)


def snapshot(*folders):
    """Everything below the folders: kind, size, times of change."""
    seen = {}
    for folder in folders:
        for path in [pathlib.Path(folder), *pathlib.Path(folder).rglob("*")]:
            status = path.lstat()
            seen[str(path)] = (status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return seen


def changed_paths(trace):
    """The paths that the traced processes created, changed or opened for writing, successfully."""
    for line in trace.splitlines():
        call = re.match(r"(?:\d+ +)?(\w+)\((.*)\) += (-?\d+)", line)
        if not call or int(call[3]) < 0:
            continue
        is_open = call[1] in ("open", "openat", "openat2")
        if is_open and not re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_TMPFILE", call[2]):
            continue
        yield from re.findall(r'"((?:[^"\\]|\\.)*)"', call[2])


class Rights(unittest.TestCase):
    """As root, the daemon runs as `nobody`; as anybody else, it runs as that user: either way without privileges."""

    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="lacquer-rights-"))
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        self.root.chmod(0o755)
        self.binary = self.root / "lacquer"  # where every user may read it
        shutil.copy(LACQUER, self.binary)
        self.music, self.own, self.home = self.root / "music", self.root / "own", self.root / "home"
        for folder in (self.music, self.own, self.home):
            folder.mkdir()
        run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=440:d=3", "-metadata", "title=One", self.music / "one.flac")
        if IS_ROOT:
            os.chown(self.own, NOBODY, NOBODY)
        for path in (*self.music.iterdir(), self.music, self.home):
            path.chmod(0o444 if path.is_file() else 0o555)

    def wrapped(self, *before, environment=None):
        """Replaces the harness's program by one that runs it without privileges, home and rights to anything."""
        drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if IS_ROOT else []
        clean = ["env", "-i", f"PATH={os.environ['PATH']}", *(f"{k}={v}" for k, v in (environment or {}).items())]
        wrapper = self.root / "wrapper"
        wrapper.write_text(f'#!/bin/sh\ncd {words(self.home)}\numask 022\n'
                           f'exec {words(*clean, *drop, *before, self.binary)} "$@"\n')
        wrapper.chmod(0o755)
        return unittest.mock.patch("harness.LACQUER", str(wrapper))

    def use(self, daemon):
        """A bit of everything that could write."""
        daemon.wait_measured()
        track = daemon.tracks()["one.flac"]["id"]
        daemon.get(f"/api/player/stream/{track}")
        daemon.get(f"/api/player/stream/{track}?enhanced=false")
        daemon.get("/playlist.m3u8")
        body = json.dumps({"name": "mine", "trackId": track}).encode()
        request = urllib.request.Request(daemon.url + "/api/presets", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            self.assertEqual(answer.status, 201)
        daemon.wait(lambda: daemon.json(f"/api/tracks/{track}/render")["status"] == "complete", "render")

    def test_any_user_will_do_and_only_two_directories_change(self):
        before = snapshot(self.music, self.home)
        in_tmp = set(os.listdir(tempfile.gettempdir()))
        with self.wrapped(), Daemon(self.music, self.own) as daemon:
            status = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
            self.assertEqual(re.search(r"CapEff:\s+(\S+)", status)[1].strip("0"), "", "no capability is needed")
            self.assertNotIn("\nUid:\t0", status)
            self.use(daemon)
        self.assertEqual(snapshot(self.music, self.home), before)
        self.assertFalse({name for name in set(os.listdir(tempfile.gettempdir())) - in_tmp if "lacquer" in name.lower()})
        self.assertEqual(sorted(path.name for path in self.own.iterdir()), ["cache", "daemon.log", "state"])
        for path in (self.own / "cache", self.own / "state"):
            self.assertEqual(path.stat().st_mode & 0o077, 0, f"{path} is for its owner only")

    def test_no_system_call_changes_anything_else(self):
        trace = self.own / "trace"
        with self.wrapped("strace", "-D", "-f", "-qq", "-s", 4096, "-o", trace, "-e", f"trace={CHANGES}"):
            with Daemon(self.music, self.own) as daemon:
                self.use(daemon)
        text = trace.read_text(errors="replace")
        self.assertIn("library.db", text, "the trace shows what it should")
        allowed = [str(self.own / "cache"), str(self.own / "state"), "/dev/null"]
        paths = set(changed_paths(text))
        strange = sorted(path for path in paths if path.startswith("/") and not path.startswith(tuple(allowed)))
        self.assertEqual(strange, [], "changed")
        print(f"{len(paths)} paths created, changed or opened for writing, all below the cache and the state directory")

    def test_a_directory_that_cannot_be_written_is_named(self):
        closed = self.home / "closed"  # in a folder of mode 0555
        for options, named in [(["--state-dir", closed, "--cache-dir", self.own / "c"], closed),
                               (["--cache-dir", closed, "--state-dir", self.own / "s"], closed),
                               ([], pathlib.Path("/nonexistent") if IS_ROOT else None)]:
            if named is None:
                continue  # an ordinary user has a home
            with self.wrapped():
                result = subprocess.run([harness.LACQUER, "serve", "--music", self.music, "--listen", "127.0.0.1:0",
                                         *options], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
            lines = result.stderr.decode().splitlines()
            self.assertEqual((result.returncode, len(lines)), (2, 1), lines)
            self.assertIn(str(named), lines[0])
            self.assertRegex(lines[0], "ermission denied")

    def test_what_cannot_be_read_is_told_and_the_rest_is_served(self):
        self.music.chmod(0o755)
        (self.music / "locked").mkdir(mode=0o000)
        shutil.copy(self.music / "one.flac", self.music / "two.flac")
        (self.music / "two.flac").chmod(0o000)
        with self.wrapped(), Daemon(self.music, self.own) as daemon:
            tracks = daemon.tracks()
            self.assertIn("ermission denied", tracks["two.flac"]["error"])
            self.assertFalse(tracks["one.flac"].get("error"))
            self.assertIn("locked", daemon.log_text())
        (self.music / "locked").chmod(0o755)


class Secrets(unittest.TestCase):
    TOKEN = "s3cret-Token~of+this%test"

    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="lacquer-secrets-"))
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        self.music = self.root / "music"
        self.music.mkdir()
        run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=440:d=3", self.music / "one.flac")

    def daemon(self, folder, *options):
        """The harness asks without a token, so the first scan is waited for here."""
        with unittest.mock.patch.object(Daemon, "get", lambda *_, **__: b""):
            daemon = Daemon(self.music, self.root / folder, "--log-level", "debug", *options)
        self.addCleanup(daemon.stop)
        daemon.wait(lambda: self.ask(daemon, "/readyz", self.bearer())[0] == 200, "the first scan")
        return daemon

    def bearer(self, token=None):
        return {"Authorization": f"Bearer {token or self.TOKEN}"}

    def ask(self, daemon, path, headers=None, method="GET", data=None):
        """Status, and everything that came back as one text."""
        request = urllib.request.Request(daemon.url + path, data, headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, head, body = answer.status, str(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            with error:
                status, head, body = error.code, str(error.headers), error.read()
        self.heard = getattr(self, "heard", []) + [head.encode() + body]
        return status, body

    def presentations(self, token):
        basic = base64.b64encode(f"user:{token}".encode()).decode()
        quoted = urllib.parse.quote(token, safe="")
        return [("", {"Authorization": f"Bearer {token}"}), ("", {"Authorization": f"Basic {basic}"}),
                (f"?token={quoted}", {})]

    def test_the_token_opens_everything_and_is_never_repeated(self):
        daemon = self.daemon("daemon", "--token", self.TOKEN)
        track = json.loads(self.ask(daemon, "/api/tracks", self.bearer())[1])["items"][0]["id"]
        for query, headers in self.presentations(self.TOKEN):
            more = "&" if query else "?"
            for path, status in [("/healthz", 200), (f"/api/player/stream/{track}", 200), ("/playlist.m3u8", 200),
                                 ("/nowhere", 404), ("/api/tracks/x", 404), (f"/api/player/stream/{track}.flac", 400)]:
                self.assertEqual(self.ask(daemon, path + query, headers)[0], status, path)
            self.assertEqual(self.ask(daemon, f"/api/tracks{query}{more}limit=0&colour=red", headers)[0], 400)
            self.assertEqual(self.ask(daemon, f"/api/tracks/{track}/render{query}", headers, "POST")[0], 202)
            self.assertEqual(self.ask(daemon, f"/api/presets{query}", {**headers, "Content-Type": "application/json"},
                                      "POST", b'{"name": 1}')[0], 400)
        for query, headers in self.presentations("wrong" + self.TOKEN):
            self.assertEqual(self.ask(daemon, "/healthz" + query, headers)[0], 401)
        self.assertEqual(self.ask(daemon, "/healthz")[0], 401)
        host, port = daemon.url.removeprefix("http://").split(":")
        for head in (f"GET /?token={self.TOKEN} HTTP/1.1\r\nHost: evil.example\r\n\r\n",
                     f"GET /?token={self.TOKEN} HTTP/9.9\r\n\r\n", f"BREW /?token={self.TOKEN} HTTP/1.1\r\n\r\n"):
            with socket.create_connection((host, int(port)), timeout=30) as client:
                client.sendall(head.encode())
                self.heard.append(client.recv(65536))
        self.expect_silence(daemon)

    def expect_silence(self, daemon):
        basic = base64.b64encode(f"user:{self.TOKEN}".encode())
        said = self.heard + [daemon.log_text().encode()]
        said += [path.read_bytes() for path in daemon.folder.rglob("*") if path.is_file()]
        self.assertGreater(len(said), 40)
        for secret in (self.TOKEN.encode(), urllib.parse.quote(self.TOKEN, safe="").encode(), basic):
            self.assertFalse([text[:300] for text in said if secret in text])

    def test_the_stream_token_opens_streams_only(self):
        daemon = self.daemon("daemon", "--token", self.TOKEN)
        playlist = self.ask(daemon, "/playlist.m3u8", self.bearer())[1].decode()
        url = [line for line in playlist.splitlines() if not line.startswith("#")][0]
        stream_token = urllib.parse.parse_qs(urllib.parse.urlparse(url).query)["token"][0]
        self.assertEqual(stream_token, hmac.new(self.TOKEN.encode(), b"lacquer stream", hashlib.sha256).hexdigest())
        with urllib.request.urlopen(url, timeout=60) as answer:
            self.assertEqual(answer.read(4), b"RIFF")
        for query, headers in self.presentations(stream_token):
            self.assertEqual(self.ask(daemon, "/api/player/stream/1" + query, headers)[0], 200)
            for method, path in [("GET", "/healthz"), ("GET", "/api/tracks"), ("GET", "/playlist.m3u8"),
                                 ("GET", "/api/presets"), ("GET", "/api/events"), ("POST", "/api/tracks/1/render"),
                                 ("DELETE", "/api/tracks/1/render"), ("GET", "/api/player/stream/../../tracks"),
                                 ("GET", "/nowhere"), ("POST", "/api/player/stream/1")]:
                self.assertEqual(self.ask(daemon, path + query, headers, method)[0],
                                 404 if ".." in path else 401, (method, path))

    def test_other_users_of_the_machine_do_not_see_it(self):
        for number, options in enumerate((["--token", self.TOKEN], [f"--token={self.TOKEN}"])):
            daemon = self.daemon(f"daemon{number}", *options)
            line = pathlib.Path(f"/proc/{daemon.process.pid}/cmdline").read_bytes()
            self.assertIn(b"--token", line)
            self.assertNotIn(self.TOKEN.encode(), line)
        printed = run(LACQUER, "config", "print", "--token", self.TOKEN)
        self.assertNotIn(self.TOKEN.encode(), printed)
        self.assertIn(b"(set)", printed)

    def test_it_can_be_given_where_nobody_looks(self):
        config = self.root / "lacquer.toml"
        config.write_text(f'token = "{self.TOKEN}"\n')
        config.chmod(0o600)
        self.assertEqual(self.ask(self.daemon("file", "--config", config), "/healthz")[0], 401)
        with unittest.mock.patch.dict(os.environ, LACQUER_TOKEN=self.TOKEN):
            daemon = self.daemon("environment")
        self.assertEqual(self.ask(daemon, "/healthz")[0], 401)
        self.assertEqual(oct(pathlib.Path(f"/proc/{daemon.process.pid}/environ").stat().st_mode & 0o077), "0o0")


if __name__ == "__main__":
    unittest.main()
