"""Which units drift, and when."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.drift_sections.reading import states
from rnn_edge.report.markup import Markup, element, join, paragraph
from rnn_edge.report.plots.heat import draw_heat
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table
from rnn_edge.report.tensors import meaning

_WORST = 5


def render(root: Node) -> Section:
    """Return a heat map per state, all streams together, and its worst units."""
    rows = states(root.at("total"))
    figures = [_figure(k, name, row) for k, (name, row) in enumerate(rows.items())]
    return Section(
        "units",
        "Units",
        join(
            paragraph(
                "Rms error of every unit in every stretch of time, all streams together: a line "
                "is a unit, sorted by its error over the whole stream. Colours are equal ratios "
                "apart; the scale above each map numbers them. Few bright lines: few units carry "
                "the drift. Bright to the right only: it builds up."
            ),
            element("div", *figures, class_="plots wide"),
            _table(rows),
        ),
    )


def _ranked(row: Node) -> list[tuple[int, float]]:
    """Return units and their errors, the worst first; among equals the first one first."""
    errors = row.at("unit_rms").numbers()
    return sorted(enumerate(errors), key=lambda pair: (-pair[1], pair[0]))


def _figure(index: int, name: str, row: Node) -> Markup:
    ranked = _ranked(row)
    steps = [point.at("step").integer() for point in row.at("curve").items()]
    heat = [stretch.numbers() for stretch in row.at("heat").items()]
    if not steps or len(heat) != len(steps):
        row.at("heat").fail(f"a row for each of the {len(steps)} points of the curve")
    for k, values in enumerate(heat):
        if len(values) != len(ranked):
            row.at("heat").items()[k].fail(f"{len(ranked)} numbers")
    if not any(value > 0 for values in heat for value in values):
        return element("figure", element("figcaption", element("b", name), ": no error at all."))
    units = [[values[unit] for values in heat] for unit, _ in ranked]
    worst = ", ".join(
        f"{unit} ({formatting.number(error)})" for unit, error in ranked[: min(_WORST, len(ranked))]
    )
    plot = draw_heat(f"heat{index}", f"Error of each unit of {name} over time", steps, units)
    return element(
        "figure",
        plot,
        element(
            "figcaption",
            element("b", name),
            meaning(name, ""),
            f" Worst units, numbered from 0: {worst}.",
        ),
    )


def _table(rows: dict[str, Node]) -> Markup:
    columns = [
        Column("State", is_number=False),
        Column("Units"),
        Column("Worst unit"),
        Column("Its rms"),
        Column("Median rms"),
        Column("Share of the squared error in the worst tenth"),
    ]
    cells = []
    for name, row in rows.items():
        ranked = _ranked(row)
        errors = [error for _, error in ranked]
        power = sum(e * e for e in errors)
        tenth = errors[: -(-len(errors) // 10)]
        cells.append(
            [
                name,
                formatting.count(len(errors)),
                formatting.count(ranked[0][0]) if power else formatting.UNDEFINED,
                formatting.number(errors[0]),
                formatting.number(_median(errors)),
                formatting.percent(sum(e * e for e in tenth) / power if power else None),
            ]
        )
    return table("How the error is spread over the units", columns, cells)


def _median(values: list[float]) -> float:
    ordered, middle = sorted(values), len(values) // 2
    return ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
