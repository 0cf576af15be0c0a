"""The fused int8 LSTM (w8a8) beside w8a16, where it was exported."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import Markup, join, paragraph
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table


def render(root: Node) -> Section | None:
    """Return drift, disagreement and what is kept between invocations."""
    fused = root.find("fused")
    if fused is None:
        return None
    kept = fused.at("keeps_state").entries()
    parts = [
        paragraph(
            "The same float model in two arithmetics over the same stream, never reset: w8a16, and "
            "the fused int8 LSTM operator (w8a8) in each runtime. Runtimes compute that operator "
            "differently: it is not held to any bit."
        ),
        _drift(fused),
        _disagreement(fused),
        *(paragraph(_kept(name, node.flag())) for name, node in kept.items()),
        *(
            paragraph(f"{row.at('engine').text()} did not run: {row.at('reason').text()}")
            for row in fused.at("not_run").items()
        ),
    ]
    return Section("w8a8", "Fused int8 LSTM", join(*parts))


def _kept(engine: str, is_kept: bool) -> str:
    if is_kept:
        return f"{engine} keeps its state from one invocation to the next."
    return f"{engine} loses its state between invocations: it cannot run a stream."


def _drift(fused: Node) -> Markup:
    columns = [
        Column("Arithmetic and runtime", is_number=False),
        Column("Steps"),
        Column("Hidden state, rms"),
        Column("Output, rms"),
        Column("Output, relative"),
        Column("Largest output the same"),
    ]
    rows = []
    for report in fused.at("drift").items():
        y = report.at("rows").items()[0]
        rows.append(
            [
                report.at("name").text(),
                formatting.count(report.at("steps").integer()),
                formatting.number(report.at("hidden_rms").number()),
                formatting.number(y.at("rms").number()),
                formatting.percent(y.at("relative").number(), 2),
                formatting.percent(report.at("agreement").number(), 2),
            ]
        )
    return table("Drift from the float model", columns, rows)


def _disagreement(fused: Node) -> Markup:
    if not fused.at("disagreement").items():
        return paragraph("Fewer than two runtimes ran: nothing to compare.")
    columns = [
        Column("Runtimes", is_number=False),
        Column("Tensor", is_number=False),
        Column("Equal values"),
        Column("Largest difference, LSB"),
        Column("First at step"),
    ]
    rows = [
        [
            " / ".join(engine.text() for engine in row.at("engines").items()),
            row.at("tensor").text(),
            formatting.percent(row.at("equal").number(), 2),
            formatting.count(row.at("max_lsb").integer()),
            formatting.UNDEFINED
            if row.find("first_step") is None
            else formatting.count(row.at("first_step").integer()),
        ]
        for row in fused.at("disagreement").items()
    ]
    return table("Disagreement between runtimes of the same file", columns, rows)
