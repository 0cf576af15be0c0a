"""Recordings one after the other, in the order that short streams have."""

import numpy as np
import pytest

from rnn_edge.errors import DataError
from rnn_edge.replay import sequence_stream
from rnn_edge.spec import StreamSpec, load_stream
from rnn_edge.streams import open_stream, read_whole, sequence_order
from rnn_edge.streams.base import ANOMALOUS, NORMAL, UNLABELLED
from rnn_edge.streams.recorded import RecordedFrames
from rnn_edge.types.frames import FrameSequence, FrameSet

# Written down once: the order of a stream is the same in every version.
ORDER_OF_5_WITH_SEED_7 = [2, 0, 4, 1, 3, 0, 1, 4, 3, 2]


def test_the_order_is_one_permutation_per_pass():
    order = sequence_order([3, 1, 4, 1, 5], 7)
    found = [next(order) for _ in range(10)]
    generator = np.random.Generator(np.random.PCG64(7))
    assert found == [*generator.permutation(5), *generator.permutation(5)]
    assert found == ORDER_OF_5_WITH_SEED_7


def test_empty_sequences_are_passed_over():
    order = sequence_order([3, 0, 4, 0, 5], 7)
    assert [next(order) for _ in range(6)] == [2, 0, 4, 0, 4, 2]


def test_nothing_to_repeat_is_refused():
    with pytest.raises(DataError, match="no sequence has a frame"):
        sequence_order([0, 0], 1)
    with pytest.raises(DataError, match="no sequence has a frame"):
        RecordedFrames("x", [np.zeros((0, 3), np.float32)], 100, 1)


@pytest.mark.parametrize("steps", [1, 300, 5000])
def test_frames_are_those_of_the_stream_of_a_build(make_frames, make_spec, steps):
    frames = make_frames()
    whole = sequence_stream([s.frames for s in frames.sequences], steps, 7)
    stream = read_whole(open_stream(make_spec("recorded", seed=7), frames, steps=steps))
    assert np.array_equal(stream.frames, whole.frames[:steps])
    assert np.array_equal(stream.starts, whole.starts[whole.starts < steps])


def test_a_file_without_a_kind_is_recorded(tmp_path, make_frames):
    file = tmp_path / "old.toml"
    file.write_text('task = "anomaly"\nsplit = "test"\nsteps = 10_000\nseed = 7\n')
    stream = open_stream(load_stream(str(file), "anomaly"), make_frames())
    assert (stream.name, stream.steps) == ("recorded", 10_000)
    # The keys alone, without a kind, mean the same.
    bare = StreamSpec(task="anomaly", steps=10_000, seed=7)
    assert np.array_equal(
        read_whole(open_stream(bare, make_frames())).frames, read_whole(stream).frames
    )


def test_only_the_named_part_is_taken(make_frames, make_spec):
    frames = make_frames(splits=("test", "train"))
    (wanted,) = frames.part("train")
    stream = read_whole(open_stream(make_spec("recorded", split="train"), frames, steps=200))
    assert np.array_equal(stream.frames, wanted.frames)


def test_labels_go_with_their_frames_whatever_the_chunks():
    sequences = [np.full((n, 1), n, np.float32) for n in (3, 5, 7)]
    labels = [np.full(3, NORMAL, np.int8), None, np.full(7, ANOMALOUS, np.int8)]
    stream = RecordedFrames("x", sequences, 200, 1, labels)
    for size in (1, 4, 200):
        for chunk in stream.chunks(size):
            of = {3: NORMAL, 5: UNLABELLED, 7: ANOMALOUS}
            assert [of[int(v)] for v in chunk.frames[:, 0]] == chunk.labels.tolist()
    plain = RecordedFrames("x", sequences, 200, 1)
    assert all(chunk.labels is None for chunk in plain.chunks())


def test_what_is_learned_from_is_normal_and_an_unlabelled_test_part_is_not_known(make_spec):
    def labels(split, anomalous):
        sequence = FrameSequence("a", np.zeros((4, 2), np.float32), -1, anomalous, split)
        spec = make_spec("recorded").model_copy(update={"split": split})
        stream = open_stream(spec, FrameSet(("p", "q"), 1.0, (sequence,)), steps=4)
        found = next(stream.chunks()).labels
        return None if found is None else found.tolist()

    assert labels("validation", None) == [NORMAL] * 4
    assert labels("test", None) is None
    marks = np.array([False, True, True, False])
    assert labels("test", marks) == [NORMAL, ANOMALOUS, ANOMALOUS, NORMAL]
    assert labels("validation", marks) == [NORMAL, ANOMALOUS, ANOMALOUS, NORMAL]
