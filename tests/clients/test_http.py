"""The resources and refusals of the HTTP interface, against the real daemon."""

import json
import os
import signal
import subprocess
import threading
import unittest
import urllib.error
import urllib.parse
import urllib.request

from harness import LACQUER, MUSIC, Daemon, SystemTest, run, wav_info, wav_samples

BARE = ["--log-level", "info"]


class Http(SystemTest):
    def setUp(self):
        super().setUp()
        self.daemon = Daemon(self.music, self.scratch / "daemon", *BARE)
        self.addCleanup(self.daemon.stop)
        self.ids = {name: track["id"] for name, track in self.daemon.tracks().items()}

    def ask(self, path, method="GET", headers=None):
        """Status, headers and body, whatever the status."""
        request = urllib.request.Request(self.daemon.url + path, method=method, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    def test_every_refusal_is_a_problem_document_that_names_the_field(self):
        (self.music / "noise.mp3").write_bytes(os.urandom(20_000))
        self.addCleanup((self.music / "noise.mp3").unlink)
        undecodable = Daemon(self.music, self.scratch / "other", *BARE)
        self.addCleanup(undecodable.stop)
        track = self.ids["music.wav"]
        table = [
            ("/api/player/stream/999", 404, "trackId"),
            ("/api/player/stream/abc", 404, None),
            (f"/api/player/stream/{track}?preset=loud", 400, "preset"),
            (f"/api/player/stream/{track}?intensity=1.5", 400, "intensity"),
            (f"/api/player/stream/{track}?intensity=x", 400, "intensity"),
            (f"/api/player/stream/{track}?intensity=nan", 400, "intensity"),
            (f"/api/player/stream/{track}?depth=12", 400, "depth"),
            (f"/api/player/stream/{track}?colour=red", 400, "colour"),
            (f"/api/player/stream/{track}?start=9999", 400, "start"),
            (f"/api/player/stream/{track}?start=1e300", 400, "start"),
            (f"/api/player/stream/{track}?v=unknown", 404, "v"),
            (f"/api/player/stream/{track}.flac", 400, None),
            (f"/api/tracks/{track}/render/chunks/99", 404, "chunk"),
            ("/api/tracks?limit=1001", 400, "limit"),
            ("/nowhere", 404, None),
        ]
        for path, status, field in table:
            got, headers, body = self.ask(path)
            problem = json.loads(body)
            self.assertEqual((got, headers["Content-Type"]), (status, "application/problem+json"), path)
            self.assertEqual(problem.get("field"), field, path)
            self.assertTrue(problem["detail"], path)
        noise = undecodable.tracks()["noise.mp3"]
        self.assertTrue(noise["error"])
        self.daemon, healthy = undecodable, self.daemon
        self.assertEqual(self.ask(f"/api/player/stream/{noise['id']}")[0], 422)
        self.daemon = healthy
        self.assertEqual(self.ask("/healthz")[0], 200)

    def test_head_tells_what_get_would_and_renders_nothing(self):
        path = f"/api/player/stream/{self.ids['music.flac']}"
        status, head, body = self.ask(path, "HEAD")
        self.assertEqual((status, body), (200, b""))
        self.ask(path + "?available=true", "HEAD")
        self.assertEqual(self.daemon.rendered(), 0)
        _, get, body = self.ask(path)
        for name in ["Content-Length", "Content-Type", "ETag", "Accept-Ranges", "X-Total-Chunks", "Cache-Control"]:
            self.assertEqual(head[name], get[name], name)
        self.assertEqual(int(get["Content-Length"]), len(body))

    def test_conditions_and_ranges(self):
        path = f"/api/player/stream/{self.ids['music.wav']}"
        _, headers, whole = self.ask(path)
        etag, size = headers["ETag"], len(whole)
        for value, status, part in [("bytes=0-99", 206, whole[:100]), ("bytes=-100", 206, whole[-100:]),
                                    (f"bytes={size - 10}-{size + 10}", 206, whole[-10:]), ("frames=1-2", 200, whole),
                                    (f"bytes={size}-", 416, None)]:
            got, headers, body = self.ask(path, headers={"Range": value})
            self.assertEqual(got, status, value)
            if part is None:
                self.assertEqual(headers["Content-Range"], f"bytes */{size}")
            else:
                self.assertTrue(body == part, value)
        self.assertEqual(self.ask(path, headers={"If-None-Match": etag})[0], 304)
        self.assertEqual(self.ask(path, headers={"If-Match": '"other"'})[0], 412)
        self.assertEqual(self.ask(path, headers={"Range": "bytes=0-9", "If-Range": etag})[0], 206)
        self.assertEqual(self.ask(path, headers={"Range": "bytes=0-9", "If-Range": '"other"'})[0], 200)

    def test_the_original_is_the_file_and_intensity_0_its_samples(self):
        for name, track in self.ids.items():
            _, headers, body = self.ask(f"/api/player/stream/{track}?enhanced=false")
            self.assertTrue(body == (self.music / name).read_bytes(), name)
            self.assertIsNone(headers["X-Audio-Status"])
        decoded = run("ffmpeg", "-v", "error", "-i", self.music / "music.wav", "-f", "s16le", "-")
        for name in ["music.wav", "music.flac"]:
            body = self.daemon.get(f"/api/player/stream/{self.ids[name]}?intensity=0")
            self.assertTrue(wav_samples(body).tobytes() == decoded, name)

    def test_start_begins_at_that_second(self):
        track = self.ids["music.ogg"]
        whole = wav_samples(self.daemon.get(f"/api/player/stream/{track}"))
        part = wav_samples(self.daemon.get(f"/api/player/stream/{track}?start=41.5"))
        self.assertTrue((part == whole[round(41.5 * 44100):]).all())

    def test_a_render_is_started_watched_and_cancelled(self):
        track = self.ids["music.mp3"]
        seen = []
        request = urllib.request.Request(f"{self.daemon.url}/api/events?track={track}")
        events = urllib.request.urlopen(request, timeout=60)

        def listen():
            for line in events:
                if line.startswith(b"event: "):
                    seen.append(line[7:].strip().decode())
                if seen and seen[-1] == "finalResult":
                    return

        listener = threading.Thread(target=listen)
        listener.start()
        status, _, body = self.ask(f"/api/tracks/{track}/render", "POST")
        self.assertEqual(status, 202)
        total = json.loads(body)["totalChunks"]
        listener.join(60)
        events.close()
        self.assertEqual(seen[0], "initialized")
        self.assertEqual(seen.count("chunkComplete"), total)
        self.assertEqual(seen.count("finalResult"), 1)
        self.assertIn("partialAudio", seen)
        manifest = self.daemon.json(f"/api/tracks/{track}/render")
        self.assertEqual((manifest["status"], manifest["completedChunks"]), ("complete", list(range(total))))
        self.assertEqual(self.ask(f"/api/tracks/{track}/render?preset=warm", "POST")[0], 202)
        self.assertEqual(self.ask(f"/api/tracks/{track}/render?preset=warm", "DELETE")[0], 204)

    def test_the_playlist_plays(self):
        playlist = self.daemon.get("/playlist.m3u8?preset=night").decode()
        urls = [line for line in playlist.splitlines() if not line.startswith("#")]
        self.assertEqual(len(urls), len(self.ids))
        for url in urls:
            with urllib.request.urlopen(url, timeout=60) as answer:
                self.assertEqual(answer.read(4), b"RIFF")

    def test_profile_appears_once_measured_and_names_the_bound(self):
        self.daemon.wait_measured()
        profile = self.daemon.json(f"/api/tracks/{self.ids['music.wav']}/profile")
        self.assertEqual(set(profile["presets"]), {"adaptive", "gentle", "warm", "bright", "punchy", "live", "speech", "night"})
        self.assertLess(profile["integratedLufs"], 0)

    def test_sigterm_lets_a_running_stream_finish(self):
        url = self.daemon.stream_url(self.ids["music.wav"])
        with urllib.request.urlopen(url, timeout=60) as answer:
            expected = int(answer.headers["Content-Length"])
            received = len(answer.read(100_000))
            self.daemon.process.send_signal(signal.SIGTERM)
            while piece := answer.read(1 << 20):
                received += len(piece)
        self.assertEqual(received, expected)
        self.assertEqual(self.daemon.process.wait(timeout=30), 0)

    def test_a_second_daemon_is_refused_with_one_line(self):
        for options, named in [(["--cache-dir", self.scratch / "daemon" / "cache"], "pid"),
                               (["--listen", self.daemon.url.removeprefix("http://")], "listen"),
                               (["--music", self.scratch / "nowhere"], "nowhere"),
                               (["--workers", "21"], "1 to 20"), (["--listen", "0.0.0.0:0"], "token")]:
            command = [LACQUER, "serve", "--music", self.music, "--listen", "127.0.0.1:0", "--cache-dir",
                       self.scratch / "c", "--state-dir", self.scratch / "s"]
            for name, value in zip(options[::2], options[1::2]):
                if name in command:
                    command[command.index(name) + 1] = value
                else:
                    command += [name, value]
            result = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
            self.assertEqual(result.returncode, 2, named)
            lines = result.stderr.decode().splitlines()
            self.assertEqual(len(lines), 1, lines)
            self.assertIn(named, lines[0])


class ReferencePresets(SystemTest):
    def setUp(self):
        super().setUp()
        self.folder = self.scratch / "music"
        self.folder.mkdir()
        (self.folder / "music.wav").write_bytes((self.music / "music.wav").read_bytes())
        run("ffmpeg", "-v", "error", "-ss", 40, "-t", 35, "-i", sorted(MUSIC.glob("*.ogg"))[5], "-ar", "44100",
            "-sample_fmt", "s16", self.folder / "bright.wav")
        run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "anullsrc=r=44100", "-t", 4, self.folder / "silence.wav")
        self.daemon = Daemon(self.folder, self.scratch / "daemon")
        self.addCleanup(self.daemon.stop)
        self.ids = {name: track["id"] for name, track in self.daemon.tracks().items()}

    def ask(self, method, path, body=None, headers=None):
        request = urllib.request.Request(self.daemon.url + path, data=body, method=method, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def create(self, fields, headers=None):
        body = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
        return self.ask("POST", "/api/presets", body, {"Content-Type": "application/json", **(headers or {})})

    def test_a_track_becomes_a_preset_that_outlives_it(self):
        name, track = "late night é", self.ids["music.wav"]
        status, body = self.create({"name": name, "trackId": self.ids["bright.wav"]})
        self.assertEqual(status, 201)
        made = json.loads(body)
        kinds = {item["name"]: item["kind"] for item in self.daemon.json("/api/presets")["items"]}
        self.assertEqual((kinds[name], kinds["night"], len(kinds)), ("reference", "builtIn", 9))

        query = "?preset=" + urllib.parse.quote(name)
        path = f"/api/player/stream/{track}"
        heard = self.daemon.get(path + query)
        self.assertNotEqual(heard, self.daemon.get(path))
        self.daemon.wait_measured()
        outcome = self.daemon.json(f"/api/tracks/{track}/profile")["presets"][name]
        self.assertEqual(outcome["targetLufs"], made["loudnessLufs"])
        self.assertEqual(self.daemon.json(f"/api/tracks/{track}/render{query}")["status"], "complete")
        self.assertIn(urllib.parse.quote(name), self.daemon.get("/playlist.m3u8" + query).decode())

        output = self.scratch / "out.wav"
        run(LACQUER, "render", self.folder / "music.wav", "-o", output, "--preset", name, "--state-dir",
            self.scratch / "daemon" / "state", "--cache-dir", self.scratch / "other-cache")
        self.assertTrue(output.read_bytes() == heard, "the command line renders what the daemon serves")
        run(LACQUER, "render", self.folder / "music.wav", "-o", output, "--reference", self.folder / "bright.wav",
            "--state-dir", self.scratch / "nowhere", "--cache-dir", self.scratch / "other-cache")
        self.assertTrue(output.read_bytes() == heard, "and so does the file itself as a reference")
        measured = json.loads(run(LACQUER, "analyze", "--json", output, "--state-dir", self.scratch / "nowhere",
                                  "--cache-dir", self.scratch / "other-cache"))
        self.assertAlmostEqual(measured["integratedLufs"], outcome["predictedLufs"], delta=0.5)

        (self.folder / "bright.wav").unlink()
        self.daemon.stop()
        self.daemon = Daemon(self.folder, self.scratch / "daemon")
        self.addCleanup(self.daemon.stop)
        self.assertTrue(self.daemon.get(path + query) == heard)
        recipe = self.daemon.json(f"/api/tracks/{track}/render{query}")["recipeId"]
        self.assertEqual(self.ask("DELETE", "/api/presets/" + urllib.parse.quote(name))[0], 204)
        self.assertEqual(self.ask("GET", path + query)[0], 400)
        self.assertTrue(self.daemon.get(f"{path}{query}&v={recipe}") == heard, "what was handed out stays playable")
        self.assertEqual(len(self.daemon.json("/api/presets")["items"]), 8)

    def test_refusals_name_the_field(self):
        track = self.ids["bright.wav"]
        self.assertEqual(self.create({"name": "mine", "trackId": track})[0], 201)
        for fields, status, field in [
            ({"name": "mine", "trackId": track}, 409, "name"), ({"name": "MINE", "trackId": track}, 409, "name"),
            ({"name": "night", "trackId": track}, 409, "name"), ({"name": "Night", "trackId": track}, 409, "name"),
            ({"name": "", "trackId": track}, 400, "name"), ({"name": "a/b", "trackId": track}, 400, "name"),
            ({"name": " a", "trackId": track}, 400, "name"), ({"name": "..", "trackId": track}, 400, "name"), ({"name": "a\n", "trackId": track}, 400, "name"),
            ({"name": "x" * 65, "trackId": track}, 400, "name"), ({"name": "x" * 64, "trackId": track}, 201, None),
            ({"name": "other", "trackId": 999}, 404, "trackId"),
            ({"name": "other", "trackId": self.ids["silence.wav"]}, 422, "trackId"),
            ({"name": "other", "trackId": "1"}, 400, "trackId"), ({"name": "other"}, 400, "trackId"),
            ({"name": "other", "trackId": track, "match": 1}, 400, "match"), (b"{", 400, None),
        ]:
            got, body = self.create(fields)
            self.assertEqual(got, status, fields)
            self.assertEqual(json.loads(body).get("field"), field, fields)
        body = json.dumps({"name": "other", "trackId": track}).encode()
        self.assertEqual(self.create(body + b" " * 70_000)[0], 413)
        self.assertEqual(self.create(body, {"Content-Type": "text/plain"})[0], 415)
        self.assertEqual(self.create(body, {"Origin": "http://elsewhere.example"})[0], 403)
        for name, status in [("nobody", 404), ("adaptive", 409), ("MINE", 404), ("mine", 204)]:
            self.assertEqual(self.ask("DELETE", f"/api/presets/{name}")[0], status, name)
        command = [LACQUER, "render", self.folder / "music.wav", "-o", self.scratch / "o.wav"]
        for options in [["--preset", "mine"], ["--reference", self.scratch / "nowhere.wav"],
                        ["--reference", self.folder / "bright.wav", "--preset", "warm"]]:
            result = subprocess.run([str(part) for part in [*command, *options]], capture_output=True, timeout=60)
            self.assertEqual(result.returncode, 2, options)


class Files(SystemTest):
    def test_a_file_cut_short_plays_to_its_promised_length_with_silence(self):
        folder = self.scratch / "music"
        folder.mkdir()
        whole = (self.music / "music.flac").read_bytes()
        (folder / "cut.flac").write_bytes(whole[:len(whole) * 3 // 4])
        with Daemon(folder, self.scratch / "daemon") as daemon:
            track = daemon.tracks()["cut.flac"]
            samples = wav_samples(daemon.get(f"/api/player/stream/{track['id']}"))
            self.assertEqual(len(samples), wav_info(self.music / "music.wav")[2])
            self.assertTrue(samples[:44100 * 30].any())
            self.assertLess(abs(samples[-44100:]).max(), 3, "silence but for the dither")

    def test_a_replaced_file_is_new_content_and_a_renamed_one_keeps_its_number(self):
        folder = self.scratch / "music"
        folder.mkdir()
        source = (self.music / "music.wav").read_bytes()
        (folder / "a.wav").write_bytes(source)
        with Daemon(folder, self.scratch / "daemon") as daemon:
            track = daemon.tracks()["a.wav"]["id"]
            first = daemon.get(f"/api/player/stream/{track}?intensity=0")
            (folder / "a.wav").write_bytes(source[:100_000] + source[500_000:700_000] + source[300_000:])
            self.assertFalse(daemon.get(f"/api/player/stream/{track}?intensity=0") == first)
        (folder / "a.wav").rename(folder / "b.wav")
        with Daemon(folder, self.scratch / "daemon") as daemon:
            self.assertEqual(daemon.tracks()["b.wav"]["id"], track)

    def test_the_profile_names_the_bound_that_held(self):
        folder = self.scratch / "music"
        folder.mkdir()
        for name, volume in {"faint": -25, "usual": 0}.items():
            run("ffmpeg", "-v", "error", "-t", 20, "-i", self.music / "music.wav", "-af", f"volume={volume}dB",
                folder / f"{name}.wav")
        with Daemon(folder, self.scratch / "daemon") as daemon:
            daemon.wait_measured()
            tracks = daemon.tracks()
            faint = daemon.json(f"/api/tracks/{tracks['faint.wav']['id']}/profile")["presets"]
            self.assertEqual((faint["adaptive"]["boundBy"], faint["adaptive"]["makeUpGainDb"]), ("max-gain", 9))
            self.assertLess(faint["adaptive"]["predictedLufs"], faint["adaptive"]["targetLufs"] - 1)
            usual = daemon.json(f"/api/tracks/{tracks['usual.wav']['id']}/profile")["presets"]
            self.assertIsNone(usual["gentle"]["boundBy"])
            self.assertAlmostEqual(usual["gentle"]["predictedLufs"], usual["gentle"]["targetLufs"], delta=0.01)

    def test_after_kill_9_the_cache_serves_what_it_has(self):
        with Daemon(self.music, self.scratch / "reference") as daemon:
            path = f"/api/player/stream/{daemon.tracks()['music.flac']['id']}"
            reference = daemon.get(path)
        for _ in range(3):
            daemon = Daemon(self.music, self.scratch / "killed")
            daemon.get(path, {"Range": f"bytes={len(reference) // 2}-{len(reference) // 2 + 9}"})
            daemon.process.kill()
            daemon.process.wait()
            daemon.log.close()
        with Daemon(self.music, self.scratch / "killed") as daemon:
            self.assertTrue(daemon.get(path) == reference)
            self.assertEqual(daemon.json("/healthz")["cache"]["corrupt"], 0)


if __name__ == "__main__":
    unittest.main()
