"""Between which values a tensor of a float model lies."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TensorSpan:
    """Smallest and largest value of a tensor, in real units."""

    low: float
    high: float
