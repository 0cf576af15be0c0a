"""The order in which the sequences of a data set follow one another in a stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rnn_edge.errors import DataError


def sequence_order(lengths: Sequence[int], seed: int) -> Iterator[int]:
    """Return indices of sequences without end; every pass over them is shuffled anew.

    Args:
        lengths: Frames of each sequence; empty ones are passed over.
        seed: Of the order.

    Raises:
        DataError: If no sequence has a frame.
    """
    if not any(lengths):
        raise DataError("Stream: no sequence has a frame; expected at least one.")
    return _passes(lengths, seed)


def _passes(lengths: Sequence[int], seed: int) -> Iterator[int]:
    generator = np.random.Generator(np.random.PCG64(seed))
    while True:
        yield from (int(k) for k in generator.permutation(len(lengths)) if lengths[k])
