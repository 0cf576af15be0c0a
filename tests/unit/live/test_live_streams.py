"""The main loop: what a source outruns is counted to the frame, and no save that fails stops it."""

import os
import threading
import time
import types

import numpy as np
import pytest
from link_lines import ScriptedTime
from live_bundles import WORDS, make_bundle, write_rows

from rnn_edge.errors import DataError, DeviceError, EngineError
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.live.counts import Counts
from rnn_edge.live.microphone import Microphone
from rnn_edge.live.opening import SourceRequest, open_lane, open_source
from rnn_edge.live.queue import SampleQueue
from rnn_edge.live.source import RecordedSource
from rnn_edge.live.stream import Stream, StreamOptions
from rnn_edge.live.told import Teller
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.material import FRONT_END


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("streams")
    make_bundle(folder / "pump")
    make_bundle(folder / "word", WORDS)
    write_rows(folder / "rows.csv", 300)
    return folder


class Kept:
    """An outlet that keeps what it gets."""

    def __init__(self):
        self.events = []

    def send(self, event):
        self.events.append(event)

    def close(self):
        self.events.append({"event": "closed"})


class Quick(RecordedSource):
    """Rows at a rate of their own, one by one."""

    name = "quick"

    def __init__(self, rate_hz, rows):
        super().__init__(rate_hz, is_paced=True, repeat=1)
        self._rows = rows

    def one_pass(self, skip):
        for k in range(skip, self._rows):
            yield np.full((1, 2), k / 100), k, False

    def length(self):
        return self._rows


def stream_of(folder, source=None, name="pump", **options):
    lane = open_lane(Bundle.open(folder / name), "c", folder)
    said, kept, counts = [], Kept(), Counts()
    tell = Teller(said.append)
    if source is None:
        words = (str(folder / "rows.csv"),)
        request = SourceRequest(words, is_fast=True)
        source = open_source(Bundle.open(folder / name), lane.parts.front_end, request, tell)
    return Stream(lane, source, [kept], None, StreamOptions(**options), counts, tell), kept, said


@pytest.mark.slow
def test_what_the_source_outruns_is_dropped_and_counted_to_the_frame(folder, monkeypatch):
    stream, _, said = stream_of(folder, Quick(1000.0, 900), buffer_s=5.0)
    step = stream.lane.step

    def slow(x, *further):
        time.sleep(0.005)
        return step(x, *further)

    monkeypatch.setattr(stream.lane, "step", slow)
    stream.begin(None)
    stream.run()
    found = stream.summary()
    assert found["dropped_frames"] > 50
    assert found["frames"] + found["dropped_frames"] == 900
    assert found["gaps"] > 0
    assert any("samples are missing" in line for line in said)


def test_a_decision_that_comes_late_is_counted(folder, monkeypatch):
    stream, _, _ = stream_of(folder, Quick(50.0, 5))
    monkeypatch.setattr(stream, "_frame_rate_hz", 1000.0)
    step = stream.lane.step

    def slow(x, *further):
        time.sleep(0.003)
        return step(x, *further)

    monkeypatch.setattr(stream.lane, "step", slow)
    stream.begin(None)
    stream.run()
    assert stream.counts.late == 5
    assert stream.counts.latency_s.count == 5
    assert stream.counts.latency_s.largest_s >= 0.003


def test_a_save_that_fails_is_told_and_the_stream_goes_on(folder, tmp_path, monkeypatch):
    def full(path, state):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rnn_edge.live.stream.write_state", full)
    stream, _, said = stream_of(folder, state=tmp_path / "s", save_every_s=0.001)
    stream.begin(None)
    stream.run()
    assert stream.counts.frames == 300
    assert stream.counts.failed_saves >= 1
    assert stream.counts.saves == 0
    assert "cannot be saved: No space left on device" in said[0]


def test_an_engine_that_fails_ends_the_stream_with_its_reason_and_the_state_before(
    folder, tmp_path, monkeypatch
):
    stream, kept, _ = stream_of(folder, state=tmp_path / "s")
    step = stream.lane.step

    def fail(x, *further):
        if stream.step == 100:
            raise EngineError("It broke.")
        return step(x, *further)

    monkeypatch.setattr(stream.lane, "step", fail)
    stream.begin(None)
    with pytest.raises(EngineError, match="It broke"):
        stream.run()
    assert [e["event"] for e in kept.events][-1] == "closed"
    # What was stepped is saved, and is gone on from.
    again, _, _ = stream_of(folder, state=tmp_path / "s")
    from rnn_edge.live.saved import read_state

    saved = read_state(tmp_path / "s")
    assert (saved.step, saved.position) == (100, 100)
    again.begin(saved)
    again.run()
    assert again.counts.frames == 200


class SoundCard:
    """What sounddevice is to a microphone: calls back with blocks, from another thread."""

    class PortAudioError(Exception):
        pass

    def __init__(self, blocks, fails=False):
        self._blocks, self._fails = blocks, fails
        self.opened = {}

    def InputStream(self, callback, **options):  # noqa: N802 - its name
        if self._fails:
            raise self.PortAudioError("Invalid sample rate")
        self.opened = options
        card = self

        class Running:
            active = True

            def __enter__(self):
                def play():
                    for samples, overflow in card._blocks:
                        status = types.SimpleNamespace(input_overflow=overflow)
                        callback(samples[:, None], len(samples), None, status)

                self._thread = threading.Thread(target=play)
                self._thread.start()
                return self

            def __exit__(self, *error):
                self._thread.join()

        return Running()


def test_what_a_sound_card_calls_back_with_is_delivered(monkeypatch):
    blocks = [(np.arange(320, dtype=np.int16), False), (np.ones(320, np.int16), True)]
    card = SoundCard(blocks)
    monkeypatch.setitem(__import__("sys").modules, "sounddevice", card)
    microphone = Microphone("usb", 16_000, 320)
    queue, stop = SampleQueue(10_000), threading.Event()
    thread = threading.Thread(target=microphone.deliver, args=(queue, stop))
    thread.start()
    first, second = queue.take(60.0), queue.take(60.0)
    stop.set()
    thread.join(60.0)
    np.testing.assert_array_equal(first.samples, blocks[0][0])
    assert (second.position, second.is_after_gap) == (320, True)
    assert card.opened == {
        "samplerate": 16_000, "blocksize": 320, "device": "usb", "channels": 1, "dtype": "int16",
    }  # fmt: skip


def test_a_sound_card_that_refuses_is_told(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sounddevice", SoundCard([], fails=True))
    microphone = Microphone("2", 16_000, 320)
    with pytest.raises(DeviceError, match="microphone 2 at 16000 Hz cannot be opened: Invalid"):
        microphone.deliver(SampleQueue(10), threading.Event())


def sound_source(folder, *words, **request):
    front_end = FrontEnd.load(folder / "word" / FRONT_END)
    return open_source(
        Bundle.open(folder / "word"), front_end, SourceRequest(words, **request), Teller(print)
    )


@pytest.mark.parametrize(("asked", "hops"), [(1, 1), (2, 2), (None, 5)])
def test_a_microphone_gives_hops_at_once(folder, monkeypatch, asked, hops):
    pcm = np.random.default_rng(0).integers(-9000, 9000, 20 * 320).astype(np.int16)
    card = SoundCard([(part, False) for part in np.split(pcm, 20 // hops)])
    monkeypatch.setitem(__import__("sys").modules, "sounddevice", card)
    source = sound_source(folder, "microphone:usb", front_end_hops=asked)
    stream, _, _ = stream_of(folder, source, "word", steps=19)
    pushed = []
    push = stream._front.push
    monkeypatch.setattr(stream._front, "push", lambda x: pushed.append(len(x)) or push(x))
    frames = []
    step = stream.lane.step
    monkeypatch.setattr(stream.lane, "step", lambda x, *further: frames.append(x) or step(x))
    # What this machine takes for the steps is not what is looked at.
    for module in ("microphone", "stream"):
        monkeypatch.setattr(f"rnn_edge.live.{module}.time", ScriptedTime())
    stream.begin(None)
    stream.run()
    assert card.opened["blocksize"] == hops * 320
    # The last is cut at the last step.
    assert set(pushed[:-1]) == {hops * 320}
    whole = stream.lane.parts.front_end
    np.testing.assert_array_equal(frames, whole.quantize_input(whole.raw_frames(pcm))[:19])
    assert stream.counts.late == 0
    # The first frame of a piece has waited for the samples of the others.
    waited_s = stream.counts.latency_s.quantile_s(0.5)
    assert waited_s >= (hops - 1) * 0.02
    assert (waited_s > 0.04) == (hops == 5)


@pytest.mark.parametrize("writes", [100, 640, 5000])
def test_a_pipe_waits_for_whole_pieces_and_not_at_its_end(folder, writes):
    pcm = np.arange(5 * 320 * 2 + 7, dtype=np.int16)
    reading, writing = os.pipe()
    source = sound_source(folder, "-", front_end_hops=5, descriptor=reading)
    content = pcm.tobytes()

    def write():
        with os.fdopen(writing, "wb", buffering=0) as pipe:
            for at in range(0, len(content), writes):
                pipe.write(content[at : at + writes])

    thread = threading.Thread(target=write)
    thread.start()
    queue = SampleQueue(100_000)
    source.deliver(queue, threading.Event())
    thread.join()
    os.close(reading)
    pieces = [queue.take(0.0) for _ in range(3)]
    assert [(len(p.samples), p.position) for p in pieces] == [(1600, 0), (1600, 1600), (7, 3200)]
    np.testing.assert_array_equal(np.concatenate([p.samples for p in pieces]), pcm)


def test_rows_have_no_hops_of_sound(folder):
    front_end = FrontEnd.load(folder / "pump" / FRONT_END)
    request = SourceRequest((str(folder / "rows.csv"),), front_end_hops=2)
    with pytest.raises(DataError, match="2 hops at once: pump takes sensor rows"):
        open_source(Bundle.open(folder / "pump"), front_end, request, Teller(print))
