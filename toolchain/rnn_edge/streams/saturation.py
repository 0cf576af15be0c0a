"""Inputs at the ends of their range."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rnn_edge.streams.grid import HIGHEST, LOWEST
from rnn_edge.streams.pieces import Piece, PieceStream
from rnn_edge.types import Array


class SaturatedFrames(PieceStream):
    """Stretches of frames whose every input is at an end of its range.

    Args:
        name: What reports call it.
        inputs: Features D of a frame.
        steps: Frames in all.
        stretch: Frames of each pattern.
        patterns: "high", "low", "alternating" (by feature) or "random" (by frame and feature), in
            turn.
        seed: Of the random ones.
    """

    def __init__(
        self,
        name: str,
        inputs: int,
        steps: int,
        stretch: int,
        patterns: Sequence[str],
        seed: int,
    ) -> None:
        self._stretch, self._patterns, self._seed = stretch, patterns, seed
        description = (
            f"inputs at {LOWEST:g} and {HIGHEST:g}, {stretch:,} frames of each pattern: "
            f"{', '.join(patterns)}"
        )
        super().__init__(name, description, inputs, steps)

    def _pieces(self) -> Iterator[Piece]:
        generator = np.random.Generator(np.random.PCG64(self._seed))
        begins = True
        while True:
            for pattern in self._patterns:
                yield Piece(_ends(self._highs(pattern, generator)), begins)
                begins = False

    def _highs(self, pattern: str, generator: np.random.Generator) -> Array:
        """Return which inputs are high, bool (stretch, D)."""
        shape = (self._stretch, self.inputs)
        if pattern == "random":
            return generator.integers(0, 2, shape, dtype=np.uint8).astype(np.bool_)
        by_feature = {
            "high": np.ones(self.inputs, np.bool_),
            "low": np.zeros(self.inputs, np.bool_),
            "alternating": np.arange(self.inputs) % 2 == 0,
        }[pattern]
        return np.broadcast_to(by_feature, shape)


def _ends(highs: Array) -> Array:
    return np.where(highs, np.float32(HIGHEST), np.float32(LOWEST))
