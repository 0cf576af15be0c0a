"""Streams that are made piece by piece, of any length each."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.streams.base import CHUNK_STEPS, Chunk, FrameStream
from rnn_edge.types import Array


@dataclass(frozen=True, eq=False)
class Piece:
    """Frames as they come about.

    Attributes:
        frames: float32 (T, D), T > 0.
        begins: Whether a recording, or what stands for one, begins with the first.
    """

    frames: Array
    begins: bool = False


class PieceStream(FrameStream):
    """A stream whose pieces have lengths of their own; chunks are cut out of them.

    Args:
        name: What reports call it.
        description: How it is made, in a sentence.
        inputs: Features D of a frame.
        steps: Frames in all.

    Raises:
        DataError: If there is to be no frame.
    """

    def __init__(self, name: str, description: str, inputs: int, steps: int) -> None:
        if steps < 1:
            raise DataError(f"Stream {name}: {steps} frames; expected at least 1.")
        self.name, self.description, self.inputs, self.steps = name, description, inputs, steps

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
        for done in range(0, self.steps, size):
            # Never a view of a piece: what a reader does with a chunk is its own affair.
            frames = np.empty((min(size, self.steps - done), self.inputs), np.float32)
            starts: list[int] = []
            filled = 0
            while filled < len(frames):
                if not len(rest):
                    piece = next(pieces)
                    rest = piece.frames
                    if piece.begins:
                        starts.append(filled)
                taken = rest[: len(frames) - filled]
                frames[filled : filled + len(taken)] = taken
                rest = rest[len(taken) :]
                filled += len(taken)
            yield Chunk(frames, np.array(starts, np.int64))
