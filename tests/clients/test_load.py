"""Many listeners at once, small enough for every run: what they get is right, none is cut off or starved, and the daemon
stays small. How much it can carry, and how fast, bench/load measures. LACQUER_LONG=1: listeners pause for ten minutes."""

import json
import os
import pathlib
import unittest

from harness import LACQUER, Daemon, SystemTest, run

LOAD_CLIENT = pathlib.Path(LACQUER).parent / "bench" / "load_client"
LONG = bool(os.environ.get("LACQUER_LONG"))
LISTENERS = 300
BYTES_PER_S = 176_400
BUFFER_S = 5  # generous: the machine may be busy with something else
FURTHER_THREADS = 16
KIB_PER_LISTENER = 48
KIB_LEFT_BEHIND = 4096


class Load(SystemTest):
    def setUp(self):
        super().setUp()
        self.daemon = Daemon(self.music, self.scratch / "daemon")
        self.addCleanup(self.daemon.stop)
        self.daemon.wait_measured()
        self.ids = {name: track["id"] for name, track in self.daemon.tracks().items()}

    def path(self, name, query=""):
        return f"/api/player/stream/{self.ids[name]}.wav{query}"

    def load(self, *options):
        port = self.daemon.url.rsplit(":", 1)[1]
        report = json.loads(run(LOAD_CLIENT, port, *options, "--json", "--rate", BYTES_PER_S, "--buffer", BUFFER_S,
                                timeout=1200))
        print(f"\n{json.dumps(report)}")
        return report

    def cached_with_copies(self):
        """Paths of cached tracks, and files with what they answer."""
        paths, files = [], []
        for name in ("music.wav", "music.mp3"):
            paths.append(self.path(name))
            files.append(self.scratch / f"{name}.expected")
            files[-1].write_bytes(self.daemon.get(paths[-1]))
        return [*paths, "--expect", *files]

    def assert_all_served(self, report, listeners):
        self.assertEqual((report["served"], report["behind"]), (listeners, 0), report["outcomes"])

    def back_to(self, idle):
        now = self.daemon.process_figures()
        return (now["threads"], now["descriptors"]) <= (idle["threads"], idle["descriptors"]) and \
            now["rss_kib"] <= idle["rss_kib"] + KIB_LEFT_BEHIND

    def test_hundreds_of_listeners_get_their_bytes_and_leave_nothing_behind(self):
        cached = self.cached_with_copies()
        idle = self.daemon.process_figures()
        report = self.load(*cached, "--listeners", LISTENERS, "--seconds", 12, "--spread", 4, "--seek")
        self.assert_all_served(report, LISTENERS)
        self.assertLessEqual(report["server"]["during"]["threads"], idle["threads"] + LISTENERS + FURTHER_THREADS)
        self.assertLess(report["server"]["rssKibPerConnection"], KIB_PER_LISTENER)
        self.daemon.wait(lambda: self.back_to(idle), f"return to {idle}")

    def test_listeners_that_pause_resume(self):
        pause = 600 if LONG else 5
        report = self.load(*self.cached_with_copies(), "--listeners", 60, "--seconds", pause + 15, "--spread", 1,
                           "--pause", pause, "--pause-after", 3)
        self.assert_all_served(report, 60)
        self.assertEqual(report["paused"], 60)

    def test_listeners_of_what_nobody_heard_before_beside_a_download(self):
        new = [self.path(name, f"?intensity={intensity}") for name in self.ids for intensity in (0.2, 0.3, 0.4)]
        report = self.load(*new, "--listeners", len(new), "--seconds", 15, "--spread", 1, "--bulk",
                           self.path("music.flac", "?intensity=0.9"))
        self.assert_all_served(report, len(new))
        self.assertGreater(report["bulk"][0]["bytes"], 0)

    def test_idle_connections_stay_open_and_use_no_processor(self):
        report = self.load("--listeners", 0, "--idle", LISTENERS, "--seconds", 10)
        self.assertEqual(report["idleOpen"], LISTENERS)
        self.assertLess(report["server"]["cpuPercent"], 10)
        self.assertEqual(json.loads(self.daemon.get("/healthz"))["status"], "ok")


if __name__ == "__main__":
    unittest.main()
