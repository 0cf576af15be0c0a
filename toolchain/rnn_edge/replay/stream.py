"""Long streams from short sequences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.types import Array


def concatenate(sequences: Sequence[Array], steps: int, seed: int) -> Array:
    """Return at least ``steps`` frames: whole sequences one after the other, never reset.

    Args:
        sequences: float32 (T_k, D) each, none empty.
        steps: Wanted length; the stream ends with a whole sequence at or after it.
        seed: Order of the sequences; every pass over them is shuffled anew.

    Raises:
        DataError: If there is no frame to repeat.
    """
    if not any(len(sequence) for sequence in sequences):
        raise DataError("Stream: no sequence has a frame; expected at least one.")
    generator = np.random.Generator(np.random.PCG64(seed))
    parts: list[Array] = []
    length = 0
    while length < steps:
        for k in generator.permutation(len(sequences)):
            parts.append(sequences[k])
            length += len(sequences[k])
            if length >= steps:
                break
    return np.concatenate(parts)
