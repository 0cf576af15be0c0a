"""From frames to the padded arrays that training reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.train.sequences import SequenceSet, TrainingSet
from rnn_edge.types import Task
from rnn_edge.types.frames import FrameSequence, FrameSet, padded
from rnn_edge.types.offsets import NEXT_FRAME, output_labels

POOL = "pool.npz"


def training_set(
    task: Task,
    frames: FrameSet,
    folder: Path,
    window: int,
    offsets: Sequence[int] = NEXT_FRAME,
) -> TrainingSet:
    """Return what the training stages share.

    Args:
        task: "kws": the training part is the pool of altered clips; "anomaly": the recordings.
        frames: All sequences.
        folder: Of the stage that made them; holds the pool.
        window: Frames of one training sequence of a recording.
        offsets: Frames that the outputs of "anomaly" stand for.
    """
    train, validation = frames.part("train"), frames.part("validation")
    if task == "kws":
        return TrainingSet(task, load_pool(folder), clips_set(validation), frames.labels)
    return TrainingSet(
        task,
        recordings_set(train, window, offsets),
        recordings_set(validation, window, offsets),
        output_labels(frames.labels, offsets),
    )


def clips_set(clips: Sequence[FrameSequence]) -> SequenceSet:
    """Return clips with their classes."""
    x, lengths = padded([clip.frames for clip in clips])
    return SequenceSet(x, lengths, np.array([clip.label for clip in clips], np.int64))


def load_pool(folder: Path) -> SequenceSet:
    """Return the pool of altered training clips."""
    with np.load(folder / POOL, allow_pickle=False) as file:
        return SequenceSet(file["x"], file["lengths"], file["labels"])


def recordings_set(
    recordings: Sequence[FrameSequence], window: int, offsets: Sequence[int] = NEXT_FRAME
) -> SequenceSet:
    """Cut recordings into sequences that follow each other; targets are the frames at offsets.

    Before a recording begins its first frame is taken to have stood: a state of zero cannot know
    more, and what it says there is not scored.

    Args:
        recordings: Those without a frame that has all those ahead of it are left out.
        window: Frames of one sequence.
        offsets: Frames that the target stands for, see `rnn_edge.types.offsets`.

    Raises:
        DataError: If nothing is left.
    """
    inputs, targets, successor = [], [], []
    ahead = max(0, *offsets)
    for recording in recordings:
        x = recording.frames
        count = len(x) - ahead
        wanted = [x[np.maximum(np.arange(count) + offset, 0)] for offset in offsets if count > 0]
        target = np.concatenate(wanted, axis=1) if wanted else x[:0]
        for start in range(0, count, window):
            end = min(start + window, count)
            inputs.append(x[start:end])
            targets.append(target[start:end])
            successor.append(len(inputs) if end < count else -1)
    if not inputs:
        raise DataError(
            f"Data: no recording has {ahead + 1} frames; a forecast needs those ahead of it."
        )
    x, lengths = padded(inputs)
    padded_target, _ = padded(targets)
    return SequenceSet(x, lengths, padded_target, np.array(successor, np.int64))
