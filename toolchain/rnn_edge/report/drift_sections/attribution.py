"""Which quantizer causes the drift: each one alone on, and each one alone off."""

from __future__ import annotations

from collections.abc import Sequence

from rnn_edge.report import formatting
from rnn_edge.report.drift_sections.reading import analysis, not_asked, pieces
from rnn_edge.report.estimates import Measured, long_text
from rnn_edge.report.markup import Markup, bullets, element, join, paragraph
from rnn_edge.report.plots.bars import draw_bars
from rnn_edge.report.plots.canvas import Line, Shade, legend
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table

ALONE, WITHOUT = "alone: only this one rounds", "without: all round but this one"
LINES = {ALONE: Line("#2f7fd8"), WITHOUT: Line("#e07b00")}
SHOWN = 16
"""Bars in a plot; the table has all of them."""


def render(root: Node) -> Section:
    """Return bars and tables of single quantizers and of groups."""
    found = analysis(root, "attribution")
    if found is None:
        return Section("attribution", "Causes", not_asked("attribution", "which rounding drifts"))
    rows, groups = found.at("rows").items(), found.at("groups").items()
    return Section(
        "attribution",
        "Causes",
        join(
            paragraph(_summary(found, rows)),
            *_suspicions(found.at("suspicions").items()),
            paragraph(
                "Each quantizer twice: alone, everything else exact, is what it brings about by "
                "itself; without it, everything else rounding, is what would be left if it were "
                "exact. The dashed line is the drift with all of them. Share is the square of "
                "alone over the sum of all squares, as small independent errors add."
            ),
            legend({name: Shade(line.colour, 1.0) for name, line in LINES.items()}),
            element(
                "div",
                _figure("causes", "Single quantizers", rows, found),
                *([_figure("groups", "Groups", groups, found)] if groups else []),
                class_="plots wide",
            ),
            _table("Single quantizers", rows),
            *([_table("Groups, which overlap", groups)] if groups else []),
            paragraph(pieces(found), kind="soft"),
        ),
    )


def _summary(found: Node, rows: tuple[Node, ...]) -> str:
    hidden, added = _hidden(found), found.at("added").number()
    dominant = found.find("dominant")
    first = rows[0] if rows else found.at("rows").fail("a row for each quantizer")
    share = formatting.percent(first.at("share").number())
    cause = (
        f"{dominant.text()} is the cause: {share} of the squared drift of the hidden state."
        if dominant is not None
        else f"No quantizer makes half of the drift; the largest, {first.at('name').text()}, has "
        f"{share} of its square."
    )
    return (
        f"{cause} All together drift by {long_text(hidden)} rms; the squares of each alone add up "
        f"to {formatting.number(added)}, {_how_near(added, hidden.value)}"
    )


def _hidden(found: Node) -> Measured:
    """Return the drift with every quantizer on, and its interval over the pieces."""
    value, low, high = (found.at(key).number() for key in ("hidden", "hidden_low", "hidden_high"))
    return Measured(value, low, high)


def _suspicions(rows: Sequence[Node]) -> list[Markup]:
    """Return a banner that names what rounding does not explain, or nothing."""
    if not rows:
        return []
    items = [f"{row.at('quantizer').text()}: {row.at('reason').text()}" for row in rows]
    return [
        element(
            "div",
            element("strong", "Rounding does not explain the numbers of:"),
            bullets(items),
            class_="warning",
        )
    ]


def _how_near(added: float, hidden: float) -> str:
    if hidden <= 0:
        return "and there is nothing to divide."
    ratio = f"{formatting.number(added / hidden, 2)} times that"
    if 0.7 <= added / hidden <= 1.4:
        return f"{ratio}: shares can be read as parts of the whole."
    return f"{ratio}: errors do not add up independently, so that shares only rank."


def _figure(prefix: str, title: str, rows: Sequence[Node], found: Node) -> Markup:
    shown = rows[:SHOWN]
    bars = {
        ALONE: [row.at("alone").number() for row in shown],
        WITHOUT: [row.at("without").number() for row in shown],
    }
    names = [row.at("name").text() for row in shown]
    label = f"{title}, ranked: " + ", ".join(
        f"{name} alone {formatting.number(value)}"
        for name, value in zip(names[:3], bars[ALONE], strict=False)
    )
    plot = draw_bars(
        prefix,
        label,
        "drift of the hidden state, rms",
        names,
        bars,
        LINES,
        found.at("hidden").number(),
    )
    count = f", the first {SHOWN} of {len(rows)}" if len(rows) > SHOWN else ""
    return element("figure", plot, element("figcaption", element("b", title), f"{count}."))


def _table(caption: str, rows: Sequence[Node]) -> Markup:
    columns = [
        Column("Quantizer", is_number=False),
        Column("Alone, hidden"),
        Column("Share"),
        Column("Without, hidden"),
        Column("Saved"),
        Column("Alone, y"),
        Column("Share, y"),
        Column("Without, y"),
        Column("Saved, y"),
    ]
    cells = []
    for row in rows:
        line = [row.at("name").text()]
        for end in ("", "_y"):
            line += [
                formatting.number(row.at(f"alone{end}").number()),
                formatting.percent(row.at(f"share{end}").number()),
                formatting.number(row.at(f"without{end}").number()),
                formatting.percent(row.at(f"saved{end}").number()),
            ]
        cells.append(line)
    return table(caption, columns, cells)
