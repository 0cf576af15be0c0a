"""From frames to the padded arrays that training reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.train.sequences import SequenceSet, TrainingSet
from rnn_edge.types import Task
from rnn_edge.types.frames import FrameSequence, FrameSet, padded

POOL = "pool.npz"


def training_set(task: Task, frames: FrameSet, folder: Path, window: int) -> TrainingSet:
    """Return what the training stages share.

    Args:
        task: "kws": the training part is the pool of altered clips; "anomaly": the recordings.
        frames: All sequences.
        folder: Of the stage that made them; holds the pool.
        window: Frames of one training sequence of a recording.
    """
    train, validation = frames.part("train"), frames.part("validation")
    if task == "kws":
        return TrainingSet(task, load_pool(folder), clips_set(validation), frames.labels)
    return TrainingSet(
        task,
        recordings_set(train, window),
        recordings_set(validation, window),
        frames.labels,
    )


def clips_set(clips: Sequence[FrameSequence]) -> SequenceSet:
    """Return clips with their classes."""
    x, lengths = padded([clip.frames for clip in clips])
    return SequenceSet(x, lengths, np.array([clip.label for clip in clips], np.int64))


def load_pool(folder: Path) -> SequenceSet:
    """Return the pool of altered training clips."""
    with np.load(folder / POOL, allow_pickle=False) as file:
        return SequenceSet(file["x"], file["lengths"], file["labels"])


def recordings_set(recordings: Sequence[FrameSequence], window: int) -> SequenceSet:
    """Cut recordings into sequences that follow each other; the target is the next frame.

    Args:
        recordings: Those shorter than two frames are left out.
        window: Frames of one sequence.

    Raises:
        DataError: If nothing is left.
    """
    inputs, targets, successor = [], [], []
    for recording in recordings:
        count = len(recording.frames) - 1
        for start in range(0, count, window):
            end = min(start + window, count)
            inputs.append(recording.frames[start:end])
            targets.append(recording.frames[start + 1 : end + 1])
            successor.append(len(inputs) if end < count else -1)
    if not inputs:
        raise DataError("Data: no recording has two frames; a forecast needs a next one.")
    x, lengths = padded(inputs)
    target, _ = padded(targets)
    return SequenceSet(x, lengths, target, np.array(successor, np.int64))
