"""The streams that two results have in common, one by one."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.comparison_sections.pair import Pair
from rnn_edge.report.estimates import agreement, interval, read_estimate
from rnn_edge.report.markup import element, join, paragraph
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table


def render(pair: Pair) -> Section:
    """Return a row per stream of both."""
    common = pair.common_streams()
    if not common:
        return Section("streams", "Stream by stream", paragraph("No stream is in both results."))
    columns = [
        Column("Stream", is_number=False),
        Column("A: hidden state, rms"),
        Column("B: hidden state, rms"),
        Column("B / A"),
        Column("Intervals", is_number=False),
        Column("A: same decision"),
        Column("B: same decision"),
        Column("First flip, A / B"),
    ]
    rows = [_row(name, *both) for name, both in common.items()]
    return Section("streams", "Stream by stream", table("Streams that both have", columns, rows))


def _row(name: str, one: Node, other: Node) -> list[str]:
    first, second = (read_estimate(each.at("hidden_rms")) for each in (one, other))
    decisions = [each.at("decisions") for each in (one, other)]
    flips = [each.at("first_flip").optional_integer() for each in decisions]
    return [
        name,
        *(join(formatting.number(m.value), element("small", interval(m))) for m in (first, second)),
        formatting.number(second.value / first.value if first.value > 0 else None),
        "overlap" if first.overlaps(second) else "apart",
        *(agreement(read_estimate(each.at("agreement"))) for each in decisions),
        " / ".join(formatting.UNDEFINED if f is None else formatting.count(f) for f in flips),
    ]
