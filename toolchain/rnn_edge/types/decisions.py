"""What a rule decides on consecutive frames of a stream."""

from __future__ import annotations

from dataclasses import dataclass

from rnn_edge.types.arrays import Array

NOTHING = 0
"""A detection that is none."""


@dataclass(frozen=True, eq=False)
class Decided:
    """Decisions on consecutive frames.

    Attributes:
        frames: int64 (T,), the decision at each frame taken by itself.
        detections: int64 (T,), the decision after smoothing and threshold; `NOTHING` for none.
        scores: float64 (T,), what the threshold is compared with.
    """

    frames: Array
    detections: Array
    scores: Array
