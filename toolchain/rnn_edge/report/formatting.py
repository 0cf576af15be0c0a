"""Numbers as text: as many digits as help and no more."""

from __future__ import annotations

import math

UNDEFINED = "–"
MINUS = "−"
_SPACE = "\u00a0"
"""Keeps a number and its unit on one line."""


def count(value: int) -> str:
    """Return a whole number with separators: 26,624."""
    return f"{value:,}".replace("-", MINUS)


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with significant digits, as a power of ten only outside 1e-4..1e7.

    Args:
        value: Finite, or None where it is not defined.
        digits: Significant digits; whole digits are never dropped.
    """
    if value is None:
        return UNDEFINED
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if not -4 <= size < 7:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{mantissa}e{int(exponent)}".replace("-", MINUS)
    return f"{value:,.{max(digits - 1 - size, 0)}f}".replace("-", MINUS)


def percent(share: float | None, digits: int = 1) -> str:
    """Return a share of one as a percentage: 92.1 %."""
    return UNDEFINED if share is None else f"{100 * share:.{digits}f}{_SPACE}%".replace("-", MINUS)


def percent_range(low: float, high: float) -> str:
    """Return an interval of shares: 90.4 to 93.5 %."""
    return f"{100 * low:.1f} to {100 * high:.1f}{_SPACE}%"


def points(difference: float) -> str:
    """Return a difference of two shares in percentage points, with its sign."""
    return f"{100 * difference:+.1f}{_SPACE}points".replace("-", MINUS)


def size(size_bytes: int) -> str:
    """Return bytes in the unit that is read most easily: 812 B, 26.0 KiB, 1.2 MiB."""
    if size_bytes < 1024:
        return f"{size_bytes}{_SPACE}B"
    if size_bytes < 1024**2:
        return f"{size_bytes / 1024:.1f}{_SPACE}KiB"
    return f"{size_bytes / 1024**2:.1f}{_SPACE}MiB"
