"""Measured values and the intervals that say how well they are known."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from rnn_edge.report import formatting
from rnn_edge.report.reader import Node

_PERCENT = f"{formatting.SPACE}%"
_FEWEST_DECIMALS, _MOST_DECIMALS = 2, 6


@dataclass(frozen=True)
class Measured:
    """A value and its 95 % interval.

    Attributes:
        value: As measured.
        low: Lower end of the interval; minus infinity where too little was measured for one.
        high: Upper end, not below ``low``; infinity where too little was measured for one.
    """

    value: float
    low: float
    high: float

    def overlaps(self, other: Measured) -> bool:
        """Return whether the two intervals have a value in common."""
        return self.low <= other.high and other.low <= self.high


def read_estimate(node: Node) -> Measured:
    """Return an estimate as `types.drift.Estimate` is written.

    Raises:
        BundleError: If it has no value or interval, or the interval is upside down.
    """
    value = node.at("value").number()
    # JSON has no number for an end that is not known.
    ends = [node.at(key).optional_number() for key in ("low", "high")]
    low, high = (
        end if end is not None else k * math.inf for end, k in zip(ends, (-1, 1), strict=True)
    )
    if low > high:
        node.fail("low not above high")
    return Measured(value, low, high)


def interval(measured: Measured, write: Callable[[float], str] = formatting.number) -> str:
    """Return the ends in words: 0.0110 to 0.0139."""
    low, high = (write(end) if math.isfinite(end) else "?" for end in (measured.low, measured.high))
    return f"{low} to {high}"


def long_text(measured: Measured, write: Callable[[float], str] = formatting.number) -> str:
    """Return the value and its interval in brackets."""
    return f"{write(measured.value)} ({interval(measured, write)})"


def share(value: float) -> str:
    """Return a share of one as a percentage with three digits: 0.0862 %."""
    return f"{formatting.number(100 * value)}{_PERCENT}"


def agreement(measured: Measured) -> str:
    """Return a share near one with as many digits as tell it from one: 99.9958 %."""
    return formatting.percent(measured.value, _decimals(measured))


def agreement_interval(measured: Measured) -> str:
    """Return the interval of a share near one, with the digits that `agreement` gives it."""
    digits = _decimals(measured)
    return (
        interval(measured, lambda end: formatting.percent(end, digits).removesuffix(_PERCENT))
        + _PERCENT
    )


def _decimals(measured: Measured) -> int:
    """Return the decimals of a percentage that show two digits of what is missing to 100 %."""
    rest = 1.0 - (measured.value if measured.value < 1.0 else max(measured.low, 0.0))
    digits = _FEWEST_DECIMALS
    while digits < _MOST_DECIMALS and 0 < 100 * rest < 10.0 ** (1 - digits):
        digits += 1
    return digits
