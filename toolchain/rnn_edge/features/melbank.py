"""Triangular mel bands, applied in a fixed order of summation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class MelBank:
    """Band weights, stored sparsely and padded to the widest band.

    Attributes:
        bins: int64 [width, bands], FFT bin of the j-th term of each band.
        weights: float64 [width, bands], its weight; 0 where a band is narrower than the widest.
    """

    bins: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]

    def apply(self, power: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Sums power spectra into bands, term by term, so every row is summed alike.

        Args:
            power: float64 [frames, fft_size // 2 + 1].

        Returns:
            float64 [frames, bands].
        """
        total = np.zeros((power.shape[0], self.bins.shape[1]), dtype=np.float64)
        for bins, weights in zip(self.bins, self.weights, strict=True):
            total += power[:, bins] * weights
        return total

    def apply_one(self, power: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Sums one power spectrum into bands in a few calls, to the bits that `apply` gives.

        A stream comes frame by frame, and then the calls are what costs, not what they compute.

        Args:
            power: float64 [fft_size // 2 + 1].

        Returns:
            float64 [bands].
        """
        terms = power.take(self.bins)
        np.multiply(terms, self.weights, out=terms)
        if terms.shape[1] == 1:
            # A single column is summed pairwise by a reduction, and not term by term.
            return np.asarray(terms.cumsum(axis=0)[-1])
        return np.asarray(np.add.reduce(terms, axis=0))

    def dense(self, bin_count: int) -> npt.NDArray[np.float64]:
        """Returns the bank as a float64 [bands, bin_count] matrix."""
        matrix = np.zeros((self.bins.shape[1], bin_count), dtype=np.float64)
        for bins, weights in zip(self.bins, self.weights, strict=True):
            matrix[np.arange(bins.size), bins] += weights
        return matrix


def hz_to_mel(hz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Converts Hz to mel.

    Source: O'Shaughnessy, Speech Communication (1987): 2595 log10(1 + f / 700).
    """
    return np.asarray(2595.0 * np.log10(1.0 + hz / 700.0), dtype=np.float64)


def mel_to_hz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Converts mel to Hz, the inverse of `hz_to_mel`."""
    return np.asarray(700.0 * (10.0 ** (mel / 2595.0) - 1.0), dtype=np.float64)


def mel_bank(
    bands: int, fft_size: int, sample_rate_hz: int, low_hz: float, high_hz: float
) -> MelBank:
    """Builds triangles with peak 1, equally spaced in mel, each reaching to its neighbours' peaks.

    Args:
        bands: Number of triangles.
        fft_size: Length of the transform; bins are sample_rate_hz / fft_size apart.
        sample_rate_hz: Sampling rate.
        low_hz: Where the first triangle starts.
        high_hz: Where the last triangle ends, at most half the sampling rate.

    Returns:
        The bank. A band narrower than one bin takes the bin nearest to its peak.
    """
    limits = hz_to_mel(np.array([low_hz, high_hz], np.float64))
    edges = mel_to_hz(np.linspace(limits[0], limits[1], bands + 2))
    centres = np.arange(fft_size // 2 + 1) * (sample_rate_hz / fft_size)
    rising = (centres[None, :] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - centres[None, :]) / (edges[2:] - edges[1:-1])[:, None]
    matrix = np.maximum(0.0, np.minimum(rising, falling))
    nearest = np.argmin(np.abs(centres[None, :] - edges[1:-1, None]), axis=1)
    empty = np.flatnonzero(matrix.sum(axis=1) == 0.0)
    matrix[empty, nearest[empty]] = 1.0
    width = int(np.max(np.count_nonzero(matrix, axis=1)))
    bins = np.zeros((width, bands), dtype=np.int64)
    weights = np.zeros((width, bands), dtype=np.float64)
    for band, row in enumerate(matrix):
        used = np.flatnonzero(row)
        bins[: used.size, band] = used
        weights[: used.size, band] = row[used]
    return MelBank(bins=bins, weights=weights)
