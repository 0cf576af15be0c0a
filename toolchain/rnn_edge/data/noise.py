"""Seeded noise, the material of silence and of synthetic backgrounds."""

from __future__ import annotations

import numpy as np

from rnn_edge.types import Array


def generator(*seed: int) -> np.random.Generator:
    """Return the random generator of a purpose; each purpose has numbers of its own."""
    return np.random.Generator(np.random.PCG64(list(seed)))


def coloured_noise(rng: np.random.Generator, samples: int, slope: float) -> Array:
    """Return noise with unit RMS whose power falls with frequency.

    Args:
        rng: Source of randomness.
        samples: Length N > 0.
        slope: Power is proportional to ``1/f**slope``: 0 white, 1 pink, 2 brown. Nothing below
            20 Hz of a 16 kHz signal is amplified, as a microphone would not pass it.

    Returns:
        float64 (N,).
    """
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    frequency = np.maximum(np.fft.rfftfreq(samples), 20.0 / 16_000.0)
    shaped = np.fft.irfft(spectrum * frequency ** (-slope / 2.0), samples)
    rms = float(np.sqrt(np.mean(shaped**2)))
    return shaped / rms if rms > 0 else shaped
