"""Seeded noise, the material of silence and of synthetic backgrounds."""

from __future__ import annotations

from collections.abc import Sequence

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


def in_noise(
    clip: Array,
    speech: Array,
    noises: Sequence[Array],
    snr_db: tuple[float, float],
    rng: np.random.Generator,
) -> Array:
    """Return a clip with a piece of some noise laid over all of it.

    Args:
        clip: float64 (N,).
        speech: float64 (M,), what of it is speech; the ratio is to this.
        noises: One of them is drawn; a short one is repeated.
        snr_db: Lowest and highest ratio of speech to noise, in power.
        rng: Source of randomness.

    Returns:
        float64 (N,).
    """
    noise = noises[int(rng.integers(len(noises)))]
    begin = int(rng.integers(len(noise) - 1))
    noise = noise[np.arange(begin, begin + len(clip)) % len(noise)]
    wanted_rms = np.sqrt(np.mean(speech**2)) * 10.0 ** (-rng.uniform(*snr_db) / 20.0)
    return np.asarray(clip + noise * wanted_rms / max(float(np.sqrt(np.mean(noise**2))), 1e-9))
