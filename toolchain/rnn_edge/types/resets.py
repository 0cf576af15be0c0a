"""Reset policies: when a model that runs for ever forgets.

Exact definitions are in `docs/reset.md`. A policy acts before a step: what a step leaves is what is
read, saved and shown, whatever the policy does to it before the next one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

PolicyKind = Literal["never", "every", "quiet", "decay"]

QuietMeasure = Literal["mean", "magnitude"]
"""What is compared with the level of a quiet frame: the mean of its features, or of their sizes."""

MEASURE_OF_TASK: dict[str, QuietMeasure] = {"kws": "mean", "anomaly": "magnitude"}
"""Normalised log energies are low in silence; normalised sensor values are small at rest."""

MAX_FRAMES = 2**31 - 1
MAX_SHIFT = 15
"""A larger shift takes one unit from every value at each step, as this one does."""
MAX_QUIET_INPUTS = 65_535
"""Sums of as many int16 sizes fit an int32."""

_INT32_MAX = 2**31 - 1


@dataclass(frozen=True)
class ResetPolicy:
    """When the state of a stream is set back.

    Attributes:
        kind: "never"; "every" so many frames; after so many "quiet" ones in a row, once per quiet
            stretch; or "decay" a little at every step.
        frames: Of "every" and "quiet", 1..`MAX_FRAMES`; else 0.
        level: Of "quiet": a frame whose measure is at most this is quiet, in normalised units.
        measure: Of "quiet".
        shift: Of "decay": the state loses 1 / 2^shift of itself, 1..`MAX_SHIFT`; else 0.
    """

    kind: PolicyKind = "never"
    frames: int = 0
    level: float = 0.0
    measure: QuietMeasure = "mean"
    shift: int = 0

    def __post_init__(self) -> None:
        if (self.kind in ("every", "quiet")) != (1 <= self.frames <= MAX_FRAMES):
            raise ValueError(f"{self.kind} with frames = {self.frames}")
        if (self.kind == "decay") != (1 <= self.shift <= MAX_SHIFT):
            raise ValueError(f"{self.kind} with shift = {self.shift}")

    def threshold(self, inputs: int, input_exponent: int) -> int:
        """Return the greatest sum of a quiet frame's int16 inputs, or of their sizes; an int32.

        Args:
            inputs: Features D of a frame.
            input_exponent: Scale exponent of the inputs.
        """
        exact = math.floor(Fraction(self.level) * inputs / Fraction(2) ** input_exponent)
        return max(-_INT32_MAX, min(_INT32_MAX, exact))

    @property
    def parameters(self) -> dict[str, float]:
        """The keys that this policy has in a spec, with their values."""
        match self.kind:
            case "every":
                return {"frames": self.frames}
            case "quiet":
                return {"level": self.level, "frames": self.frames}
            case "decay":
                return {"shift": self.shift}
            case "never":
                return {}

    def words(self) -> str:
        """Return the policy as it is named on a command line, such as ``every:frames=500``."""
        listed = ",".join(f"{key}={value:.10g}" for key, value in self.parameters.items())
        return f"{self.kind}:{listed}" if listed else self.kind

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        measure = {"measure": self.measure} if self.kind == "quiet" else {}
        return {"policy": self.kind, **self.parameters, **measure}


NEVER = ResetPolicy()
