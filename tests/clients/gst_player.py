"""GStreamer's playbin without a sound card: URL OUT [START_SECONDS [SEEK_TO_SECONDS]] writes what would be heard to OUT as s16.
START: where it seeks before playing. SEEK_TO: where it seeks while playing, when a line arrives on standard input."""

import sys
import threading

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

PATIENCE = 120 * Gst.SECOND
EXACT = Gst.SeekFlags.FLUSH | Gst.SeekFlags.ACCURATE


def wait_for(player, kind):
    message = player.get_bus().timed_pop_filtered(PATIENCE, kind | Gst.MessageType.ERROR)
    if message is None:
        sys.exit("nothing happened")
    if message.type == Gst.MessageType.ERROR:
        sys.exit(str(message.parse_error()))


def seek(player, seconds):
    player.seek_simple(Gst.Format.TIME, EXACT, int(seconds * Gst.SECOND))


def seek_on_word(player, seconds):
    sys.stdin.readline()
    seek(player, seconds)


def main(url, out, start=0.0, seek_to=None):
    Gst.init(None)
    player = Gst.ElementFactory.make("playbin")
    sink = f'audioconvert ! audio/x-raw,format=S16LE ! filesink location="{out}" sync=false append=true'
    player.set_property("uri", url)
    player.set_property("audio-sink", Gst.parse_bin_from_description(sink, True))
    player.set_property("flags", 2)  # audio only
    player.set_state(Gst.State.PAUSED)
    wait_for(player, Gst.MessageType.ASYNC_DONE)
    if start:
        seek(player, start)
        wait_for(player, Gst.MessageType.ASYNC_DONE)
    if seek_to is not None:
        threading.Thread(target=seek_on_word, args=[player, seek_to], daemon=True).start()
    player.set_state(Gst.State.PLAYING)
    wait_for(player, Gst.MessageType.EOS)
    player.set_state(Gst.State.NULL)


if __name__ == "__main__":
    main(*sys.argv[1:3], *map(float, sys.argv[3:]))
