"""What is proved and what was seen of the values of a quantized model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from rnn_edge.types.accumulators import AccumulatorBound

Verdict = Literal["never", "possible", "seen"]

LOWEST, HIGHEST = -32768, 32767
"""The ends of int16, in which every tensor is held."""


@dataclass(frozen=True)
class Span:
    """The smallest and the largest value of a tensor over all its elements.

    Attributes:
        low: In units of the tensor's scale, before saturation to int16.
        high: As ``low``, and not below it.
    """

    low: int
    high: int

    @property
    def fits(self) -> bool:
        """Whether int16 holds both ends."""
        return self.low >= LOWEST and self.high <= HIGHEST

    @property
    def headroom_bits(self) -> float | None:
        """Return log2(representable / range) of the side with the least room.

        0 is a range that ends where the format ends, 1 one of half of it, and what is negative
        does not fit. None where all values are zero, which any format holds.
        """
        sides = [(HIGHEST, self.high)] * (self.high > 0) + [(LOWEST, self.low)] * (self.low < 0)
        return min((math.log2(end / reach) for end, reach in sides), default=None)

    @property
    def excess(self) -> int:
        """Units by which an end lies beyond int16; 0 where both fit."""
        return max(0, self.high - HIGHEST, LOWEST - self.low)

    def real(self, exponent: int) -> list[float]:
        """Return both ends in real units, exactly, at scale 2**exponent."""
        return [math.ldexp(self.low, exponent), math.ldexp(self.high, exponent)]


INPUT = "input"
"""The operator of the tensor that frames come in by."""


def _loses(operator: str, seen: Span, saturated: int, squashed_by: tuple[str, ...]) -> bool:
    if operator == INPUT:
        return saturated > 0
    return seen.excess > 1 and not squashed_by


@dataclass(frozen=True)
class TensorRange:
    """One tensor of the integer program.

    Attributes:
        tensor: Its name in the program (x, h0_in, l0_gx, ...).
        operator: What makes it: input, state, matrix, split, add, ....
        size: Elements.
        exponent: Scale 2**exponent.
        analytic: Bound over every stream of int16 frames that starts from a zero state; None
            where nothing but the format bounds it.
        calibrated: What was seen on the calibration streams.
        values: Values seen there.
        saturated: Those of them that int16 could not hold; of an input those at either end, since
            normalisation ends there and what lay beyond is not known.
        squashed_by: The functions (logistic, tanh) that everything made of the tensor goes
            through, as it is or cut or at another scale; empty if it is also used in another way.
            They are flat where the format ends, so that saturation before them is meant: tanh(4)
            is 1 - 0.0007.
    """

    tensor: str
    operator: str
    size: int
    exponent: int
    analytic: Span | None
    calibrated: Span
    values: int
    saturated: int
    squashed_by: tuple[str, ...]

    @property
    def loses(self) -> bool:
        """Whether saturation changed values on the calibration streams by more than a rounding.

        Not so before a function that squashes them, and by one unit only: a hidden state of 1
        may want to be one unit more than int16 holds. Of an input nobody knows by how much.
        """
        return _loses(self.operator, self.calibrated, self.saturated, self.squashed_by)

    @property
    def verdict(self) -> Verdict:
        """Whether it saturated ("seen"), may ("possible"), or is proved not to ("never")."""
        if self.saturated:
            return "seen"
        return "never" if self.analytic is not None and self.analytic.fits else "possible"

    def to_json(self) -> dict[str, object]:
        """Return plain values for reports, ranges in real units."""
        analytic = self.analytic
        return {
            "tensor": self.tensor,
            "operator": self.operator,
            "size": self.size,
            "exponent": self.exponent,
            "representable": Span(LOWEST, HIGHEST).real(self.exponent),
            "analytic": None if analytic is None else analytic.real(self.exponent),
            "analytic_headroom_bits": None if analytic is None else analytic.headroom_bits,
            "analytic_excess_lsb": None if analytic is None else analytic.excess,
            "calibrated": self.calibrated.real(self.exponent),
            "calibrated_headroom_bits": self.calibrated.headroom_bits,
            "values": self.values,
            "saturated": self.saturated,
            "squashed_by": list(self.squashed_by),
            "verdict": self.verdict,
            "loses": self.loses,
        }


@dataclass(frozen=True)
class ReplayedRange:
    """What was seen of one tensor on a stream that its scale was not chosen by.

    Attributes:
        tensor: As in `TensorRange`, and so are ``operator``, ``exponent``, ``values``,
            ``saturated`` and ``squashed_by``.
        operator: See ``tensor``.
        exponent: See ``tensor``.
        seen: Smallest and largest value, before saturation.
        values: See ``tensor``.
        saturated: See ``tensor``.
        squashed_by: See ``tensor``.
    """

    tensor: str
    operator: str
    exponent: int
    seen: Span
    values: int
    saturated: int
    squashed_by: tuple[str, ...]

    @property
    def loses(self) -> bool:
        """As `TensorRange.loses`."""
        return _loses(self.operator, self.seen, self.saturated, self.squashed_by)

    def to_json(self) -> dict[str, object]:
        """Return plain values for reports, the range in real units."""
        return {
            "tensor": self.tensor,
            "representable": Span(LOWEST, HIGHEST).real(self.exponent),
            "seen": self.seen.real(self.exponent),
            "headroom_bits": self.seen.headroom_bits,
            "values": self.values,
            "saturated": self.saturated,
            "loses": self.loses,
        }


@dataclass(frozen=True)
class MatrixRange:
    """The sums of one matrix.

    Attributes:
        largest: The proof for the row with the largest bound.
        smallest_bits: Bits of the narrowest signed integer that holds the smallest row bound.
        int32_rows: Rows whose sums are proved to fit an int32.
        seen: Largest magnitude of a finished sum on the calibration streams.
    """

    largest: AccumulatorBound
    smallest_bits: int
    int32_rows: int
    seen: int

    def to_json(self) -> dict[str, object]:
        """Return plain values for reports."""
        return {
            **self.largest.to_json(self.seen),
            "smallest_bits": self.smallest_bits,
            "int32_rows": self.int32_rows,
            "int64_rows": self.largest.rows - self.int32_rows,
        }


@dataclass(frozen=True)
class ModelRanges:
    """Every tensor and every matrix of a quantized model.

    Attributes:
        tensors: In the order in which a step makes them.
        matrices: In the order of `QuantizedModel.matrices`.
    """

    tensors: tuple[TensorRange, ...]
    matrices: tuple[MatrixRange, ...]

    def to_json(self) -> dict[str, object]:
        """Return plain values for reports."""
        return {
            "tensors": [row.to_json() for row in self.tensors],
            "matrices": [row.to_json() for row in self.matrices],
        }
