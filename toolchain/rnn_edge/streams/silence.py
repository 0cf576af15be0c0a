"""What the front end gives when nothing happens."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rnn_edge.data.options import SILENCE_LABEL
from rnn_edge.streams.base import CHUNK_STEPS
from rnn_edge.streams.grid import on_grid
from rnn_edge.streams.pieces import Piece, PieceStream
from rnn_edge.types import Array, Split
from rnn_edge.types.frames import FrameSet

QUIET_SHARE = 0.01
"""Share of the frames that count as the quietest ones."""


class SilentFrames(PieceStream):
    """One frame for ever.

    Args:
        name: What reports call it.
        frame: float32 (D,).
        steps: Frames in all.
        description: Which frame it is, in a sentence.
    """

    def __init__(self, name: str, frame: Array, steps: int, description: str) -> None:
        self._block = np.repeat(frame[None], CHUNK_STEPS, axis=0)
        super().__init__(name, description, len(frame), steps)

    def _pieces(self) -> Iterator[Piece]:
        yield Piece(self._block, True)
        while True:
            yield Piece(self._block)


def quietest_sound(frames: FrameSet, split: Split) -> tuple[Array, str]:
    """Return the mean of the quietest log-mel frames, float32 (D,), and whose frames they are.

    The mean of a frame's features, each normalised, says how loud it is.
    """
    part = frames.part(split)
    label = frames.labels.index(SILENCE_LABEL) if SILENCE_LABEL in frames.labels else None
    quiet = [s.frames for s in part if s.label == label]
    heard = np.concatenate(quiet or [s.frames for s in part])
    count = max(1, round(QUIET_SHARE * len(heard)))
    loudness = heard.mean(axis=1, dtype=np.float64)
    chosen = heard[np.argsort(loudness, kind="stable")[:count]]
    origin = (
        f'of class "{SILENCE_LABEL}"' if quiet else f"of all classes, none being {SILENCE_LABEL}"
    )
    return on_grid(chosen.mean(axis=0, dtype=np.float64)), (
        f"the mean of the {count:,} quietest of {len(heard):,} frames {origin}"
    )


def resting_channels(inputs: int) -> tuple[Array, str]:
    """Return every channel at its mean, float32 (D,), and that it is that."""
    return np.zeros(inputs, np.float32), "every channel at the mean of its training data"
