"""Streams that are made piece by piece, of any length each."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.streams.base import CHUNK_STEPS, UNLABELLED, Chunk, FrameStream
from rnn_edge.types import Array


@dataclass(frozen=True, eq=False)
class Piece:
    """Frames as they come about.

    Attributes:
        frames: float32 (T, D), T > 0.
        begins: Whether a recording, or what stands for one, begins with the first.
        labels: int8 (T,), what is known of each; None where nothing is.
    """

    frames: Array
    begins: bool = False
    labels: Array | None = None


class PieceStream(FrameStream):
    """A stream whose pieces have lengths of their own; chunks are cut out of them.

    Args:
        name: What reports call it.
        description: How it is made, in a sentence.
        inputs: Features D of a frame.
        steps: Frames in all.
        is_labelled: Whether something is known of its frames.

    Raises:
        DataError: If there is to be no frame.
    """

    def __init__(
        self, name: str, description: str, inputs: int, steps: int, *, is_labelled: bool = False
    ) -> None:
        if steps < 1:
            raise DataError(f"Stream {name}: {steps} frames; expected at least 1.")
        self.name, self.description, self.inputs, self.steps = name, description, inputs, steps
        self._is_labelled = is_labelled

    @abstractmethod
    def _pieces(self) -> Iterator[Piece]:
        """Yield pieces without end, the same at every call."""

    def chunks(self, size: int = CHUNK_STEPS) -> Iterator[Chunk]:
        """Yield the frames from the first to the last.

        Args:
            size: Frames of each chunk but the last; the frames do not depend on it.

        Raises:
            DataError: If a chunk is to have no frame.
        """
        if size < 1:
            raise DataError(f"Stream {self.name}: chunks of {size} frames; expected at least 1.")
        return self._cut(size)

    def _cut(self, size: int) -> Iterator[Chunk]:
        pieces = self._pieces()
        rest = np.empty((0, self.inputs), np.float32)
        known = np.empty(0, np.int8)
        for done in range(0, self.steps, size):
            # Never a view of a piece: what a reader does with a chunk is its own affair.
            frames = np.empty((min(size, self.steps - done), self.inputs), np.float32)
            labels = np.empty(len(frames), np.int8) if self._is_labelled else None
            starts: list[int] = []
            filled = 0
            while filled < len(frames):
                if not len(rest):
                    piece = next(pieces)
                    rest = piece.frames
                    known = np.full(len(rest), UNLABELLED, np.int8)
                    if piece.labels is not None:
                        known = piece.labels
                    if piece.begins:
                        starts.append(filled)
                taken = rest[: len(frames) - filled]
                frames[filled : filled + len(taken)] = taken
                if labels is not None:
                    labels[filled : filled + len(taken)] = known[: len(taken)]
                rest, known = rest[len(taken) :], known[len(taken) :]
                filled += len(taken)
            yield Chunk(frames, np.array(starts, np.int64), labels)
