import json

import numpy as np

from rnn_edge.data.summary import inspect_dataset
from rnn_edge.types import AudioClip, AudioDataset, SensorDataset, SensorRecording


def clip(name, pcm, split, speaker="s", label="yes"):
    return AudioClip(name, np.asarray(pcm, np.int16), label, speaker, split)


def audio(*clips, background=()):
    return AudioDataset("here", False, 16_000, ("yes", "silence"), clips, background, ("a note",))


def test_audio_counts_and_durations():
    summary = inspect_dataset(
        audio(
            clip("a", [900] * 1600, "train", "x"),
            clip("b", [901] * 3200, "train", ""),
            clip("c", [902] * 1600, "test", "x"),
            clip("d", [0] * 1600, "test", "", "silence"),
            background=(clip("n", [5] * 16_000, "test"),),
        )
    )
    assert summary.notes == ("a note",)
    found = summary.audio
    assert found.clips["yes"] == {"train": 2, "validation": 0, "test": 1}
    assert found.speakers == {"train": 1, "validation": 0, "test": 1}
    assert found.shared_speakers.examples == ("x",)
    assert found.nameless_clips == 1
    assert np.isclose(found.durations["train"].total_s, 0.3)
    assert np.isclose(found.durations["train"].median_s, 0.15)
    assert "validation" not in found.durations
    assert found.background_s["test"] == 1.0


def test_clipped_and_nearly_silent():
    loud = [32767, -32768] * 20 + [0] * 960
    found = inspect_dataset(
        audio(
            clip("loud", loud, "train"),
            clip("fine", [32767] * 9 + [100] * 991, "train"),
            clip("quiet", [49, -49], "train"),
            clip("heard", [0, -50], "train"),
            clip("lowest", [-32768, 0], "train"),
        )
    ).audio
    assert found.clipped.examples == ("loud", "lowest")
    assert found.nearly_silent.examples == ("quiet",)


def test_equal_clips_are_duplicates_or_leaks():
    found = inspect_dataset(
        audio(
            clip("a", [1, 2, 3], "train"),
            clip("b", [1, 2, 3], "train"),
            clip("c", [7, 8], "train"),
            clip("d", [7, 8], "test"),
            clip("z1", [0, 0], "train", "", "silence"),
            clip("z2", [0, 0], "test", "", "silence"),
        )
    ).audio
    assert found.duplicates.examples == ("train:a = train:b",)
    assert found.leaks.examples == ("train:c = test:d",)
    assert found.leaks.count == 1


def test_sensors():
    rows = np.column_stack([np.arange(10.0), np.full(10, 3.0)])
    labels = np.arange(10) >= 8
    dataset = SensorDataset(
        "here",
        True,
        2.0,
        ("x", "flat"),
        (
            SensorRecording("a", rows, None, "train"),
            SensorRecording("b", rows + 1, labels, "test"),
            SensorRecording("c", rows, None, "test"),
        ),
    )
    found = inspect_dataset(dataset).sensors
    assert found.rows == {"train": 10, "validation": 0, "test": 20}
    x = found.channels["train"]["x"]
    assert (x.min, x.mean, x.max) == (0.0, 4.5, 9.0)
    assert np.isclose(x.std, np.arange(10).std())
    assert found.constant_channels == ("train: flat",)
    assert found.labelled_rows == {"train": 0, "validation": 0, "test": 10}
    assert found.anomalous_share == {"test": 0.2}
    assert found.leaks.examples == ("a = c",)
    assert found.durations["test"].max_s == 5.0


def test_json_keeps_everything():
    summary = inspect_dataset(audio(clip("a", [100, 200], "train")))
    plain = json.loads(json.dumps(summary.to_json()))
    assert plain["audio"]["clips"]["yes"]["train"] == 1
    assert plain["sensors"] is None
    assert plain["digest"] == summary.digest
    assert plain["notes"] == ["a note"]
