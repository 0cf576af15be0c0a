"""Measures and limits of a checked budget as text, as a table, a summary and JUnit show them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rnn_edge.report.formatting import UNDEFINED, number

Row = Mapping[str, Any]
"""JSON of a row of a checked budget."""


def reading(found: Any) -> str:  # noqa: ANN401 - a JSON value
    """Return a measured value with its interval: 0.00412 (0.00398 to 0.00426).

    Args:
        found: A trend's text, an estimate's JSON, or None where nothing was measured.
    """
    if not isinstance(found, Mapping):
        return UNDEFINED if found is None else str(found)
    value, low, high = (_figure(found[part]) for part in ("value", "low", "high"))
    return value if low == high else f"{value} ({low} to {high})"


def value_alone(found: Any) -> str:  # noqa: ANN401 - a JSON value
    """Return a measured value without its interval."""
    return _figure(found["value"]) if isinstance(found, Mapping) else reading(found)


def subject(row: Row) -> str:
    """Return what a row is about: hidden_rms, or hidden_rms / baseline."""
    measure = str(row["measure"])
    return {
        "none": measure,
        "ratio": f"{measure} / baseline",
        "difference": f"{measure}, worse than baseline by",
    }[row["comparison"]]


def limit(row: Row) -> str:
    """Return a limit: at most 0.006, at least 0.997, plateau."""
    if isinstance(row["limit"], str):
        return row["limit"]
    return f"{'at least' if row['is_least'] else 'at most'} {_figure(row['limit'])}"


def _figure(value: float | None) -> str:
    """Return a number; shares near one keep the digits that tell them from one."""
    if value is None or not math.isfinite(value):
        return "∞" if value == math.inf else UNDEFINED
    text = f"{value:.6f}" if 0.9 < value < 1.0 else number(value, 4)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text
