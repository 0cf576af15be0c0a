"""Targets of recordings are the frames at the offsets, sequence after sequence."""

import numpy as np
import pytest

from rnn_edge.errors import DataError
from rnn_edge.pipeline.training_sets import recordings_set, training_set
from rnn_edge.types.frames import FrameSequence, FrameSet


def recording(count, split="train", name="r"):
    frames = np.stack([np.arange(count), 100.0 + np.arange(count)], axis=1)
    return FrameSequence(name, frames.astype(np.float32), -1, None, split)


@pytest.mark.parametrize("offsets", [(1,), (1, 2), (0, -1, -2), (3, -2)])
def test_a_target_is_the_frame_at_its_offset(offsets):
    found = recordings_set([recording(23)], 8, offsets)
    ahead = max(0, *offsets)
    assert found.lengths.sum() == 23 - ahead
    assert found.successor.tolist() == [*range(1, len(found)), -1]
    assert found.target.shape == (*found.x.shape[:2], 2 * len(offsets))
    for k, length in enumerate(found.lengths):
        for t in range(length):
            now = 8 * k + t
            assert found.x[k, t, 0] == now
            # Before it began the first frame stood.
            wanted = [max(0, now + offset) for offset in offsets]
            assert found.target[k, t, ::2].tolist() == wanted
            assert found.target[k, t, 1::2].tolist() == [100 + value for value in wanted]


def test_recordings_without_what_is_ahead_are_left_out():
    found = recordings_set([recording(3), recording(9)], 8, (3,))
    assert found.lengths.tolist() == [6]
    with pytest.raises(DataError, match="no recording has 4 frames"):
        recordings_set([recording(3)], 8, (3,))


def test_a_training_set_has_an_output_of_every_offset(tmp_path):
    frames = FrameSet(("a", "b"), 10.0, (recording(20), recording(20, "validation")))
    found = training_set("anomaly", frames, tmp_path, 8, (0, 2))
    assert (found.inputs, found.outputs) == (2, 4)
    assert found.labels == ("a t", "b t", "a t+2", "b t+2")
