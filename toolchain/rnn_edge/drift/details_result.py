"""What is known of a model's steps in detail."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from rnn_edge.types import Array

WORST_UNITS = 5


@dataclass(frozen=True)
class UnitValue:
    """A number of one unit."""

    unit: int
    value: float


@dataclass(frozen=True)
class LocalError:
    """What one integer step from the float state adds to a tensor, in real units.

    Attributes:
        tensor: A state or "y".
        rms: Over steps and units.
        maximum: The largest.
        unit_rms: RMS of each unit.
        worst: The units with the largest RMS, first the largest.
    """

    tensor: str
    rms: float
    maximum: float
    unit_rms: tuple[float, ...]
    worst: tuple[UnitValue, ...]


@dataclass(frozen=True)
class Saturation:
    """Values of a tensor at -32768 or 32767 in closed loop.

    Attributes:
        tensor: Name in the program.
        values: Values looked at.
        at_end: How many were at an end.
        share: at_end / values.
        is_harmless: The tensor is flat there: a table's result near 1 or -1, or what only goes
            into tables.
        worst: The units that are at an end most often, as shares of the steps.
    """

    tensor: str
    values: int
    at_end: int
    share: float
    is_harmless: bool
    worst: tuple[UnitValue, ...]


@dataclass(frozen=True)
class DeadUnits:
    """Updates of a state that were rounded to nothing.

    Attributes:
        state: Its name.
        share: Share of unit-steps at which the integer state stayed and the real update from the
            same state was not zero.
        share_half: Those of them where the real update was half a unit of the last place or more.
        never_moved: Units whose integer state never changed.
        unit_share_half: ``share_half`` of each unit.
        worst: The units with the largest ``share_half``.
    """

    state: str
    share: float
    share_half: float
    never_moved: tuple[int, ...]
    unit_share_half: tuple[float, ...]
    worst: tuple[UnitValue, ...]


@dataclass(frozen=True)
class Distribution:
    """Histogram of a state or gate, float and integer beside each other.

    Attributes:
        name: "h0", or "l0.z" of a gate.
        low: Lower edge of the first of 64 equal bins.
        high: Upper edge of the last; values beyond are in the bin at that end.
        real: Counts of the float model.
        integer: Counts of the integer model in closed loop.
    """

    name: str
    low: float
    high: float
    real: tuple[int, ...]
    integer: tuple[int, ...]


@dataclass(frozen=True)
class Details:
    """What the steps of a model do, sampled.

    Attributes:
        steps: Steps looked at.
        local: Local error of every state and of y.
        saturation: Of every tensor that was at an end, by falling share; harmless ones last.
        dead: Of every state.
        distributions: Of every state and gate.
    """

    steps: int
    local: tuple[LocalError, ...]
    saturation: tuple[Saturation, ...]
    dead: tuple[DeadUnits, ...]
    distributions: tuple[Distribution, ...]

    def local_rms(self, tensor: str) -> float:
        """Return the RMS local error of a state or of "y"."""
        return next(row.rms for row in self.local if row.tensor == tensor)

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return asdict(self)


def worst_units(values: Array) -> tuple[UnitValue, ...]:
    """Return the units with the largest values above zero, first the largest."""
    order = (-values).argsort(kind="stable")[:WORST_UNITS]
    return tuple(UnitValue(int(u), float(values[u])) for u in order if values[u] > 0)
