"""What a room and a microphone do to speech."""

from __future__ import annotations

import numpy as np

from rnn_edge.types import Array

_FADE_S = 0.02


def reverberate(
    speech: Array, rate_hz: int, t60_s: float, direct_db: float, rng: np.random.Generator
) -> Array:
    """Add a diffuse reverberant tail.

    Args:
        speech: float64 (N,).
        rate_hz: Its sample rate.
        t60_s: Time in which the tail falls by 60 dB, > 0.
        direct_db: Energy of the direct sound over that of the tail.
        rng: Source of the tail.

    Returns:
        float64 (N + round(t60_s*rate_hz),).

    Source: Polack 1988: the response is Gaussian noise under an exponential decay,
    ``h(t) = b(t) * 10**(-3 t / T60)``; T60 as in ISO 3382-1.
    """
    length = round(t60_s * rate_hz)
    time = np.arange(1, length + 1) / rate_hz
    tail = rng.standard_normal(length) * 10.0 ** (-3.0 * time / t60_s)
    tail *= 10.0 ** (-direct_db / 20.0) / np.sqrt(np.sum(tail**2))
    response = np.concatenate([[1.0], tail])
    total = len(speech) + length
    size = 1 << (total - 1).bit_length()
    product = np.fft.rfft(speech, size) * np.fft.rfft(response, size)
    return np.asarray(np.fft.irfft(product, size)[:total])


def trim(speech: Array, rate_hz: int, threshold_db: float = -40.0) -> Array:
    """Cut silence off both ends, leaving a margin of 20 ms.

    Args:
        speech: float64 (N,), not all zero.
        rate_hz: Its sample rate.
        threshold_db: Silence is what is below this, relative to the peak.
    """
    margin = round(_FADE_S * rate_hz)
    loud = np.flatnonzero(np.abs(speech) > np.abs(speech).max() * 10.0 ** (threshold_db / 20.0))
    return speech[max(0, loud[0] - margin) : loud[-1] + 1 + margin]
