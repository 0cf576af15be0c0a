"""Changing the sample rate of audio."""

from __future__ import annotations

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.extras import require
from rnn_edge.types import Array

RATES_HZ = (4_000, 768_000)
"""Lowest and highest rate of a recording; with any other one its header is damaged."""


def check_rate(rate_hz: int, name: str, hint: str) -> None:
    """Refuse a recording at a rate that no microphone is read at.

    Args:
        rate_hz: As its header says.
        name: Of the file, for the message.
        hint: What to do.

    Raises:
        DataError: Naming the rate.
    """
    lowest, highest = RATES_HZ
    if not lowest <= rate_hz <= highest:
        raise DataError(
            f"Audio file {name} is at {rate_hz:,} Hz; expected {lowest:,} to {highest:,} Hz.", hint
        )


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
