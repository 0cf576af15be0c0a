"""Streaming log-mel spectra of 16 kHz speech, one frame at a time or a whole signal at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rnn_edge.features.melbank import MelBank, mel_bank
from rnn_edge.types import Array

PCM_FULL_SCALE = 32768.0
FEW_FRAMES = 16
"""Up to so many are computed one by one: of few, the calls cost more than what they compute."""


@dataclass(frozen=True)
class LogMelConfig:
    """What a log-mel frame is made of.

    Attributes:
        sample_rate_hz: Sampling rate of the PCM.
        window_samples: Samples under one window; frame t covers samples [t*hop, t*hop + window).
        hop_samples: Samples between the starts of two frames.
        fft_size: Length of the zero-padded transform, a power of two.
        bands: Mel bands, the feature dimension D.
        low_hz: Lower edge of the first band.
        high_hz: Upper edge of the last band.
        power_floor: Added to every band power, so that digital silence has a finite logarithm.
    """

    sample_rate_hz: int = 16000
    window_samples: int = 480
    hop_samples: int = 320
    fft_size: int = 512
    bands: int = 40
    low_hz: float = 60.0
    high_hz: float = 7600.0
    power_floor: float = 1e-6

    def frame_count(self, samples: int) -> int:
        """Returns the number of whole frames in a signal of that many samples."""
        if samples < self.window_samples:
            return 0
        return 1 + (samples - self.window_samples) // self.hop_samples


class LogMel:
    """Turns PCM into log-mel frames; any chunking of a signal gives the same bits.

    Only element-wise operations and row-wise transforms are used, never a matrix product: the
    order of summation of a matrix product depends on its shape, hence on the chunking.
    """

    def __init__(self, config: LogMelConfig | None = None) -> None:
        """Prepares window and bands.

        Args:
            config: What a frame is; the default is 20 ms hop, 30 ms window and 40 bands.
        """
        self.config = config or LogMelConfig()
        size = self.config.window_samples
        window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)
        self._power_scale = 1.0 / float(np.sum(window**2))
        # Of samples in units of int16. A power of two is exact, wherever it is multiplied in.
        self._window = window / PCM_FULL_SCALE
        self._bank: MelBank = mel_bank(
            self.config.bands,
            self.config.fft_size,
            self.config.sample_rate_hz,
            self.config.low_hz,
            self.config.high_hz,
        )
        # What a single frame is computed in: the window behind which zeros stay, its spectrum, the
        # squares of that, and their sums.
        bins = self.config.fft_size // 2 + 1
        self._padded = np.zeros(self.config.fft_size)
        self._windowed = self._padded[:size]
        self._squares = np.empty(2 * bins)
        self._power = np.empty(bins)
        self._pending = np.zeros(0, dtype=np.float64)

    def reset(self) -> None:
        """Forgets the samples that wait for their frame to be complete."""
        self._pending = np.zeros(0, dtype=np.float64)

    def memory(self) -> dict[str, Array]:
        """Return what frames depend on besides their own samples: nothing."""
        return {}

    def recall(self, memory: Mapping[str, Array]) -> None:
        """Go on from what `memory` returned.

        Raises:
            ValueError: If it is that of another front end.
        """
        if memory:
            raise ValueError("levels of noise, which this front end does not follow")

    def push(self, chunk: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        """Takes the next samples and returns the frames they complete.

        Args:
            chunk: int16 PCM, or float PCM in [-1, 1), shape [n], n >= 0.

        Returns:
            float32 [frames, bands], natural logarithm of band power; frames may be 0.
        """
        samples = np.concatenate((self._pending, _in_int16_units(chunk)))
        count = self.config.frame_count(samples.size)
        self._pending = samples[count * self.config.hop_samples :]
        return self._spectra(samples, count)

    def frames(self, pcm: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        """Returns all frames of a signal, independent of what was pushed before.

        Args:
            pcm: int16 PCM, or float PCM in [-1, 1), shape [n].

        Returns:
            float32 [frames, bands].
        """
        samples = _in_int16_units(pcm)
        return self._spectra(samples, self.config.frame_count(samples.size))

    def _spectra(self, samples: npt.NDArray[np.generic], count: int) -> npt.NDArray[np.float32]:
        size, hop = self.config.window_samples, self.config.hop_samples
        if count <= FEW_FRAMES:
            found = np.empty((count, self.config.bands), np.float32)
            for k in range(count):
                self._one(samples[k * hop : k * hop + size], found[k])
            return found
        windows = np.lib.stride_tricks.sliding_window_view(samples, size)
        windows = windows[: (count - 1) * hop + 1 : hop]
        spectrum = np.fft.rfft(windows * self._window, n=self.config.fft_size, axis=1)
        power = (spectrum.real**2 + spectrum.imag**2) * self._power_scale
        logarithm = np.log(self._bank.apply(power) + self.config.power_floor)
        return np.asarray(logarithm, dtype=np.float32)

    def _one(self, samples: npt.NDArray[np.generic], frame: npt.NDArray[np.float32]) -> None:
        """Computes one frame [bands], to the bits that many at once have."""
        squares, power = self._squares, self._power
        np.multiply(samples, self._window, out=self._windowed)
        parts = np.fft.rfft(self._padded).view(np.float64)
        np.multiply(parts, parts, out=squares)
        np.add(squares[::2], squares[1::2], out=power)
        np.multiply(power, self._power_scale, out=power)
        bands = self._bank.apply_one(power)
        np.add(bands, self.config.power_floor, out=bands)
        # Of float64, and rounded to float32 when it is done.
        np.log(bands, out=frame)


def _in_int16_units(pcm: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Returns integers as they are, and float PCM in [-1, 1) as float64 in the same units."""
    values = np.asarray(pcm)
    if values.dtype.kind in "iu":
        return values
    return np.multiply(values, PCM_FULL_SCALE, dtype=np.float64)
