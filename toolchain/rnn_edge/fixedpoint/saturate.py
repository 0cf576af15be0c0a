"""Saturation to int16."""

from __future__ import annotations

import numpy as np

from rnn_edge.types import Array

INT16_MIN = -32768
INT16_MAX = 32767


def saturate_int16(values: Array) -> Array:
    """Clamp integers to -32768..32767 and return them as int16."""
    return np.clip(values, INT16_MIN, INT16_MAX).astype(np.int16)
