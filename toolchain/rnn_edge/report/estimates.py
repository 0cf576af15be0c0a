"""Measured values and the intervals that say how well they are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rnn_edge.report import formatting
from rnn_edge.report.reader import Node


@dataclass(frozen=True)
class Measured:
    """A value and its 95 % interval.

    Attributes:
        value: As measured.
        low: Lower end of the interval.
        high: Upper end, not below ``low``.
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
    value, low, high = (node.at(key).number() for key in ("value", "low", "high"))
    if low > high:
        node.fail("low not above high")
    return Measured(value, low, high)


def interval(measured: Measured, write: Callable[[float], str] = formatting.number) -> str:
    """Return the ends in words: 0.0110 to 0.0139."""
    return f"{write(measured.low)} to {write(measured.high)}"


def long_text(measured: Measured, write: Callable[[float], str] = formatting.number) -> str:
    """Return the value and its interval in brackets."""
    return f"{write(measured.value)} ({interval(measured, write)})"


def agreement(share: float) -> str:
    """Return a share near one with as many digits as tell it from one: 99.9958 %."""
    return formatting.percent(share, 2 if share in (0.0, 1.0) else _digits(1.0 - share))


def agreement_interval(measured: Measured) -> str:
    """Return the interval of a share near one, both ends with the digits of the upper one."""
    ends = [end for end in (measured.value, measured.high) if end < 1.0]
    digits = max((_digits(1.0 - end) for end in ends), default=2)
    low, high = (formatting.percent(end, digits) for end in (measured.low, measured.high))
    return f"{low.removesuffix(f'{formatting.SPACE}%')} to {high}"


def _digits(rest: float) -> int:
    """Return the decimals of a percentage that show two digits of what is missing to 100 %."""
    digits = 2
    while digits < 6 and 100 * rest < 10.0 ** (1 - digits):
        digits += 1
    return digits
