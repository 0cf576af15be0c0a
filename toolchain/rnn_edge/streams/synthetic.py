"""Frames that go on with the statistics of recordings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.streams.autoregression import Autoregression
from rnn_edge.streams.correlations import lagged_correlations, score_correlations
from rnn_edge.streams.grid import on_grid
from rnn_edge.streams.marginals import Marginals
from rnn_edge.streams.pieces import Piece, PieceStream
from rnn_edge.types import Array


class SyntheticFrames(PieceStream):
    """A vector autoregression of normal scores, mapped back through each feature's quantiles.

    Args:
        name: What reports call it.
        sequences: float32 (T_k, D) each, what it is fitted to.
        steps: Frames in all.
        order: Frames back that a frame depends on.
        seed: Of what is drawn.

    Raises:
        DataError: If there are too few frames to fit to.
    """

    def __init__(
        self, name: str, sequences: Sequence[Array], steps: int, order: int, seed: int
    ) -> None:
        frames = np.concatenate(sequences)
        correlations, seen = lagged_correlations(sequences, order)
        inputs = frames.shape[1]
        if seen <= order * inputs:
            raise DataError(
                f"Synthetic stream: {seen:,} frames have {order} before them in their recording; "
                f"an autoregression of {inputs} features needs more than {order * inputs:,}.",
                "lower order in the stream, or take another split",
            )
        self._marginals = Marginals(on_grid(Marginals.fit(frames).table))
        self._process = Autoregression.of_correlations(
            score_correlations(correlations, self._marginals)
        )
        self._seed = seed
        description = (
            f"a vector autoregression of order {order} fitted to {len(frames):,} frames, with "
            f"the distribution of each feature; spectral radius {self._process.radius:.4f}"
        )
        if self._process.radius < self._process.fitted_radius:
            description += f", lowered from {self._process.fitted_radius:.4f}"
        super().__init__(name, description, inputs, steps)

    def _pieces(self) -> Iterator[Piece]:
        for k, scores in enumerate(self._process.draw(self._seed)):
            yield Piece(self._marginals.values(scores), k == 0)
