"""What reset policies take away of the drift, and what they cost the task."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.drift_sections.reading import analysis, not_asked
from rnn_edge.report.markup import Markup, element, join, paragraph
from rnn_edge.report.plots.canvas import assign, legend
from rnn_edge.report.plots.trade import Choice, draw_trade
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table


def render(root: Node) -> Section:
    """Return the trade-off as a plot and a table."""
    found = analysis(root, "resets")
    if found is None:
        return Section("resets", "Reset policies", not_asked("resets", "what resets would do"))
    rows, suggested = found.at("rows").items(), found.at("suggested").text()
    if suggested not in [row.at("words").text() for row in rows]:
        found.at("suggested").fail("the words of a row")
    metric, rule = found.at("metric").text(), found.at("rule")
    streams, frames = (formatting.count(found.at(k).integer()) for k in ("streams", "frames"))
    return Section(
        "resets",
        "Reset policies",
        join(
            paragraph(
                element("strong", f"Suggested: {suggested}."), *_current(found), " ", _rule(rule)
            ),
            paragraph(
                f"All policies over the same {streams} streams of {frames} frames in all. Right "
                "is more drift, up is better; 0 is never resetting, bars are 95 % intervals of "
                "the difference to it, the ring is the suggested policy, numbers are rows of the "
                "table. The axes need not begin at 0."
            ),
            _figure(rows, suggested, metric),
            _table(rows, suggested, metric),
        ),
    )


def _current(found: Node) -> list[str]:
    """Return the policy that the bundle has, where the result says so."""
    current = found.find("current")
    return [] if current is None else [f" The bundle has: {current.text()}."]


def _rule(rule: Node) -> str:
    drift, p_value, loss = (
        rule.at(key).number() for key in ("drift_at_most", "p_value_at_least", "loss_at_most")
    )
    return (
        f"The least drift that is at most {formatting.percent(drift, 0)} of never resetting, with "
        f"no loss that is significant (p below {p_value:g}) or beyond "
        f"{formatting.number(100 * loss, 1)} points; otherwise never."
    )


def _figure(rows: tuple[Node, ...], suggested: str, metric: str) -> Markup:
    lines = assign(list(dict.fromkeys(row.at("policy").text() for row in rows)))
    choices = []
    for k, row in enumerate(rows, start=1):
        interval = row.find("interval")
        ends = None if interval is None else interval.pair()
        choices.append(
            Choice(
                str(k),
                row.at("policy").text(),
                row.at("hidden_rms").number(),
                100 * row.at("difference").number(),
                None if ends is None else (100 * ends[0], 100 * ends[1]),
                row.at("words").text() == suggested,
            )
        )
    plot = draw_trade(
        "resets-trade",
        f"Drift and {metric} of reset policies; suggested: {suggested}",
        ("drift of the hidden state, rms", f"{metric}, points against never"),
        choices,
        lines,
    )
    return join(
        legend(lines, has_dots=True),
        element("div", element("figure", plot), class_="plots wide"),
    )


def _table(rows: tuple[Node, ...], suggested: str, metric: str) -> Markup:
    others = list(dict.fromkeys(key for row in rows for key in row.at("others").entries()))
    columns = [
        Column("Policy", is_number=False),
        Column("Hidden state, rms"),
        Column("Of never"),
        Column(metric),
        Column("Against never"),
        *(Column(name) for name in others),
        Column("Resets in 1,000 frames"),
        Column("Verdict", is_number=False),
    ]
    never = rows[0].at("hidden_rms").number()
    cells = []
    for k, row in enumerate(rows, start=1):
        rms, words = row.at("hidden_rms").number(), row.at("words").text()
        figures = row.at("others").entries()
        cells.append(
            [
                f"{k} {words}",
                formatting.number(rms),
                formatting.percent(rms / never if never > 0 else None),
                formatting.percent(row.at("metric").number(), 2),
                _change(row),
                *(
                    formatting.number(figures[name].number()) if name in figures else "–"
                    for name in others
                ),
                formatting.number(row.at("resets_per_1000").number()),
                element("strong", "suggested", class_="good")
                if words == suggested
                else row.at("reason").text(),
            ]
        )
    return table("Reset policies", columns, cells)


def _change(row: Node) -> Markup:
    change = formatting.points(row.at("difference").number(), 2)
    notes = []
    interval, p_value = row.find("interval"), row.at("p_value").optional_number()
    if interval is not None:
        notes.append(element("small", formatting.points_range(*interval.pair(), 2)))
    if p_value is not None:
        notes.append(element("small", formatting.probability(p_value)))
    return join(change, *notes)
