"""A front end set to one machine, by its first samples in normal operation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.normaliser import Normaliser
from rnn_edge.types import Array

FEWEST_FRAMES = 30
"""From fewer, a deviation is a guess."""
STILL = 0.001
"""Share of the training part's deviation; a feature that moves less keeps that of training, or
whatever it does later would be out of range."""


def commission_front_end(features: FrontEnd, samples: Array) -> FrontEnd:
    """Return a front end whose normaliser is that of one machine.

    Args:
        features: Fitted on the training part.
        samples: float (N, channels), of the machine in normal operation.

    Raises:
        DataError: If they are too few.
    """
    raw = features.raw_frames(samples).astype(np.float64)
    known = raw[np.isfinite(raw).all(axis=1)]
    if len(known) < FEWEST_FRAMES:
        raise DataError(
            f"Commissioning: {len(known)} complete frames of normal operation; expected at least "
            f"{FEWEST_FRAMES}.",
            "give more of it",
        )
    mean, deviation = known.mean(axis=0), known.std(axis=0)
    if features.normaliser is not None:
        trained = features.normaliser.scale.astype(np.float64)
        deviation = np.where(deviation < STILL * trained, trained, deviation)
    normaliser = Normaliser(mean.astype(np.float32), deviation.astype(np.float32))
    return replace(features, normaliser=normaliser)
