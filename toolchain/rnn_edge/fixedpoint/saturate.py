"""Saturation to int16."""

from __future__ import annotations

import numpy as np

from rnn_edge.types import Array

INT16_MIN = -32768
INT16_MAX = 32767


def saturate_int16(values: Array) -> Array:
    """Clamp integers to -32768..32767 and return them as int16."""
    # As `np.clip` does, which takes several times as long for the few values of a step.
    bounded = np.minimum(np.maximum(values, INT16_MIN), INT16_MAX)
    return np.asarray(bounded.astype(np.int16))
