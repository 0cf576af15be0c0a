"""Where an error goes, in words."""

from __future__ import annotations

from collections.abc import Iterable

from rnn_edge.report import formatting
from rnn_edge.report.estimates import Measured, long_text, read_estimate
from rnn_edge.report.markup import Markup, element, join
from rnn_edge.report.reader import Node

KINDS = {"plateau": "good", "undecided": None, "growth": "bad"}
"""Verdicts from the best to the worst, and how they are coloured."""

_LARGEST_SLOPE = 9.0
"""A slope beyond is as good as unknown, and its power of ten is not worth a number."""


def verdict(trend: Node) -> str:
    """Return "plateau", "undecided" or "growth"."""
    found = trend.at("verdict").text()
    if found not in KINDS:
        trend.at("verdict").fail(" or ".join(map(repr, KINDS)))
    return found


def worst(rows: Iterable[Node]) -> str:
    """Return the worst verdict of rows of tensors; of none "undecided"."""
    found = [verdict(row.at("trend")) for row in rows]
    return max(found, key=list(KINDS).index, default="undecided")


def coloured(found: str) -> Markup:
    """Return a verdict in its colour."""
    return element("strong" if found == "growth" else "span", found, class_=KINDS[found])


def cell(trend: Node) -> Markup:
    """Return the verdict and the slope for a table."""
    slope = read_estimate(trend.at("slope"))
    return join(coloured(verdict(trend)), element("small", slope_text(slope)))


def sentence(trend: Node) -> str:
    """Return what the slope says of ten times the time."""
    slope, limit = read_estimate(trend.at("slope")), trend.at("limit").number()
    found = verdict(trend)
    ends = f"{tenfold(slope.low)} to {tenfold(slope.high)}"
    if found == "plateau":
        return (
            f"plateau. In ten times the time the error becomes {tenfold(slope.value)} times as "
            f"large ({ends}); at most {tenfold(limit)} counts as a plateau"
        )
    if found == "growth":
        return (
            f"growth. In ten times the time the error becomes {tenfold(slope.value)} times as "
            f"large ({ends}); {tenfold(0.5)} is a random walk, {tenfold(1.0)} an offset that adds "
            "up"
        )
    return (
        f"undecided. In ten times the time the error becomes {ends} times as large, which is too "
        f"wide to tell from the {tenfold(limit)} of a plateau; a longer stream says more"
    )


def tenfold(slope: float) -> str:
    """Return the factor that an error grows by in ten times the time."""
    if slope > _LARGEST_SLOPE:  # or infinite, where the end of an interval is not known
        return f"over {formatting.number(10.0**_LARGEST_SLOPE, 1)}"
    return formatting.number(10.0 ** max(slope, -_LARGEST_SLOPE), 3)


def slope_text(slope: Measured) -> str:
    """Return a slope and its interval."""
    return long_text(slope, _signed)


def _signed(value: float) -> str:
    text = f"{value:+.3f}"
    return text.lstrip("+-") if float(text) == 0 else text.replace("-", formatting.MINUS)
