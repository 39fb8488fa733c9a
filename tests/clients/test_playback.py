"""What the sound card got is what `lacquer render --depth float` writes: sample for sample at the card's own rate,
within -120 dB after resampling. The table that is printed is the one the documentation quotes."""

import unittest

import recordings
from harness import music_folder
from playback import PlaybackTest, in_parallel, passage, soft_passage
from recordings import compare_below, dbfs, resampled
from virtual_sound import JackDummy, PulseSink

RATE_HZ = 44100
SECONDS = 6
SEAMS = ["--chunk.body", "5"]  # of chunks, so that a short piece has some
RESAMPLING_BAR_DBFS = -120.0
# libsamplerate's best converter passes 97 % of the lower Nyquist frequency, 21.4 kHz, and cuts off above: the band that
# is compared ends below.
COMPARED_HZ = 20000


class SameAsRender(PlaybackTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        music_folder(cls.shared / "short", SECONDS)

    def heard(self, source, card, *options, channels=2):
        """A row of the table. The recording must be the render."""
        with card:
            recorded, ended = self.play(card, source, *options)
        result = self.assert_exact(recorded, self.rendered(source, *options, channels=channels))
        return source.name, f"{type(card).__name__} {card.rate}", result, ended["underruns"]

    def test_every_format_at_the_files_own_rate(self):
        def case(name):
            return lambda: self.heard(self.shared / "short" / name, PulseSink(self.scratch / name, RATE_HZ))
        self.table(*in_parallel(*[case(f"music.{end}") for end in ["wav", "flac", "mp3", "ogg"]]))

    def test_mono_other_rates_and_other_choices(self):
        mono = passage(self.scratch / "mono.wav", SECONDS, channels=1)
        high = passage(self.scratch / "96 kHz.wav", SECONDS, rate=96000)
        wav = self.shared / "short" / "music.wav"
        self.table(*in_parallel(
            lambda: self.heard(mono, PulseSink(self.scratch / "p1", RATE_HZ), channels=1),
            lambda: self.heard(high, PulseSink(self.scratch / "p2", 96000)),
            lambda: self.heard(wav, PulseSink(self.scratch / "p3", RATE_HZ), "--preset", "warm", "--intensity", "0.4"),
            lambda: self.heard(wav, PulseSink(self.scratch / "p4", RATE_HZ), "--intensity", "0")))

    def test_jack_at_the_files_own_rate(self):
        source = passage(self.scratch / "music.wav", 12)
        self.table(self.heard(source, JackDummy(self.scratch / "jack", RATE_HZ), *SEAMS))

    def test_resampled_only_where_the_device_has_another_rate(self):
        source = soft_passage(self.scratch / "music.wav", 12)
        with JackDummy(self.scratch / "jack", 48000) as card:
            recorded, ended = self.play(card, source, *SEAMS)
        reference = resampled(self.rendered(source, *SEAMS), RATE_HZ, 48000)
        result = compare_below(recorded, reference, 48000, COMPARED_HZ)
        self.table(("music.wav < 20 kHz", "JackDummy 48000", result, ended["underruns"]))
        self.assertLessEqual(result.peak_dbfs, RESAMPLING_BAR_DBFS)
        self.assertEqual((result.missing, ended["underruns"]), (0, 0))
        after = recorded[result.at + len(reference) + 1:]
        self.assertFalse(after.any(), f"{len(after)} frames at {dbfs(abs(after).max(initial=0))} dBFS after the end")

    def test_a_wrong_intensity_would_be_seen(self):
        source = self.shared / "short" / "music.wav"
        with PulseSink(self.scratch / "pulse", RATE_HZ) as card:
            recorded, _ = self.play(card, source, "--intensity", "0.99")
        self.assertFalse(recordings.compare(recorded, self.rendered(source)).exact())

    def test_from_the_middle(self):
        source = self.shared / "short" / "music.wav"
        with PulseSink(self.scratch / "pulse", RATE_HZ) as card:
            recorded, _ = self.play(card, source, "--start", "3")
        faded = round(0.03 * RATE_HZ)  # out of the silence before
        result = self.assert_exact(recorded, self.rendered(source)[3 * RATE_HZ + faded:])
        self.assertGreaterEqual(result.at, 0)

    def test_what_waits_in_the_sound_server_is_heard_to_its_end(self):
        """Half a second in the server, where the player has asked for a tenth of that."""
        source = self.shared / "short" / "music.wav"
        card = PulseSink(self.scratch / "pulse", RATE_HZ, latency_ms=500)
        card.options = ["--device", card.device, "--latency", 50]
        self.table(self.heard(source, card))

    def test_an_address_of_a_server_is_played_too(self):
        source = self.shared / "short" / "music.flac"
        with WebFolder(source.parent) as url, PulseSink(self.scratch / "pulse", RATE_HZ) as card:
            recorded, _ = self.play(card, f"{url}/music.flac")
        self.table((source.name + " by HTTP", "PulseSink 44100", self.assert_exact(recorded, self.rendered(source)), 0))


class WebFolder:
    """Python's own web server, on loopback: no ranges, no cleverness."""

    def __init__(self, folder):
        import functools
        import http.server
        import threading

        class Quiet(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


if __name__ == "__main__":
    unittest.main()
