"""What a stream is: frames without an end in memory, read chunk by chunk.

To add a kind of stream, write its keys in `rnn_edge.spec.stream`, a `FrameStream` (a `PieceStream`
leaves the chunks to the base class), and make `open_stream` return it for its spec. The tests of
`tests/unit/streams/test_stream_chunks.py` then hold it to what all streams promise.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from rnn_edge.types import Array

CHUNK_STEPS = 4096
"""Frames read at once: what is kept of a stream is this much, whatever its length."""

UNLABELLED, NORMAL, ANOMALOUS = 0, 1, 2
"""What is known of a frame."""


@dataclass(frozen=True, eq=False)
class Chunk:
    """Consecutive frames of a stream.

    Attributes:
        frames: float32 (T, D), normalised as the model's front end does.
        starts: int64 (N,), indices into ``frames`` at which a recording begins; a stream made of
            one piece begins with one.
        labels: int8 (T,), `UNLABELLED`, `NORMAL` or `ANOMALOUS`; None where nothing is known of
            any frame of the stream.
    """

    frames: Array
    starts: Array
    labels: Array | None = None


class FrameStream(ABC):
    """A stream; reading it again gives the same frames.

    Attributes:
        name: What reports call it.
        description: How it is made, in a sentence.
        inputs: Features D of a frame.
        steps: Frames in all.
    """

    name: str
    description: str
    inputs: int
    steps: int

    @abstractmethod
    def chunks(self, size: int = CHUNK_STEPS) -> Iterator[Chunk]:
        """Yield the frames from the first to the last.

        Args:
            size: Frames of each chunk but the last; the frames do not depend on it.
        """
