"""What a log-mel frame in integers is made of."""

from __future__ import annotations

from dataclasses import dataclass

from rnn_edge.errors import DataError
from rnn_edge.features.logmel import LogMelConfig

SMALLEST_FFT, LARGEST_FFT = 16, 8192


@dataclass(frozen=True)
class IntegerLogMelConfig(LogMelConfig):
    """As for float frames, which it approximates, with what only integers offer.

    Attributes:
        noise_suppression: Whether what is steady in a band is taken away from it.
        gain_normalisation: Whether a band is divided by a power of what is steady in it.
    """

    noise_suppression: bool = False
    gain_normalisation: bool = False

    def __post_init__(self) -> None:
        size = self.fft_size
        if size & (size - 1) or not SMALLEST_FFT <= size <= LARGEST_FFT:
            raise DataError(
                f"Integer front end: fft_size = {size}; expected a power of two from "
                f"{SMALLEST_FFT} to {LARGEST_FFT}."
            )
        if not 0 < self.hop_samples <= self.window_samples <= size or self.window_samples % 2:
            raise DataError(
                f"Integer front end: hop_samples = {self.hop_samples}, window_samples = "
                f"{self.window_samples}; expected 0 < hop_samples <= window_samples <= {size} "
                "and an even window."
            )

    @property
    def tracks_noise(self) -> bool:
        """Whether a level per band is carried from frame to frame."""
        return self.noise_suppression or self.gain_normalisation
