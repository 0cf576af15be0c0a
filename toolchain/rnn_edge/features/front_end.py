"""From raw samples to the frames a model reads, with everything that was learned on the way."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.features.fixed_point import (
    IntegerLogMel,
    IntegerLogMelConfig,
    IntegerNormaliser,
    IntegerWindowConfig,
    IntegerWindows,
    SensorNormaliser,
)
from rnn_edge.features.fixed_point.logmel import raw_of
from rnn_edge.features.fixed_point.sensor_flags import SKIPPED
from rnn_edge.features.logmel import LogMel, LogMelConfig
from rnn_edge.features.normaliser import INPUT_EXPONENT, Normaliser
from rnn_edge.features.windows import WindowConfig, Windows
from rnn_edge.types import Array
from rnn_edge.types.archive import load_archive, save_archive

FORMAT = "rnn-edge front end 1"
REAL_TIME_S = 0.1
"""Sound that is waited for before frames are made of it, unless one hop is longer."""

LOG_MEL, INTEGER_LOG_MEL = "log-mel", "log-mel-integer"
CHANNELS, INTEGER_CHANNELS = "channels", "channels-integer"

CONFIGS: dict[str, type[LogMelConfig | WindowConfig]] = {
    LOG_MEL: LogMelConfig,
    INTEGER_LOG_MEL: IntegerLogMelConfig,
    CHANNELS: WindowConfig,
    INTEGER_CHANNELS: IntegerWindowConfig,
}
"""What a front end of a kind is made of."""


def config_of(kind: str, values: Mapping[str, Any]) -> LogMelConfig | WindowConfig:
    """Return the configuration of a kind from JSON values, in which tuples are lists.

    Raises:
        KeyError: If there is no such kind.
        TypeError: If a value is missing or of another kind.
    """
    fields: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in values.items()
    }
    return CONFIGS[kind](**fields)


@dataclass(frozen=True, eq=False)
class FrontEnd:
    """Features and their normaliser.

    Attributes:
        config: Log-mel frames of sound or windows of sensor channels, in float or in integers.
        channels: Names of the raw channels; ("pcm",) for sound.
        sample_rate_hz: Of the raw samples.
        normaliser: Fitted on the training part; None before that.
    """

    config: LogMelConfig | WindowConfig
    channels: tuple[str, ...]
    sample_rate_hz: float
    normaliser: Normaliser | None = None

    @property
    def kind(self) -> str:
        """One of `CONFIGS`."""
        return next(kind for kind, config in CONFIGS.items() if type(self.config) is config)

    @property
    def frame_rate_hz(self) -> float:
        """Frames per second."""
        return self.sample_rate_hz / self.config.hop_samples

    @property
    def hops_at_once(self) -> int:
        """Hops of sound that a stream in real time takes at once, where nobody asks for others.

        A process that wakes up pays for it, mostly in caches that are filled again: a tenth of a
        second at once takes a fifth of what hops of 20 ms take one by one.
        """
        return max(1, math.floor(REAL_TIME_S * self.frame_rate_hz + 1e-9))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the D features."""
        if isinstance(self.config, LogMelConfig):
            return tuple(f"band_{k}" for k in range(self.config.bands))
        if not self.config.has_deviation:
            return self.channels
        return (*self.channels, *(f"{name} deviation" for name in self.channels))

    def raw_frames(self, samples: Array) -> Array:
        """Return features before normalisation.

        Args:
            samples: int16 or float PCM (N,), or float sensor samples (N, channels). What is
                shorter than one window is filled up: PCM with silence, sensor samples with their
                last row.

        Returns:
            float32 (T, D), T > 0; of sensor channels in integers float64.
        """
        return self.stream().frames(self._filled(samples))

    def skipped(self, samples: Array) -> Array | None:
        """Return which features of a recording count nothing, bool (T, D); None for none.

        Args:
            samples: As of `raw_frames`.
        """
        stream = self.stream()
        if not isinstance(stream, IntegerWindows):
            return None
        stream.frames(self._filled(samples))
        return self.skipped_features(stream.flags)

    def skipped_features(self, flags: Array) -> Array | None:
        """Return which features count nothing, bool (T, D); None where all count.

        Args:
            flags: uint8 (T, channels), as of `IntegerWindows`.
        """
        skipped = (flags & SKIPPED) != 0
        if not skipped.any():
            return None
        return np.tile(skipped, (1, len(self.feature_names) // len(self.channels)))

    def _filled(self, samples: Array) -> Array:
        missing = self.config.window_samples - len(samples)
        if missing <= 0:
            return samples
        if isinstance(self.config, LogMelConfig):
            return np.pad(samples, (0, missing))
        return np.pad(samples, ((0, missing), (0, 0)), mode="edge")

    def stream(self) -> LogMel | IntegerLogMel | Windows | IntegerWindows:
        """Return what turns samples in pieces into features before normalisation."""
        if isinstance(self.config, IntegerLogMelConfig):
            return IntegerLogMel(self.config)
        if isinstance(self.config, LogMelConfig):
            return LogMel(self.config)
        if isinstance(self.config, IntegerWindowConfig):
            return IntegerWindows(self.config, len(self.channels))
        return Windows(self.config, len(self.channels))

    def quantize_input(self, raw: Array) -> Array:
        """Return features before normalisation (..., D) as the model's input int16 (..., D)."""
        if self.normaliser is None:
            raise DataError("Front end has no normaliser; it is fitted on the training part first.")
        if isinstance(self.config, IntegerLogMelConfig):
            return self._integer_normaliser.apply(raw_of(raw))
        if isinstance(self.config, IntegerWindowConfig):
            return self._sensor_normaliser.apply(raw)
        return self.normaliser.quantize_input(raw)

    @cached_property
    def _integer_normaliser(self) -> IntegerNormaliser:
        assert self.normaliser is not None
        return IntegerNormaliser.of(self.normaliser)

    @cached_property
    def _sensor_normaliser(self) -> SensorNormaliser:
        assert self.normaliser is not None
        assert isinstance(self.config, IntegerWindowConfig)
        return SensorNormaliser.of(self.normaliser, self.config)

    def frames(self, samples: Array) -> Array:
        """Return normalised frames, float32 (T, D), on the grid of the model's int16 input."""
        quantized = self.quantize_input(self.raw_frames(samples))
        return np.asarray(quantized.astype(np.float32) * np.float32(2.0**INPUT_EXPONENT))

    def frame_labels(self, flags: Array) -> Array:
        """Return whether any sample under each frame's newest hop is flagged, bool (T,).

        Args:
            flags: bool (N,), one per sample.
        """
        window, hop = self.config.window_samples, self.config.hop_samples
        if len(flags) < window:
            return np.array([bool(flags.any())])
        ends = np.arange(window, len(flags) + 1, hop)
        newest = min(hop, window)
        return np.array([bool(flags[end - newest : end].any()) for end in ends])

    def save(self, path: Path) -> None:
        """Write the front end to an ``.npz``."""
        meta: dict[str, Any] = {
            "format": FORMAT,
            "kind": self.kind,
            "config": asdict(self.config),
            "channels": list(self.channels),
            "sample_rate_hz": self.sample_rate_hz,
        }
        save_archive(path, meta, self.normaliser.arrays().items() if self.normaliser else ())

    @classmethod
    def load(cls, path: Path | str) -> FrontEnd:
        """Read what `save` wrote.

        Args:
            path: The file, ``front_end.npz`` in a bundle.

        Raises:
            BundleError: If the file is not a front end.
        """
        meta, arrays = load_archive(path, FORMAT)
        return cls(
            config_of(meta["kind"], meta["config"]),
            tuple(meta["channels"]),
            meta["sample_rate_hz"],
            Normaliser.of_arrays(arrays) if arrays else None,
        )
