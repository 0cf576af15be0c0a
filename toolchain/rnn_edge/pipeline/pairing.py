"""How noisy a comparison of two drifts is that were measured on the same frames.

Both errors rise and fall with the same frames, so that their ratio is known much better than each
of them. The stream is cut into the same stretches for both, and stretches are compared in pairs.

Source:
    Cochran, "Sampling Techniques" (1977), chapter 6: a ratio of two means and its variance from
    the residuals a - R*b; intervals as in `rnn_edge.statistics.related_mean`, which knows that
    neighbouring stretches are related.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnn_edge.drift.closed_loop import RunningDrift
from rnn_edge.drift.running import STRETCHES
from rnn_edge.evaluation.paired import matched_interval
from rnn_edge.statistics import related_mean
from rnn_edge.types.drift import Estimate
from rnn_edge.types.drift_measures import Comparison, Measure

KEY = "stretches"
"""Of the stretches in the JSON of a stream."""

HIDDEN = "hidden"

FEWEST = 8
"""With fewer stretches nothing is compared in pairs."""


def stretches_of(found: RunningDrift) -> dict[str, list[float]]:
    """Return mean square errors and shares of other decisions in equal stretches of a stream."""
    squares = {name: error.blocks.means(STRETCHES)[0] for name, error in found.errors.items()}
    frames, detections = found.decisions.stretches()
    squares[HIDDEN] = np.mean([squares[name] for name in found.hidden], axis=0)
    squares |= {"decisions": frames, "detections": detections}
    return {name: [float(value) for value in values] for name, values in squares.items()}


def paired(
    measure: Measure, tensor: str, stream: Mapping[str, Any], baseline: Mapping[str, Any]
) -> Estimate | None:
    """Return how two streams compare, from their stretches.

    Args:
        measure: The measure.
        tensor: The tensor that it is of, or "".
        stream: JSON of the stream.
        baseline: JSON of the same stream of the baseline.

    Returns:
        The ratio of root mean squares, or how many more decisions differ, as a share; None where
        the stretches are not known, too few, or not the same ones.
    """
    name = tensor if measure.pairing == "tensor" else measure.pairing
    ours = stream.get(KEY, {}).get(name, ())
    theirs = baseline.get(KEY, {}).get(name, ())
    if len(ours) != len(theirs) or len(ours) < FEWEST:
        return None
    if measure.comparison is Comparison.RATIO:
        return ratio_of_roots(ours, theirs)
    return _more_flips(
        related_mean(np.subtract(ours, theirs)),
        stream[name]["flips"] - baseline[name]["flips"],
        stream["steps"],
    )


def _more_flips(spread: Estimate, more: int, frames: int) -> Estimate:
    """Return how many more decisions differ, as a share.

    Its interval is the wider of that of the stretches, which knows that flips come together, and
    that of single frames, which knows that no difference seen is not none at all.

    Args:
        spread: From the stretches.
        more: Frames that are decided otherwise, less those of the baseline.
        frames: All frames.
    """
    low, high = matched_interval(max(more, 0), max(-more, 0), frames)
    shift = spread.value - more / frames
    return Estimate(spread.value, min(spread.low, low + shift), max(spread.high, high + shift))


def ratio_of_roots(ours: Sequence[float], theirs: Sequence[float]) -> Estimate | None:
    """Return the ratio of two root mean squares; None where one of them is zero.

    Args:
        ours: Mean squares of stretches.
        theirs: Those of the same stretches.
    """
    a, b = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    if a.sum() <= 0.0 or b.sum() <= 0.0:
        return None
    ratio = float(a.sum() / b.sum())
    spread = related_mean((a - ratio * b) / b.mean())
    low, high = (max(0.0, ratio + end) for end in (spread.low, spread.high))
    return Estimate(math.sqrt(ratio), math.sqrt(low), math.sqrt(high))
