"""What was seen of a float model's tensors on calibration streams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class CalibrationStats:
    """Largest magnitudes on unreset streams, in real units.

    Attributes:
        steps: Steps per stream.
        streams: Streams, each starting from a zero state.
        input_max: Of the input frames.
        output_max: Of the outputs.
        cell_max: Of each LSTM cell state, by state name (c0, c1, ...).
    """

    steps: int
    streams: int
    input_max: float
    output_max: float
    cell_max: Mapping[str, float]

    def __post_init__(self) -> None:
        object.__setattr__(self, "cell_max", MappingProxyType(dict(self.cell_max)))

    def to_json(self) -> dict[str, object]:
        """Return plain values for reports."""
        return {
            "steps": self.steps,
            "streams": self.streams,
            "input_max": self.input_max,
            "output_max": self.output_max,
            "cell_max": dict(self.cell_max),
        }
