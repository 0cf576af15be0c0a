"""Numbers as text: as many digits as help and no more."""

from __future__ import annotations

import math

UNDEFINED = "–"
MINUS = "−"
SPACE = "\u00a0"
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
    return UNDEFINED if share is None else f"{_fixed(100 * share, digits)}{SPACE}%"


def percent_range(low: float, high: float) -> str:
    """Return an interval of shares: 90.4 to 93.5 %."""
    return f"{100 * low:.1f} to {100 * high:.1f}{SPACE}%"


def points(difference: float, digits: int = 1) -> str:
    """Return a difference of two shares in percentage points, with its sign: −0.4 points."""
    return f"{_signed(100 * difference, digits)}{SPACE}points"


def points_range(low: float, high: float, digits: int = 1) -> str:
    """Return an interval of a difference in percentage points: −0.9 to +0.2 points."""
    return f"{_signed(100 * low, digits)} to {_signed(100 * high, digits)}{SPACE}points"


def probability(p_value: float) -> str:
    """Return a p-value: p = 0.031, or p < 0.001."""
    text = "p < 0.001" if p_value < 0.001 else f"p = {p_value:.2g}"
    return text.replace(" ", SPACE)


def duration(seconds: float) -> str:
    """Return a time in the unit that is read most easily: 0.8 s, 12.5 min, 3.2 h."""
    if seconds < 120:
        return f"{seconds:.1f}{SPACE}s"
    if seconds < 7200:
        return f"{seconds / 60:.1f}{SPACE}min"
    return f"{seconds / 3600:,.1f}{SPACE}h"


def size(size_bytes: int) -> str:
    """Return bytes in the unit that is read most easily: 812 B, 26.0 KiB, 1.2 MiB."""
    if size_bytes < 1024:
        return f"{size_bytes}{SPACE}B"
    if size_bytes < 1024**2:
        return f"{size_bytes / 1024:.1f}{SPACE}KiB"
    return f"{size_bytes / 1024**2:.1f}{SPACE}MiB"


def _fixed(value: float, digits: int) -> str:
    """Return a number with decimals; one that rounds to zero has no sign."""
    text = f"{value:.{digits}f}"
    return (text.lstrip("-") if float(text) == 0 else text).replace("-", MINUS)


def _signed(value: float, digits: int) -> str:
    text = _fixed(value, digits)
    return f"+{text}" if float(text.replace(MINUS, "-")) > 0 else text
