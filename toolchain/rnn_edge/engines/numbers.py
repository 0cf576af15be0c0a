"""From the numbers of an engine's callers to those of a file, and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np

from rnn_edge.types import Array


class Numbers(ABC):
    """How the tensors of a file are represented."""

    @abstractmethod
    def dtype(self, name: str) -> str:
        """Return the dtype that a tensor (x, y, h0, ...) must have in the file."""

    @abstractmethod
    def enter(self, name: str, values: Array) -> Array:
        """Return values (..., N) of a tensor in the file's numbers."""

    @abstractmethod
    def leave(self, name: str, values: Array) -> Array:
        """Return values (..., N) of a tensor in the callers' numbers."""


class SameIntegers(Numbers):
    """int16 on both sides."""

    def dtype(self, name: str) -> str:
        """Return "int16"."""
        del name
        return "int16"

    def enter(self, name: str, values: Array) -> Array:
        """Return the values as they are."""
        del name
        return values

    def leave(self, name: str, values: Array) -> Array:
        """Return the values as they are."""
        del name
        return values


class AffineIntegers(Numbers):
    """float32 in real units outside, ``real = (integer - zero_point) * scale`` in the file.

    Args:
        scales: Scale and zero point of each tensor.
    """

    def __init__(self, scales: Mapping[str, tuple[float, int]]) -> None:
        self._scales = dict(scales)

    def dtype(self, name: str) -> str:
        """Return "int16" for cell states and "int8" for all others."""
        return "int16" if name.startswith("c") else "int8"

    def enter(self, name: str, values: Array) -> Array:
        """Return the nearest integers, saturating."""
        scale, zero_point = self._scales[name]
        limits = np.iinfo(self.dtype(name))
        rounded = np.rint(np.asarray(values, np.float64) / scale) + zero_point
        return np.asarray(np.clip(rounded, limits.min, limits.max).astype(self.dtype(name)))

    def leave(self, name: str, values: Array) -> Array:
        """Return real values, float32."""
        scale, zero_point = self._scales[name]
        return np.asarray((values.astype(np.float64) - zero_point) * scale, np.float32)
