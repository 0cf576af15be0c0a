"""The arrays a training run reads: padded sequences, their lengths and what to predict."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.types import Array, Task


@dataclass(frozen=True, eq=False)
class SequenceSet:
    """Sequences of one part of the data. Arrays are not copied: a pool can fill half the memory.

    Attributes:
        x: float32 [N, T, D], normalised frames within the input range; padding is 0.
        lengths: int64 [N], frames that count, 1..T.
        target: "kws": int64 [N], class of each sequence. "anomaly": float32 [N, T, C], the frames
            that the outputs at each frame stand for.
        successor: int64 [N], index of the sequence that continues this one in the same
            recording, or -1. None means that every sequence stands alone (clips).
    """

    x: Array
    lengths: Array
    target: Array
    successor: Array | None = None

    def __post_init__(self) -> None:
        if self.x.ndim != 3 or self.x.shape[0] == 0:
            raise DataError(f"Sequences have shape {self.x.shape}; expected [N, T, D] with N > 0.")
        count = self.x.shape[0]
        if self.lengths.shape != (count,) or self.target.shape[0] != count:
            raise DataError(
                f"{count} sequences with lengths {self.lengths.shape} and targets "
                f"{self.target.shape}; expected one of each per sequence."
            )
        if int(self.lengths.min()) < 1 or int(self.lengths.max()) > self.x.shape[1]:
            raise DataError(
                f"Lengths run from {self.lengths.min()} to {self.lengths.max()}; "
                f"expected 1..{self.x.shape[1]}."
            )
        if self.successor is not None and self.successor.shape != (count,):
            raise DataError(f"Successors have shape {self.successor.shape}; expected ({count},).")

    def __len__(self) -> int:
        return int(self.x.shape[0])

    @property
    def is_padded(self) -> bool:
        """Whether any sequence is shorter than T."""
        return bool((self.lengths < self.x.shape[1]).any())

    def mask(self, indices: Array) -> Array:
        """Returns float32 [B, T], 1 where a frame of the chosen sequences counts."""
        frames = np.arange(self.x.shape[1])[None, :]
        return np.asarray(frames < self.lengths[indices][:, None], dtype=np.float32)


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """What the training stages share.

    Attributes:
        task: "kws" or "anomaly".
        train: The training part, altered copies included.
        validation: Sequences of other speakers or other recordings; they choose the best weights.
        labels: Names of the model's outputs.
    """

    task: Task
    train: SequenceSet
    validation: SequenceSet
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.train.x.shape[2] != self.validation.x.shape[2]:
            raise DataError(
                f"Training frames have {self.train.x.shape[2]} features, validation frames "
                f"{self.validation.x.shape[2]}; expected the same."
            )

    @property
    def inputs(self) -> int:
        """Input features D."""
        return int(self.train.x.shape[2])

    @property
    def outputs(self) -> int:
        """Outputs C."""
        return len(self.labels)
