"""What causes the drift of two results, side by side."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.comparison_sections.pair import A, B, Pair
from rnn_edge.report.drift_sections.attribution import SHOWN
from rnn_edge.report.drift_sections.reading import analysis, not_asked
from rnn_edge.report.markup import Markup, element, join, paragraph
from rnn_edge.report.plots.bars import draw_bars
from rnn_edge.report.plots.canvas import Shade, legend
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table

_TITLES = {"rows": "Single quantizers", "groups": "Groups"}


def render(pair: Pair) -> Section:
    """Return bars of what each quantizer brings about alone, for both."""
    found = [analysis(root, "attribution") for root in pair.both]
    one, other = found
    if one is None or other is None:
        lacking = " and ".join(
            name for name, each in zip((A, B), found, strict=True) if each is None
        )
        command = not_asked("attribution", f"what rounding drifts in {lacking}")
        return Section("causes", "Causes", command)
    return Section(
        "causes",
        "Causes",
        join(
            paragraph(
                "Drift of the hidden state with one quantizer alone, everything else exact; the "
                "largest of both first."
            ),
            legend({name: Shade(line.colour, 1.0) for name, line in pair.lines.items()}),
            element(
                "div", *(_figure(pair, key, one, other) for key in _TITLES), class_="plots wide"
            ),
            *(_table(pair, key, one, other) for key in _TITLES),
        ),
    )


def _ranked(key: str, one: Node, other: Node) -> list[tuple[str, float | None, float | None]]:
    """Return what every quantizer of either drifts alone; None where one has none such."""
    sides = [
        {row.at("name").text(): row.at("alone").number() for row in each.at(key).items()}
        for each in (one, other)
    ]
    names = dict.fromkeys([*sides[0], *sides[1]])
    rows = [(name, sides[0].get(name), sides[1].get(name)) for name in names]
    return sorted(rows, key=lambda row: (-max(row[1] or 0.0, row[2] or 0.0), row[0]))


def _figure(pair: Pair, key: str, one: Node, other: Node) -> Markup:
    ranked = _ranked(key, one, other)
    shown = ranked[:SHOWN]
    if not shown:
        return join()
    sides = [row[1] or 0.0 for row in shown], [row[2] or 0.0 for row in shown]
    bars = dict(zip(pair.names, sides, strict=True))
    names = [row[0] for row in shown]
    label = f"{_TITLES[key]} of both, ranked: {', '.join(names[:3])}"
    quantity = "drift of the hidden state, rms"
    plot = draw_bars(f"causes-{key}", label, quantity, names, bars, pair.lines)
    count = f", the first {SHOWN} of {len(ranked)}" if len(ranked) > SHOWN else ""
    caption = element("figcaption", element("b", _TITLES[key]), f"{count}.")
    return element("figure", plot, caption)


def _table(pair: Pair, key: str, one: Node, other: Node) -> Markup:
    columns = [
        Column("Quantizer", is_number=False),
        *(Column(f"{name}, alone") for name in pair.names),
        Column("B / A"),
    ]
    rows = [
        [
            name,
            formatting.number(first),
            formatting.number(second),
            formatting.number(second / first if first and second is not None else None),
        ]
        for name, first, second in _ranked(key, one, other)
    ]
    return table(_TITLES[key], columns, rows)
