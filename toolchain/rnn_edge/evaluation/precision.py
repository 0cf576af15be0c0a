"""Precision over recall."""

from __future__ import annotations

import math

import numpy as np

from rnn_edge.types import Array


def average_precision(scores: Array, positive: Array) -> float:
    """Return the area under the precision-recall curve, as a step function.

    Args:
        scores: float (N,), higher is more likely positive.
        positive: bool (N,).

    Returns:
        0..1, or NaN without positives.

    Source: AP = sum over thresholds of (recall step) x precision; equal scores share a threshold.
    """
    if not positive.any():
        return math.nan
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.cumsum(positive[order])
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    precision = hits[last] / (last + 1)
    recall = hits[last] / hits[-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))
