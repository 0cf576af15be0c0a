"""Streaming log-mel spectra of 16 kHz speech, one frame at a time or a whole signal at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rnn_edge.features.melbank import MelBank, mel_bank

PCM_FULL_SCALE = 32768.0


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
        self._window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)
        self._power_scale = 1.0 / float(np.sum(self._window**2))
        self._bank: MelBank = mel_bank(
            self.config.bands,
            self.config.fft_size,
            self.config.sample_rate_hz,
            self.config.low_hz,
            self.config.high_hz,
        )
        self._pending = np.zeros(0, dtype=np.float64)

    def reset(self) -> None:
        """Forgets the samples that wait for their frame to be complete."""
        self._pending = np.zeros(0, dtype=np.float64)

    def push(self, chunk: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        """Takes the next samples and returns the frames they complete.

        Args:
            chunk: int16 PCM, or float PCM in [-1, 1), shape [n], n >= 0.

        Returns:
            float32 [frames, bands], natural logarithm of band power; frames may be 0.
        """
        samples = np.concatenate([self._pending, unit_pcm(chunk)])
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
        samples = unit_pcm(pcm)
        return self._spectra(samples, self.config.frame_count(samples.size))

    def _spectra(self, samples: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.float32]:
        if count == 0:
            return np.zeros((0, self.config.bands), dtype=np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(samples, self.config.window_samples)
        windows = windows[: (count - 1) * self.config.hop_samples + 1 : self.config.hop_samples]
        spectrum = np.fft.rfft(windows * self._window, n=self.config.fft_size, axis=1)
        power = (spectrum.real**2 + spectrum.imag**2) * self._power_scale
        logarithm = np.log(self._bank.apply(power) + self.config.power_floor)
        return np.asarray(logarithm, dtype=np.float32)


def unit_pcm(pcm: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """Returns PCM as float64 in [-1, 1); integers are taken as 16-bit samples."""
    values = np.asarray(pcm)
    if np.issubdtype(values.dtype, np.integer):
        return np.asarray(values, dtype=np.float64) / PCM_FULL_SCALE
    return np.asarray(values, dtype=np.float64)
