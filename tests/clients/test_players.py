"""Real players against a cold cache: whole tracks come out at their exact length, seeks on the first play land exactly."""

import unittest

import numpy

from harness import Daemon, SystemTest, position_of, run, wav_samples

FORMATS = ["music.wav", "music.flac", "music.mp3", "music.ogg"]
SEEK_SECONDS = 47.5
CHECKED_FRAMES = 4096


def play_with_curl(url, out, start=None):
    assert start is None
    run("curl", "-sSf", "-o", out, url)


def play_with_ffmpeg(url, out, start=None):
    seek = [] if start is None else ["-ss", str(start)]
    run("ffmpeg", "-nostdin", "-v", "error", "-y", *seek, "-i", url, "-c:a", "pcm_s16le", "-bitexact", out)


def play_with_mpv(url, out, start=None):
    seek = [] if start is None else [f"--start={start}", "--hr-seek=yes"]
    run("mpv", "--no-config", "--no-video", "--really-quiet", "--ao=pcm", f"--ao-pcm-file={out}", *seek, url)


PLAYERS = {"curl": play_with_curl, "ffmpeg": play_with_ffmpeg, "mpv": play_with_mpv}


class Players(SystemTest):
    def test_each_plays_each_format_to_the_end_at_its_exact_length(self):
        print(f"\n{'player':8} {'format':11} {'frames played':>14} {'frames of the source':>21}")
        for player, play in PLAYERS.items():
            with Daemon(self.music, self.scratch / player) as daemon:
                for name in FORMATS:
                    track = daemon.tracks()[name]
                    out = self.scratch / "played.wav"
                    play(daemon.stream_url(track["id"]), out)
                    frames = len(self.samples(out))
                    print(f"{player:8} {name:11} {frames:14} {track['frameCount']:21}")
                    self.assertEqual(frames, track["frameCount"], f"{player} {name}")

    def test_a_seek_on_the_first_play_lands_exactly(self):
        print(f"\n{'player':8} {'format':11} {'asked for frame':>16} {'heard from frame':>17}")
        with Daemon(self.music, self.scratch / "reference") as daemon:
            references = {name: wav_samples(daemon.get(f"/api/player/stream/{daemon.tracks()[name]['id']}"))
                          for name in FORMATS}
        for player in ["ffmpeg", "mpv"]:
            for name in FORMATS:
                with Daemon(self.music, self.scratch / f"{player}-{name}") as daemon:
                    track = daemon.tracks()[name]
                    out = self.scratch / "played.wav"
                    PLAYERS[player](daemon.stream_url(track["id"]), out, SEEK_SECONDS)
                    wanted = round(SEEK_SECONDS * track["sampleRateHz"])
                    heard = position_of(self.samples(out)[:CHECKED_FRAMES], references[name])
                    print(f"{player:8} {name:11} {wanted:16} {heard:17}")
                    self.assertEqual(heard, wanted, f"{player} {name}")

    def samples(self, path):
        # ffmpeg and mpv may write chunks of their own before the samples.
        return numpy.frombuffer(run("ffmpeg", "-v", "error", "-i", path, "-f", "s16le", "-"), "<i2").reshape(-1, 2)


if __name__ == "__main__":
    unittest.main()
