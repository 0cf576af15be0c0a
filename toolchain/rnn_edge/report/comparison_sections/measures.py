"""Every measure of two results side by side."""

from __future__ import annotations

from rnn_edge.report.comparison_sections.judging import Change, Row, rows_of
from rnn_edge.report.comparison_sections.pair import Pair
from rnn_edge.report.markup import Markup, element, join, paragraph
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table

_COLOURS = {Change.BETTER: "good", Change.WORSE: "bad"}


def render(pair: Pair) -> Section:
    """Return a table of the measures, all streams of each result together."""
    columns = [
        Column("Measure", is_number=False),
        *(Column(name) for name in pair.names),
        Column("B against A"),
        Column("Intervals", is_number=False),
        Column("B is", is_number=False),
    ]
    rows = [_cells(row) for row in rows_of(pair)]
    return Section(
        "measures",
        "Every measure",
        join(
            table("Every measure, all streams together", columns, rows),
            paragraph(
                "Small: 95 % intervals. Where they do not overlap the difference is more than "
                "chance; where they do it may be chance. Counts and largest values have no "
                "interval: they hold for these frames only. Errors and local errors compare as a "
                "ratio, shares in points.",
                kind="soft",
            ),
        ),
    )


def _cells(row: Row) -> list[str]:
    return [
        join(element("code", row.name), element("small", row.meaning)),
        *(_with_interval(*pair) for pair in zip(row.values, row.intervals, strict=True)),
        row.difference,
        _overlap(row),
        _change(row),
    ]


def _with_interval(value: str, interval: str) -> Markup:
    return join(value, *([element("small", interval)] if interval else []))


def _change(row: Row) -> str:
    if row.has_interval or row.change is Change.SAME:
        return element("span", row.change, class_=_COLOURS.get(row.change))
    return f"{row.change} on these frames"


def _overlap(row: Row) -> str:
    if not any(row.intervals):
        return "none"
    return "overlap" if row.change in (Change.CHANCE, Change.SAME) else "apart"
