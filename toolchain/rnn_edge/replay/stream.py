"""Long streams from short sequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnn_edge.streams import sequence_order
from rnn_edge.types import Array


@dataclass(frozen=True, eq=False)
class Stream:
    """Sequences one after the other.

    Attributes:
        frames: float32 (T, D).
        starts: int64 (N,), first frame of each sequence, from 0.
    """

    frames: Array
    starts: Array


def sequence_stream(sequences: Sequence[Array], steps: int, seed: int) -> Stream:
    """Return at least ``steps`` frames: whole sequences one after the other.

    Args:
        sequences: float32 (T_k, D) each; empty ones are passed over.
        steps: Wanted length; the stream ends with a whole sequence at or after it.
        seed: Order of the sequences; every pass over them is shuffled anew.

    Raises:
        DataError: If there is no frame to repeat.
    """
    order = sequence_order([len(sequence) for sequence in sequences], seed)
    parts: list[Array] = []
    starts: list[int] = []
    length = 0
    while length < steps:
        parts.append(sequences[next(order)])
        starts.append(length)
        length += len(parts[-1])
    return Stream(np.concatenate(parts), np.array(starts, np.int64))


def concatenate(sequences: Sequence[Array], steps: int, seed: int) -> Array:
    """Return the frames of `sequence_stream`."""
    return sequence_stream(sequences, steps, seed).frames
