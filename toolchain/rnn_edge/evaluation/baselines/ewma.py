"""How far the moving average of every channel is from its normal mean: an EWMA control chart."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rnn_edge.evaluation.baselines.base import BaselineKind
from rnn_edge.evaluation.baselines.z_score import ZScore
from rnn_edge.types import Array

WEIGHT = 0.1
"""Of the newest frame. Control charts take 0.05 to 0.25; small ones find small lasting shifts."""


@dataclass(frozen=True, eq=False)
class Ewma(ZScore):
    """Exponentially weighted moving average of each channel's z-score."""

    def residuals(self, frames: Array) -> Array:
        """Return the average less its mean over its deviation of independent frames, (T, D).

        Source: Roberts, "Control chart tests based on geometric moving averages" (1959): the
            average starts at the mean, and its variance tends to
            ``weight / (2 - weight)`` of that of a frame.
        """
        steps = super().residuals(frames)
        steps /= math.sqrt(WEIGHT / (2.0 - WEIGHT))
        value = np.zeros(steps.shape[1])
        for row in steps:
            value += WEIGHT * (row - value)
            row[:] = value
        return np.asarray(steps)


BASELINE = BaselineKind("ewma", "EWMA chart of every channel", Ewma.fit, Ewma.restore)
