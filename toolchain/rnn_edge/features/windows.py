"""Frames of sensor channels: the mean of a window of samples, one frame per hop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.types import Array


@dataclass(frozen=True)
class WindowConfig:
    """What a sensor frame is made of.

    Attributes:
        window_samples: Samples averaged into a frame; 1 takes the samples as they are.
        hop_samples: Samples between the starts of two frames.
        has_deviation: Whether the standard deviation within the window follows the means, which
            doubles the features; for signals that oscillate faster than the hop.
    """

    window_samples: int = 1
    hop_samples: int = 1
    has_deviation: bool = False

    def __post_init__(self) -> None:
        if self.window_samples < 1 or self.hop_samples < 1:
            raise DataError(
                f"Window of {self.window_samples} samples every {self.hop_samples}; "
                f"expected at least 1 and 1."
            )

    def features(self, channels: int) -> int:
        """Returns the feature dimension D for that many channels."""
        return channels * (2 if self.has_deviation else 1)

    def frame_count(self, samples: int) -> int:
        """Returns the number of whole frames in that many samples."""
        if samples < self.window_samples:
            return 0
        return 1 + (samples - self.window_samples) // self.hop_samples


class Windows:
    """Turns samples of channels into frames; any chunking gives the same bits."""

    def __init__(self, config: WindowConfig, channels: int) -> None:
        """Prepares an empty stream.

        Args:
            config: What a frame is.
            channels: Number of channels.
        """
        self.config = config
        self.channels = channels
        self._pending = np.zeros((0, channels), np.float64)
        self._skip = 0

    def reset(self) -> None:
        """Forgets the samples that wait for their frame to be complete."""
        self._pending = np.zeros((0, self.channels), np.float64)
        self._skip = 0

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

    def push(self, chunk: Array) -> Array:
        """Takes the next samples and returns the frames they complete.

        Args:
            chunk: float [n, channels], n >= 0.

        Returns:
            float32 [frames, D].
        """
        samples = np.concatenate([self._pending, np.asarray(chunk, np.float64)])
        # With a hop longer than the window, some samples belong to no frame.
        dropped = min(self._skip, len(samples))
        samples = samples[dropped:]
        self._skip -= dropped
        count = self.config.frame_count(len(samples))
        consumed = count * self.config.hop_samples
        self._pending = samples[consumed:]
        self._skip += max(0, consumed - len(samples))
        return self._summaries(samples, count)

    def frames(self, samples: Array) -> Array:
        """Returns all frames of a recording, independent of what was pushed before."""
        values = np.asarray(samples, np.float64)
        return self._summaries(values, self.config.frame_count(len(values)))

    def _summaries(self, samples: Array, count: int) -> Array:
        config = self.config
        mean = np.zeros((count, self.channels), np.float64)
        square = np.zeros((count, self.channels), np.float64)
        # Term by term: the order of summation does not depend on the number of frames.
        starts = np.arange(count) * config.hop_samples
        for k in range(config.window_samples):
            mean += samples[starts + k]
        mean /= config.window_samples
        if not config.has_deviation:
            return mean.astype(np.float32)
        for k in range(config.window_samples):
            square += np.square(samples[starts + k] - mean)
        deviation = np.sqrt(square / config.window_samples)
        return np.concatenate([mean, deviation], axis=1).astype(np.float32)
