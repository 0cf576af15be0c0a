"""Frames of a stream are those of the whole recording, whatever pieces it comes in."""

import itertools
import threading

import numpy as np
import pytest

from rnn_edge.data.audio_file import decode_audio
from rnn_edge.data.audio_stream import AudioStream
from rnn_edge.errors import DataError
from rnn_edge.features.logmel import LogMel, LogMelConfig
from rnn_edge.features.windows import WindowConfig, Windows
from rnn_edge.live.audio_files import AudioFiles
from rnn_edge.live.queue import SampleQueue

soundfile = pytest.importorskip("soundfile", reason="reading audio files needs soundfile")


def sound(count, seed=0):
    generator = np.random.default_rng(seed)
    return (generator.normal(0, 3000, count)).clip(-32768, 32767).astype(np.int16)


def delivered(source, position=0):
    """Return all pieces that a source delivers from a position on."""
    queue, stop = SampleQueue(10**9), threading.Event()
    source.begin_at(position)
    source.deliver(queue, stop)
    queue.end()
    pieces = []
    while (piece := queue.take(0.0)) is not None:
        pieces.append(piece)
    return pieces


def joined(pieces):
    """Return the samples, having checked that positions follow each other."""
    for before, after in itertools.pairwise(pieces):
        assert after.position == before.position + len(before.samples)
    return np.concatenate([p.samples for p in pieces])


def audio(paths, piece=320, repeat=1):
    return AudioFiles(paths, 16_000, piece, is_paced=False, repeat=repeat)


@pytest.mark.parametrize("piece", [1, 37, 320, 20_480])
def test_frames_of_a_file_are_those_of_the_whole_recording(tmp_path, piece):
    pcm = sound(9_001 if piece == 1 else 50_003)
    soundfile.write(tmp_path / "a.wav", pcm, 16_000)
    whole = LogMel(LogMelConfig()).frames(pcm)
    streamed = LogMel(LogMelConfig())
    parts = [streamed.push(p.samples) for p in delivered(audio([tmp_path / "a.wav"], piece))]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_frames_of_rows_are_those_of_the_whole_recording():
    rows = np.random.default_rng(3).normal(0, 1, (1000, 3))
    for config in (WindowConfig(), WindowConfig(8, 3, True), WindowConfig(4, 9)):
        whole = Windows(config, 3).frames(rows)
        for piece in (1, 7, 64):
            streamed = Windows(config, 3)
            parts = [streamed.push(rows[k : k + piece]) for k in range(0, len(rows), piece)]
            np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("position", [0, 1, 4_000, 6_999, 7_000, 7_001, 11_999, 12_000, 30_001])
def test_files_go_on_from_any_position(tmp_path, position):
    first, second = sound(7_000, 1), sound(5_000, 2)
    paths = [tmp_path / "a.wav", tmp_path / "b.flac"]
    for path, pcm in zip(paths, (first, second), strict=True):
        soundfile.write(path, pcm, 16_000)
    whole = np.tile(np.concatenate([first, second]), 3)
    pieces = delivered(audio(paths, repeat=3), position)
    assert pieces[0].position == position
    np.testing.assert_array_equal(joined(pieces), whole[position:])


def test_nothing_is_left_behind_the_end(tmp_path):
    soundfile.write(tmp_path / "a.wav", sound(1_000), 16_000)
    assert delivered(audio([tmp_path / "a.wav"]), 1_000) == []


@pytest.mark.parametrize(
    ("rate", "channels", "subtype"),
    [(16_000, 2, "PCM_16"), (16_000, 1, "FLOAT"), (8_000, 1, "PCM_16"), (44_100, 2, "PCM_16")],
)
def test_other_files_are_heard_as_they_are_decoded_at_once(tmp_path, rate, channels, subtype):
    pytest.importorskip("soxr", reason="another rate needs soxr")
    path = tmp_path / "a.wav"
    values = np.random.default_rng(0).normal(0, 0.1, (200_000, channels))
    soundfile.write(path, values, rate, subtype=subtype)
    at_once = decode_audio(path.read_bytes(), "a.wav").pcm
    streamed = joined(delivered(audio([path])))
    assert abs(len(streamed) - len(at_once)) <= (rate != 16_000)
    count = min(len(streamed), len(at_once))
    difference = np.abs(streamed[:count].astype(int) - at_once[:count])
    assert difference.max() <= (1 if rate != 16_000 else 0)
    later = joined(delivered(audio([path]), 12_345))
    np.testing.assert_array_equal(later, streamed[12_345:])
    assert AudioStream(path, 16_000).length() == len(streamed)


def test_a_file_that_is_no_sound_is_refused(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"no sound at all")
    with pytest.raises(DataError, match=r"a\.wav cannot be read: .*; expected WAV or FLAC"):
        AudioStream(tmp_path / "a.wav", 16_000)


def test_a_file_without_samples_is_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(0, np.int16), 16_000)
    with pytest.raises(DataError, match="has no samples"):
        AudioStream(tmp_path / "a.wav", 16_000)


def test_a_file_that_lost_its_end_is_refused_before_it_is_heard(tmp_path):
    soundfile.write(tmp_path / "a.wav", sound(1_000), 16_000)
    whole = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(whole[:-500])
    with pytest.raises(DataError, match=r"a\.wav is cut short: 1,544 bytes; .* promises 2,044"):
        AudioStream(tmp_path / "a.wav", 16_000)


def test_another_rate_without_the_resampler_is_refused(tmp_path, monkeypatch):
    import sys

    soundfile.write(tmp_path / "a.wav", sound(1_000), 8_000)
    monkeypatch.setitem(sys.modules, "soxr", None)
    with pytest.raises(Exception, match="soxr is not installed; it is needed for sound at 8000 Hz"):
        AudioStream(tmp_path / "a.wav", 16_000)
