"""From raw samples to the frames a model reads, with everything that was learned on the way."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.features.logmel import LogMel, LogMelConfig
from rnn_edge.features.normaliser import Normaliser
from rnn_edge.features.windows import WindowConfig, Windows
from rnn_edge.types import Array
from rnn_edge.types.archive import load_archive, save_archive

FORMAT = "rnn-edge front end 1"


@dataclass(frozen=True, eq=False)
class FrontEnd:
    """Features and their normaliser.

    Attributes:
        config: Log-mel frames of sound, or windows of sensor channels.
        channels: Names of the raw channels; ("pcm",) for sound.
        sample_rate_hz: Of the raw samples.
        normaliser: Fitted on the training part; None before that.
    """

    config: LogMelConfig | WindowConfig
    channels: tuple[str, ...]
    sample_rate_hz: float
    normaliser: Normaliser | None = None

    @property
    def frame_rate_hz(self) -> float:
        """Frames per second."""
        return self.sample_rate_hz / self.config.hop_samples

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
            float32 (T, D), T > 0.
        """
        missing = self.config.window_samples - len(samples)
        if isinstance(self.config, LogMelConfig):
            filled = np.pad(samples, (0, missing)) if missing > 0 else samples
            return LogMel(self.config).frames(filled)
        filled = np.pad(samples, ((0, missing), (0, 0)), mode="edge") if missing > 0 else samples
        return Windows(self.config, len(self.channels)).frames(filled)

    def frames(self, samples: Array) -> Array:
        """Return normalised frames, float32 (T, D), on the grid of the model's int16 input."""
        if self.normaliser is None:
            raise DataError("Front end has no normaliser; it is fitted on the training part first.")
        return self.normaliser.apply(self.raw_frames(samples))

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
            "kind": "log-mel" if isinstance(self.config, LogMelConfig) else "channels",
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
        kind = LogMelConfig if meta["kind"] == "log-mel" else WindowConfig
        return cls(
            kind(**meta["config"]),
            tuple(meta["channels"]),
            meta["sample_rate_hz"],
            Normaliser.of_arrays(arrays) if arrays else None,
        )
