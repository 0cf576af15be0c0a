"""Between which values a tensor of a float model lies."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class TensorSpan:
    """Smallest and largest value of a tensor on calibration streams, in real units."""

    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        """Return plain values for reports."""
        return asdict(self)
