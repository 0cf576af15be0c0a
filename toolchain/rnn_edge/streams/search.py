"""A seeded search for the window of frames under which a quantized model drifts most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_edge.streams.closed_loop import WindowMeter
from rnn_edge.streams.mutation import Material
from rnn_edge.types import Array

KEPT_SHARE = 8
"""One of so many windows is kept as a parent of the next ones."""


@dataclass(frozen=True, eq=False)
class WorstWindow:
    """What the search found, beside what recordings alone come to.

    Attributes:
        frames: float32 (L, D), the window.
        drift: RMS error of all hidden states over it, in units of the state; the mean over
            several states that it begins in.
        recorded_drift: The largest that as many random windows of the recordings came to.
        recorded_mean: What they came to on average.
        evaluations: Windows measured by the search, and as many recorded ones beside it.
    """

    frames: Array
    drift: float
    recorded_drift: float
    recorded_mean: float
    evaluations: int

    @property
    def gain(self) -> float:
        """How many times more than the worst recorded window; infinite if those do not drift."""
        return self.drift / self.recorded_drift if self.recorded_drift else float("inf")


def find_worst_window(
    meter: WindowMeter, material: Material, population: int, generations: int, seed: int
) -> WorstWindow:
    """Return the window with the largest drift that an evolutionary search finds.

    The first generation is recorded windows; every other one is altered copies of the best so
    far, which stay among the parents until better ones are found.

    Args:
        meter: Measures windows.
        material: What they are made of.
        population: Windows measured at once.
        generations: How often.
        seed: Of the search, and of the recorded windows beside it.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    kept = max(2, population // KEPT_SHARE)
    tried = material.recorded(population, generator)
    drifts = meter.measure(tried)
    recorded = [drifts]
    best, best_drifts = _best(tried, drifts, kept)
    for _ in range(generations - 1):
        tried = np.stack([material.offspring(best, generator) for _ in range(population)])
        joined = np.concatenate([best_drifts, meter.measure(tried)])
        best, best_drifts = _best(np.concatenate([best, tried]), joined, kept)
    for _ in range(generations - 1):
        recorded.append(meter.measure(material.recorded(population, generator)))
    return WorstWindow(
        best[0],
        float(best_drifts[0]),
        float(np.max(recorded)),
        float(np.mean(recorded)),
        population * generations,
    )


def _best(windows: Array, drifts: Array, count: int) -> tuple[Array, Array]:
    order = np.argsort(-drifts, kind="stable")[:count]
    return windows[order], drifts[order]
