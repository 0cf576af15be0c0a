"""Two models on the same test material: is what separates them more than chance?

Both models hear the same clips, so that what is the same for both drops out. The interval of one
model's own figure says nothing of this: it is about other clips.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.evaluation.anomaly_metrics import f1_of
from rnn_edge.statistics import Z_95, bootstrap_interval
from rnn_edge.types import Array

FEWEST_GROUPS = 5
"""Groups below which neither interval nor p-value is given: four pairs cannot even be swapped in
enough ways for a p-value below 0.05."""
MOST_EXACT = 12
SWAPS = 5000
ROUNDING = 1e-12
"""Two sums of the same counts in another order are the same difference."""


@dataclass(frozen=True)
class PairedDifference:
    """What a model does better than another on the same material.

    Attributes:
        before: Figure of the model compared with, 0..1.
        after: Figure of the model in question.
        pairs: Clips or recordings that both were judged on.
        interval: 95 % of the difference, or None where the material is too little for one.
        gained: Clips that only the model in question has right; None where not clips are judged.
        lost: Clips that only the other one has right.
        p_value: Of no difference: the exact McNemar test of clips, `swap_p_value` of recordings;
            None where the material is too little for it.
    """

    before: float
    after: float
    pairs: int
    interval: tuple[float, float] | None
    gained: int | None = None
    lost: int | None = None
    p_value: float | None = None

    @property
    def difference(self) -> float:
        """The model in question less the other, -1..1."""
        return self.after - self.before

    def to_json(self) -> dict[str, Any]:
        """Return plain values for reports."""
        return {
            "before": self.before,
            "after": self.after,
            "difference": self.difference,
            "pairs": self.pairs,
            "interval": None if self.interval is None else list(self.interval),
            "gained": self.gained,
            "lost": self.lost,
            "p_value": self.p_value,
        }


def mcnemar_p_value(gained: int, lost: int) -> float:
    """Return the two-sided exact p-value that a change is as likely for better as for worse.

    Args:
        gained: Pairs that only the one has right.
        lost: Pairs that only the other has right.

    Source: McNemar 1947; exact: under no difference ``gained`` is binomial with
        ``gained + lost`` trials and probability 1/2, and both tails count.
    """
    trials, fewer = gained + lost, min(gained, lost)
    tail = sum(math.comb(trials, k) for k in range(fewer + 1))
    return min(1.0, float(2 * tail / 2**trials))


def matched_interval(gained: int, lost: int, pairs: int) -> tuple[float, float]:
    """Return the 95 % interval of the difference of two shares over the same pairs.

    Args:
        gained: Pairs that only the one has right.
        lost: Pairs that only the other has right.
        pairs: All pairs, positive.

    Source: Agresti and Min 2005, "Simple improved confidence intervals for comparing matched
        proportions": Wald's interval after half a pair was added to each of the four counts.
    """
    b, c, n = gained + 0.5, lost + 0.5, pairs + 2.0
    centre = (b - c) / n
    half = Z_95 * math.sqrt(b + c - (b - c) ** 2 / n) / n
    return max(-1.0, centre - half), min(1.0, centre + half)


def swap_p_value(after: Array, before: Array) -> float:
    """Return the two-sided p-value that it does not matter which model a result is from.

    Args:
        after: int64 (R, 3), counts of one detector, as for `compare_alarms`.
        before: The same of the other.

    Source: Yeh 2000, "More accurate tests for the statistical significance of result
        differences": results of both are swapped at random, recording by recording; exact over
        all swaps up to `MOST_EXACT` recordings, else over `SWAPS` random ones, the one observed
        counted among them.
    """
    count = len(after)
    if count <= MOST_EXACT:
        swapped = (np.arange(2**count)[:, None] >> np.arange(count)) & 1
    else:
        generator = np.random.Generator(np.random.PCG64(0))
        swapped = generator.integers(0, 2, (SWAPS, count))
        swapped[0] = 0
    change = after - before
    ones = after.sum(axis=0) - swapped @ change
    others = before.sum(axis=0) + swapped @ change
    size = np.abs(_f1_of_sums(ones) - _f1_of_sums(others))
    return float((size >= size[0] - ROUNDING).mean())


def _f1_of_sums(sums: Array) -> Array:
    """Return the F1 of sums of frames rightly alarmed, wrongly alarmed and missed, (N, 3)."""
    twice = 2 * sums[:, 0]
    return np.asarray(twice / np.maximum(twice + sums[:, 1] + sums[:, 2], 1))


def compare_clips(after: Array, before: Array) -> PairedDifference:
    """Compare which clips two models have right.

    Args:
        after: bool (N,), of the model in question.
        before: bool (N,), of the other, the same clips in the same order.

    Raises:
        DataError: If there are no clips, or not as many of both.
    """
    _require_pairs(len(after), len(before))
    gained, lost = int((after & ~before).sum()), int((before & ~after).sum())
    return PairedDifference(
        float(before.mean()),
        float(after.mean()),
        len(after),
        matched_interval(gained, lost, len(after)),
        gained,
        lost,
        mcnemar_p_value(gained, lost),
    )


def compare_alarms(after: Array, before: Array) -> PairedDifference:
    """Compare the F1 of two detectors over the same recordings.

    Args:
        after: int64 (R, 3), of the model in question: frames rightly alarmed, wrongly alarmed
            and missed in each labelled recording.
        before: The same of the other.

    Returns:
        The difference; its interval resamples recordings, the same ones for both, and its
        p-value swaps them.

    Raises:
        DataError: If there are no recordings, or not as many of both.
    """
    _require_pairs(len(after), len(before))
    count = len(after)

    def difference(rows: Array) -> float:
        return f1_of(after[rows]) - f1_of(before[rows])

    everything = np.arange(count)
    return PairedDifference(
        f1_of(before[everything]),
        f1_of(after[everything]),
        count,
        bootstrap_interval(count, difference) if count >= FEWEST_GROUPS else None,
        p_value=swap_p_value(after, before) if count >= FEWEST_GROUPS else None,
    )


def _require_pairs(after: int, before: int) -> None:
    if after != before or not after:
        raise DataError(
            f"Paired comparison of {after} and {before} results; expected as many, at least one."
        )
