"""Every measure of two results, and what may be said of their difference."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rnn_edge.errors import BundleError
from rnn_edge.report import formatting
from rnn_edge.report.comparison_sections.pair import Pair
from rnn_edge.report.drift_sections.reading import states
from rnn_edge.report.estimates import (
    Measured,
    agreement,
    agreement_interval,
    interval,
    share,
)
from rnn_edge.report.reader import Node
from rnn_edge.types.drift import Estimate, TrendVerdict
from rnn_edge.types.drift_measures import (
    ANY_STATE,
    MEASURES,
    Comparison,
    Measure,
    Reading,
    Worse,
    find_measure,
    read_measure,
)

_SHARES = ("agreement", "relative", "share", "updates")
"""Ends of the names of measures that are shares of one."""


class Change(StrEnum):
    """What B is against A."""

    BETTER = "better"
    WORSE = "worse"
    CHANCE = "may be chance"
    SAME = "the same"


@dataclass(frozen=True)
class Row:
    """A measure of both.

    Attributes:
        name: Of the measure.
        meaning: What it is.
        values: Of A and B as text.
        intervals: Of A and B as text; empty where the measure has no noise.
        difference: Of B against A, as text.
        change: What may be said of it.
        has_interval: Whether that rests on intervals; otherwise on these frames alone.
    """

    name: str
    meaning: str
    values: tuple[str, str]
    intervals: tuple[str, str]
    difference: str
    change: Change
    has_interval: bool


def rows_of(pair: Pair) -> list[Row]:
    """Return a row for every measure that both results have."""
    found = []
    for name in _names(pair):
        readings = [_read(name, root) for root in pair.both]
        if readings[0] is not None and readings[1] is not None:
            row = _row(name, readings[0], readings[1])
            if row is not None:
                found.append(row)
    return found


def _names(pair: Pair) -> list[str]:
    both = [name for name in pair.common_tensors() if name in states(pair.one.at("total"))]
    names = []
    for name in MEASURES:
        if name.startswith(ANY_STATE):
            names += [name.replace("NAME", state) for state in both]
        else:
            names.append(name)
    return names


def _read(name: str, root: Node) -> Reading | None:
    result = {key: node.value for key, node in root.entries().items()}
    total = {key: node.value for key, node in root.at("total").entries().items()}
    try:
        return read_measure(name, total, result)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise BundleError(
            f"{root.document.name}: measure {name!r} cannot be read from key 'total': {error!r}; "
            "expected what rnn-edge drift writes.",
            root.document.hint,
        ) from error


def _row(name: str, one: Reading, other: Reading) -> Row | None:
    measure, _ = find_measure(name)
    if isinstance(one, Estimate) and isinstance(other, Estimate):
        return _estimates(name, measure, one, other)
    if isinstance(one, Estimate) or isinstance(other, Estimate):
        return None
    change = Change.SAME
    if one != other:
        # "undecided" is less knowledge, not another behaviour.
        change = Change.CHANCE
        if {one, other} == {TrendVerdict.PLATEAU, TrendVerdict.GROWTH}:
            change = Change.BETTER if other is TrendVerdict.PLATEAU else Change.WORSE
    values = str(one), str(other)
    return Row(name, measure.meaning, values, ("", ""), formatting.UNDEFINED, change, True)


def _estimates(name: str, measure: Measure, one: Estimate, other: Estimate) -> Row:
    first, second = (Measured(each.value, each.low, each.high) for each in (one, other))
    has_interval = any(each.low < each.high for each in (first, second))
    if first == second:
        change = Change.SAME
    elif has_interval and first.overlaps(second):
        change = Change.CHANCE
    else:
        is_lower = second.value < first.value
        change = Change.BETTER if is_lower != (measure.worse is Worse.LOWER) else Change.WORSE
    shown = [_texts(name, each) for each in (first, second)]
    return Row(
        name,
        measure.meaning,
        (shown[0][0], shown[1][0]),
        (shown[0][1], shown[1][1]) if has_interval else ("", ""),
        _difference(measure, name.endswith(_SHARES), first.value, second.value),
        change,
        has_interval,
    )


def _texts(name: str, measured: Measured) -> tuple[str, str]:
    """Return a value and its interval."""
    if name.endswith("agreement"):
        return agreement(measured), agreement_interval(measured)
    write = share if name.endswith(_SHARES) else _plain
    return write(measured.value), interval(measured, write)


def _plain(value: float) -> str:
    """Return a number, one that is whole without decimals."""
    return formatting.count(int(value)) if value.is_integer() else formatting.number(value)


def _difference(measure: Measure, is_share: bool, one: float, other: float) -> str:
    if measure.comparison is Comparison.RATIO:
        return f"×{formatting.number(other / one)}" if one > 0 else formatting.UNDEFINED
    if is_share:
        return formatting.points(other - one, 3)
    text = _plain(other - one)
    return f"+{text}" if other > one else text
