"""Changing the sample rate of audio."""

from __future__ import annotations

import numpy as np

from rnn_edge.extras import require
from rnn_edge.types import Array


def resample(samples: Array, from_hz: int, to_hz: int) -> Array:
    """Band-limit and resample one channel.

    Args:
        samples: float64 (N,).
        from_hz: Its rate.
        to_hz: The rate wanted.

    Returns:
        float64 (round(N*to_hz/from_hz),); ``samples`` itself where the rates agree.

    Raises:
        MissingDependencyError: If the resampler is not installed.
    """
    if from_hz == to_hz:
        return samples
    soxr = require("soxr", "audio", "audio at another rate than the model's")
    return np.asarray(soxr.resample(samples, from_hz, to_hz, quality="HQ"), np.float64)


def to_pcm(samples: Array) -> Array:
    """Round float samples (full scale 1.0) to int16, saturating."""
    return np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)
