"""Recordings one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rnn_edge.streams.order import sequence_order
from rnn_edge.streams.pieces import Piece, PieceStream
from rnn_edge.types import Array


class RecordedFrames(PieceStream):
    """Whole sequences, each pass over them in another order; the last one is cut.

    Args:
        name: What reports call it.
        sequences: float32 (T_k, D) each, at least one of them not empty.
        steps: Frames in all.
        seed: Of the order.
        labels: int8 (T_k,) of each sequence, or None where nothing is known of it; empty where
            nothing is known of any.

    Raises:
        DataError: If no sequence has a frame.
    """

    def __init__(
        self,
        name: str,
        sequences: Sequence[Array],
        steps: int,
        seed: int,
        labels: Sequence[Array | None] = (),
    ) -> None:
        self._sequences, self._seed = sequences, seed
        self._labels = labels or (None,) * len(sequences)
        sequence_order([len(s) for s in sequences], seed)
        frames = sum(len(s) for s in sequences)
        description = (
            f"{len(sequences):,} sequences of {frames:,} frames one after the other, each pass "
            f"over them in another order"
        )
        is_labelled = any(known is not None for known in labels)
        super().__init__(name, description, sequences[0].shape[1], steps, is_labelled=is_labelled)

    def _pieces(self) -> Iterator[Piece]:
        lengths = [len(sequence) for sequence in self._sequences]
        order = sequence_order(lengths, self._seed)
        return (Piece(self._sequences[k], True, self._labels[k]) for k in order)
