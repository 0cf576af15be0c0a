import dataclasses

import numpy as np
import pytest

from rnn_edge.errors import BundleError
from rnn_edge.types import AudioClip, AudioDataset, SensorDataset, SensorRecording
from rnn_edge.types.archive import load_archive, save_archive
from rnn_edge.types.frames import FORMAT, FrameSequence, FrameSet, padded


def frames(count, seed=0):
    return np.random.default_rng(seed).normal(size=(count, 3)).astype(np.float32)


def mixed():
    """Labelled recordings on both sides of one without labels."""
    return FrameSet(
        ("a", "b", "c"),
        12.5,
        (
            FrameSequence("one", frames(4, 1), -1, np.array([0, 1, 1, 0], bool), "test"),
            FrameSequence("two", frames(2, 2), -1, None, "train"),
            FrameSequence("three", frames(3, 3), -1, np.array([1, 0, 0], bool), "test"),
        ),
    )


def same(a, b):
    assert (a.labels, a.frame_rate_hz) == (b.labels, b.frame_rate_hz)
    assert len(a.sequences) == len(b.sequences)
    for x, y in zip(a.sequences, b.sequences, strict=True):
        assert (x.sequence_id, x.label, x.split) == (y.sequence_id, y.label, y.split)
        np.testing.assert_array_equal(x.frames, y.frames)
        if x.anomalous is None:
            assert y.anomalous is None
        else:
            np.testing.assert_array_equal(x.anomalous, y.anomalous)


def clips():
    return FrameSet(
        ("no", "yes"),
        50.0,
        (
            FrameSequence("yes/1", frames(5), 1, None, "train"),
            FrameSequence("no/1", frames(1), 0, None, "validation"),
        ),
    )


@pytest.mark.parametrize("make", [mixed, clips])
def test_frame_sets_come_back_whole_and_with_the_same_bytes(make, tmp_path):
    made = make()
    made.save(tmp_path / "f.npz")
    loaded = FrameSet.load(tmp_path / "f.npz")
    same(made, loaded)
    assert not loaded.sequences[0].frames.flags.writeable
    loaded.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "f.npz").read_bytes()


def test_parts_keep_their_order():
    assert [s.sequence_id for s in mixed().part("test")] == ["one", "three"]
    assert mixed().part("validation") == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lengths", np.array([4, 2, 2])),
        ("lengths", np.array([4, 2])),
        ("lengths", np.array([4, 2, 30])),
        ("anomalous", np.zeros(5, bool)),
        ("anomalous", np.zeros(9, bool)),
    ],
)
def test_lengths_that_do_not_add_up_are_refused(tmp_path, name, value):
    mixed().save(tmp_path / "f.npz")
    meta, arrays = load_archive(tmp_path / "f.npz", FORMAT)
    save_archive(tmp_path / "f.npz", meta, (arrays | {name: value}).items())
    with pytest.raises(BundleError, match=r"f\.npz cannot be read"):
        FrameSet.load(tmp_path / "f.npz")


def test_padding_is_zero_behind_the_frames():
    x, lengths = padded([frames(2, 1), frames(4, 2)])
    assert x.shape == (2, 4, 3)
    assert lengths.tolist() == [2, 4]
    np.testing.assert_array_equal(x[0, :2], frames(2, 1))
    assert not x[0, 2:].any()


def audio():
    clip = AudioClip("yes/1", np.arange(10), "yes", "ann", "train")
    noise = AudioClip("rain", np.arange(5), "_background_noise_", "", "train")
    return AudioDataset("here", True, 16000, ("no", "yes"), (clip,), (noise,))


def sensors():
    labelled = SensorRecording("r", np.ones((4, 2)), np.zeros(4, bool), "test")
    return SensorDataset("here", True, 10.0, ("a", "b"), (labelled,))


def test_digests_of_data_sets_change_with_samples_labels_and_parts():
    clip = audio().clips[0]
    variants = [
        dataclasses.replace(audio(), sample_rate_hz=8000),
        dataclasses.replace(audio(), classes=("yes", "no")),
        dataclasses.replace(audio(), clips=()),
        dataclasses.replace(audio(), background=()),
        *(
            dataclasses.replace(audio(), clips=(dataclasses.replace(clip, **change),))
            for change in (
                {"clip_id": "yes/2"},
                {"pcm": np.arange(10) + 1},
                {"label": "no"},
                {"speaker": "bob"},
                {"split": "test"},
            )
        ),
    ]
    digests = {audio().digest(), *(v.digest() for v in variants)}
    assert len(digests) == len(variants) + 1
    recording = sensors().recordings[0]
    variants = [
        dataclasses.replace(sensors(), sample_rate_hz=1.0),
        dataclasses.replace(sensors(), channels=("b", "a")),
        *(
            dataclasses.replace(sensors(), recordings=(dataclasses.replace(recording, **change),))
            for change in (
                {"recording_id": "s"},
                {"values": np.zeros((4, 2))},
                {"anomalous": np.ones(4, bool)},
                {"anomalous": None},
                {"split": "train"},
            )
        ),
    ]
    digests = {sensors().digest(), *(v.digest() for v in variants)}
    assert len(digests) == len(variants) + 1


def test_what_is_skipped_is_kept(tmp_path):
    generator = np.random.default_rng(3)
    skipped = generator.random((5, 2)) < 0.5
    sequences = (
        FrameSequence("a", np.ones((4, 2)), -1, None, "train"),
        FrameSequence("b", np.ones((5, 2)), -1, np.ones(5), "test", skipped),
        FrameSequence("c", np.ones((3, 2)), -1, None, "test", ~skipped[:3]),
    )
    path = tmp_path / "frames.npz"
    FrameSet(("x", "y"), 2.0, sequences).save(path)
    again = FrameSet.load(path).sequences
    assert again[0].skipped is None
    np.testing.assert_array_equal(again[1].skipped, skipped)
    np.testing.assert_array_equal(again[2].skipped, ~skipped[:3])
    assert not again[2].skipped.flags.writeable
