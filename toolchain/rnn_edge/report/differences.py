"""What separates two models on the same test material, as a sentence."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.reader import Node

SIGNIFICANT = 0.05
"""A p-value below it is called more than chance."""

MEASURES = {"unreset": "never reset", "reset": "reset", "f1": "F1"}


def is_chance(row: Node) -> bool | None:
    """Return whether a difference may be chance, or None where too little was judged to tell.

    Args:
        row: A row of "comparisons".
    """
    p_value = row.at("p_value").optional_number()
    return None if p_value is None else p_value >= SIGNIFICANT


def short_text(row: Node) -> str:
    """Return the difference and whether it may be chance."""
    change = formatting.points(row.at("difference").number())
    chance = is_chance(row)
    if chance is None:
        return f"{change} over {' '.join(_pairs(row))}: too few to tell from chance"
    return f"{change}, {'may be' if chance else 'more than'} chance"


def long_text(row: Node) -> str:
    """Return the difference, its interval, what it rests on, and whether it may be chance."""
    difference = row.at("difference").number()
    # A second digit where the first would read as nothing.
    digits = 2 if abs(difference) < 0.005 else 1
    change = formatting.points(difference, digits)
    count, kind = _pairs(row)
    interval, p_value = row.find("interval"), row.at("p_value").optional_number()
    if interval is None or p_value is None:
        return f"{change} over {count} {kind}: too few to tell from chance"
    ends = formatting.points_range(*interval.pair(), digits)
    if row.at("measure").text() == "f1":
        basis = f"{count} {kind}"
    else:
        gained, lost = (formatting.count(row.at(key).integer()) for key in ("gained", "lost"))
        basis = f"{gained} of {count} {kind} gained, {lost} lost"
    verdict = "may be chance" if is_chance(row) else "more than chance"
    return (
        f"{change} (95{formatting.SPACE}% interval {ends}; {basis}; "
        f"{formatting.probability(p_value)}): {verdict}"
    )


def _pairs(row: Node) -> tuple[str, str]:
    pairs = row.at("pairs").integer()
    kind = "recording" if row.at("measure").text() == "f1" else "clip"
    return formatting.count(pairs), kind if pairs == 1 else f"{kind}s"
