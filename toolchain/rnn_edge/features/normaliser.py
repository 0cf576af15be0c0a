"""Maps features into the range of the model's int16 input."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.types import Array

INPUT_EXPONENT = -12
"""Input frames are int16 at scale 2^-12: -8 to 8."""
_LOWEST, _HIGHEST = np.float32(-32768), np.float32(32767)

SMALLEST_SCALE = 1e-6


@dataclass(frozen=True, eq=False)
class Normaliser:
    """Mean and scale of every feature, taken from the training part alone.

    It knows nothing of the clip a frame is in, so that it works on an endless stream.

    Attributes:
        mean: float32 [D].
        scale: float32 [D], standard deviation; positive.
    """

    mean: Array
    scale: Array

    def __post_init__(self) -> None:
        if self.mean.ndim != 1 or self.mean.shape != self.scale.shape:
            raise DataError(
                f"Normaliser has shapes {self.mean.shape} and {self.scale.shape}; "
                f"expected [D] twice."
            )
        if not np.isfinite(self.mean).all() or not (self.scale > 0.0).all():
            raise DataError(
                "Normaliser has a mean that is not finite or a scale that is not positive."
            )

    @functools.cached_property
    def _step(self) -> Array:
        """What one unit of the input is, by feature; exact, as 2^-12 is a power of two."""
        return np.asarray(self.scale * np.float32(2.0**INPUT_EXPONENT))

    @classmethod
    def fit(cls, frames: Array) -> Normaliser:
        """Measures mean and standard deviation.

        Args:
            frames: float [..., D] of the training part.

        Returns:
            The normaliser; a feature that never changes gets scale 1.
        """
        rows = np.asarray(frames, np.float64).reshape(-1, frames.shape[-1])
        deviation = rows.std(axis=0)
        deviation = np.where(deviation < SMALLEST_SCALE, 1.0, deviation)
        return cls(rows.mean(axis=0).astype(np.float32), deviation.astype(np.float32))

    def apply(self, frames: Array) -> Array:
        """Returns normalised frames, float32 [..., D] on the int16 grid within +-8."""
        return self.quantize_input(frames).astype(np.float32) * np.float32(2.0**INPUT_EXPONENT)

    def quantize_input(self, frames: Array) -> Array:
        """Returns normalised frames as int16 [..., D] at scale 2^-12, saturating."""
        steps = np.asarray(np.asarray(frames, np.float32) - self.mean)
        # All in one array: a stream comes frame by frame, and then calls are what costs.
        np.divide(steps, self._step, out=steps)
        np.rint(steps, out=steps)
        np.maximum(steps, _LOWEST, out=steps)
        np.minimum(steps, _HIGHEST, out=steps)
        return steps.astype(np.int16)

    def restore(self, normalised: Array) -> Array:
        """Returns features in their own units from normalised ones, float32 [..., D]."""
        return np.asarray(np.asarray(normalised, np.float32) * self.scale + self.mean)

    def arrays(self) -> dict[str, Array]:
        """Returns mean and scale by name, to be stored and given to `of_arrays`."""
        return {"mean": self.mean, "scale": self.scale}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, Array]) -> Normaliser:
        """Restores a normaliser from `arrays`."""
        return cls(np.asarray(arrays["mean"], np.float32), np.asarray(arrays["scale"], np.float32))
