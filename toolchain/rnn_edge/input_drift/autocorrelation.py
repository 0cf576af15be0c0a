"""How many frames of a stream count as one independent frame."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from rnn_edge.types import Array

_FFT_VALUES = 1 << 22

_STILL = 1e-24
"""Variance of what does not vary, but for rounding; the series are of the order of 1."""


def correlation_times(sequences: Iterable[Array], mean: Array) -> Array:
    """Return the integrated autocorrelation time of every series, float64 (D,), at least 1.

    The time is in frames: T frames have the weight of T / time independent ones. Products at each
    lag are summed over all sequences about the common mean and divided by the number of all
    frames, so that what is constant within a recording and differs between recordings counts as
    correlated over the whole recording.

    Args:
        sequences: float (T_k, D) each; frames of different sequences are taken as independent.
        mean: float (D,), of all frames.

    Returns:
        1 for a series that does not vary.

    Source: Geyer 1992, "Practical Markov chain Monte Carlo": the sum of
    autocovariances ends before the first pair of neighbouring lags whose sum is not positive
    (initial positive sequence).
    """
    total = np.zeros((1, len(mean)))
    for sequence in sequences:
        found = _lag_products(np.asarray(sequence, np.float64) - mean)
        if len(found) > len(total):
            total = np.pad(total, ((0, len(found) - len(total)), (0, 0)))
        total[: len(found)] += found
    return _integrated(total)


def _lag_products(centred: Array) -> Array:
    """Return the sum over t of u[t] u[t + k] for every lag k, float64 (T, D)."""
    steps = len(centred)
    size = 1 << (2 * steps - 1).bit_length()
    products = np.empty_like(centred)
    # A recording of a day has millions of frames: few series at a time then.
    together = max(1, _FFT_VALUES // size)
    for d in range(0, centred.shape[1], together):
        spectrum = np.fft.rfft(centred[:, d : d + together], size, axis=0)
        power = spectrum.real**2 + spectrum.imag**2
        products[:, d : d + together] = np.fft.irfft(power, size, axis=0)[:steps]
    return products


def _integrated(products: Array) -> Array:
    """Return the times of sums of products by lag (T, D)."""
    variance = products[0]
    varies = variance > _STILL * len(products)
    scaled = products / np.where(varies, variance, 1.0)
    if len(scaled) % 2:
        scaled = np.pad(scaled, ((0, 1), (0, 0)))
    pairs = scaled[0::2] + scaled[1::2]
    kept = np.logical_and.accumulate(pairs > 0.0, axis=0)
    times = 2.0 * (pairs * kept).sum(axis=0) - 1.0
    return np.asarray(np.where(varies, np.maximum(times, 1.0), 1.0))
