"""Streaming log-mel spectra in integers; any chunking of a signal gives the same bits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from rnn_edge.features.fixed_point.config import IntegerLogMelConfig
from rnn_edge.features.fixed_point.fft import spectrum
from rnn_edge.features.fixed_point.log import RAW_BITS, log2_q16, nepers_q16
from rnn_edge.features.fixed_point.mel import band_energies
from rnn_edge.features.fixed_point.noise import NoiseLevel
from rnn_edge.features.fixed_point.tables import front_end_tables
from rnn_edge.features.logmel import PCM_FULL_SCALE
from rnn_edge.types import Array

_FRAMES_AT_ONCE = 64
"""So many transforms stay within a processor's cache."""

_RAW_SCALE = np.float32(2.0**-RAW_BITS)


class IntegerLogMel:
    """Turns PCM into log-mel frames; the numbers are those of the C.

    Args:
        config: What a frame is.
    """

    def __init__(self, config: IntegerLogMelConfig) -> None:
        self.config = config
        self._tables = front_end_tables(config)
        self._pending = np.zeros(0, np.int16)
        self._noise = self._new_noise()

    def reset(self) -> None:
        """Forget the samples that wait for their frame to be complete; levels of noise stay."""
        self._pending = np.zeros(0, np.int16)

    def memory(self) -> dict[str, Array]:
        """Return what frames depend on besides their own samples: the levels of noise."""
        if self._noise is None or self._noise.level is None:
            return {}
        return {"levels": self._noise.level.astype(np.int32)}

    def recall(self, memory: Mapping[str, Array]) -> None:
        """Go on from what `memory` returned.

        Raises:
            ValueError: If it is that of another front end.
        """
        levels = levels_of(memory, self.config)
        if self._noise is not None:
            self._noise.level = None if levels is None else levels.astype(np.int64)

    def push(self, chunk: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        """Take the next samples and return the frames they complete.

        Args:
            chunk: int16 PCM, or float PCM in [-1, 1), shape (n,), n >= 0.

        Returns:
            float32 (frames, bands), natural logarithm of band power, multiples of 2^-16.
        """
        samples = np.concatenate([self._pending, pcm_of(chunk)])
        count = self.config.frame_count(samples.size)
        self._pending = samples[count * self.config.hop_samples :]
        return self._real(self._raw(samples, count, self._noise))

    def frames(self, pcm: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        """Return all frames of a signal, independent of what was pushed before.

        Args:
            pcm: int16 PCM, or float PCM in [-1, 1), shape (n,).

        Returns:
            float32 (frames, bands), multiples of 2^-16.
        """
        samples = pcm_of(pcm)
        return self._real(
            self._raw(samples, self.config.frame_count(samples.size), self._new_noise())
        )

    def _new_noise(self) -> NoiseLevel | None:
        config = self.config
        if not config.tracks_noise:
            return None
        return NoiseLevel(self._tables, config.noise_suppression, config.gain_normalisation)

    def _raw(self, samples: Array, count: int, noise: NoiseLevel | None) -> Array:
        """Return logarithms int64 (count, bands) at scale 2^-16."""
        if count == 0:
            return np.zeros((0, self.config.bands), np.int64)
        windows = np.lib.stride_tricks.sliding_window_view(samples, self.config.window_samples)
        windows = windows[: (count - 1) * self.config.hop_samples + 1 : self.config.hop_samples]
        raw = np.empty((count, self.config.bands), np.int64)
        for start in range(0, count, _FRAMES_AT_ONCE):
            some = windows[start : start + _FRAMES_AT_ONCE].T
            energy = band_energies(*spectrum(some, self._tables), self._tables)
            raw[start : start + _FRAMES_AT_ONCE] = nepers_q16(
                log2_q16(energy) + self._tables.offset
            ).T
        return raw if noise is None else noise.apply(raw)

    @staticmethod
    def _real(raw: Array) -> npt.NDArray[np.float32]:
        # Below 2^24 in magnitude: exact.
        return np.asarray(raw.astype(np.float32) * _RAW_SCALE)


def levels_of(memory: Mapping[str, Array], config: IntegerLogMelConfig) -> Array | None:
    """Return the levels of noise int32 (bands,) in what `memory` returned; None for none yet.

    Raises:
        ValueError: If they are those of another front end.
    """
    if not memory:
        return None
    levels = memory.get("levels")
    if levels is None or levels.shape != (config.bands,) or not config.tracks_noise:
        raise ValueError("levels of noise of another front end")
    return levels.astype(np.int32)


def pcm_of(pcm: npt.NDArray[np.generic]) -> Array:
    """Return PCM as int16; float samples are rounded to the nearest and saturated."""
    values = np.asarray(pcm)
    if values.dtype == np.int16:
        return values
    if np.issubdtype(values.dtype, np.integer):
        return np.clip(values.astype(np.int64), -32768, 32767).astype(np.int16)
    steps = np.rint(values.astype(np.float64) * PCM_FULL_SCALE)
    return np.clip(steps, -32768, 32767).astype(np.int16)


def raw_of(frames: Array) -> Array:
    """Return frames as int64 at scale 2^-16, exactly what they were made of."""
    return np.rint(np.asarray(frames, np.float64) * 2.0**RAW_BITS).astype(np.int64)
