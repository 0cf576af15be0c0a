"""What a baseline is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnn_edge.evaluation import baselines
from rnn_edge.registry import discover
from rnn_edge.types import Array

SMALLEST_DEVIATION = 1e-3
"""Of a normal channel, in units of the normalised input; what never moves is divided by it."""


class Baseline(ABC):
    """What a detector without a network finds unexpected in frames.

    Its residuals go the way of a model's: squared, each over its normal variance, limited,
    averaged, smoothed, compared with a threshold. So the two differ in what they expect, and in
    nothing else.
    """

    @abstractmethod
    def residuals(self, frames: Array) -> Array:
        """Return what is unexpected of every frame, of which later frames change nothing.

        Args:
            frames: float (T, D), normalised as the model's.

        Returns:
            float64 (T, R).
        """

    @abstractmethod
    def arrays(self) -> dict[str, Array]:
        """Return what was fitted, by name."""


@dataclass(frozen=True)
class BaselineKind:
    """One kind of baseline.

    Attributes:
        name: As it is called in results.
        title: In a sentence.
        fit: From normal frames float (T, D) of each recording.
        restore: From `Baseline.arrays`.
        extra: Of this distribution, that fitting needs; empty for none.
        module: The package of it that is imported.
    """

    name: str
    title: str
    fit: Callable[[Sequence[Array]], Baseline]
    restore: Callable[[Mapping[str, Array]], Baseline]
    extra: str = ""
    module: str = ""


def all_baselines() -> dict[str, BaselineKind]:
    """Return every kind by name."""
    return discover(baselines, "BASELINE", BaselineKind)


def spread_of(normal: Sequence[Array]) -> tuple[Array, Array]:
    """Return mean and standard deviation of every channel, float64 (D,) each."""
    rows = np.concatenate([np.asarray(each, np.float64) for each in normal])
    return rows.mean(axis=0), np.maximum(rows.std(axis=0), SMALLEST_DEVIATION)
