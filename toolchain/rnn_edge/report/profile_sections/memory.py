"""What engines take of memory, and how long they take to start."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import Markup, element, join, paragraph
from rnn_edge.report.plots.bars import draw_bars
from rnn_edge.report.plots.canvas import Line, legend
from rnn_edge.report.profile_sections.reading import measured, subjects
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table

_NOW, _MOST = "resident", "at most"
LINES = {_NOW: Line("#2f7fd8"), _MOST: Line("#a8c7ea")}
_MIB = 2**20


def render(root: Node) -> Section:
    """Return bars of memory, cold starts, and the sizes of the static program."""
    rows = subjects(root)
    parts: list[Markup] = []
    if rows:
        parts += [_bars(rows, root.document.prefix), _starts(rows), _energy(rows)]
    return Section("memory", "Memory and start", join(*parts, _program(root.at("program"))))


def _bars(rows: dict[str, Node], prefix: str) -> Markup:
    keys = {_NOW: "rss_bytes", _MOST: "peak_bytes"}
    bars = {
        kind: [each.at("memory").at(key).integer() / _MIB for each in rows.values()]
        for kind, key in keys.items()
    }
    said = ", ".join(f"{title} {mib:.1f}" for title, mib in zip(rows, bars[_NOW], strict=True))
    plot = draw_bars(
        f"{prefix}memory",
        f"Resident memory in MiB: {said}",
        "resident memory, MiB",
        list(rows),
        bars,
        LINES,
    )
    return join(legend(dict(LINES)), element("div", element("figure", plot), class_="plots wide"))


def _starts(rows: dict[str, Node]) -> Markup:
    found = {title: cold for title, each in rows.items() if (cold := each.find("cold_start_ms"))}
    if not found:
        return paragraph("No cold starts were measured.")
    columns = [
        Column("Engine", is_number=False),
        Column("p50, ms", is_main=True),
        Column("p95, ms"),
        Column("Longest, ms"),
    ]
    cells = [
        [
            title,
            *(measured(cold.at(name)) for name in ("p50", "p95")),
            formatting.number(cold.at("maximum").number()),
        ]
        for title, cold in found.items()
    ]
    return table("Cold start: from before exec to the first decision", columns, cells)


def _energy(rows: dict[str, Node]) -> Markup:
    found = {title: energy for title, each in rows.items() if (energy := each.find("energy"))}
    if not found:
        return Markup("")
    columns = [
        Column("Engine", is_number=False),
        Column("A step, µJ", is_main=True),
        Column("Stepping, W"),
        Column("Idle, W"),
        Column("In real time, W"),
    ]
    cells = [
        [
            title,
            *(formatting.number(row.at(key).number()) for key in ("step_uj", "busy_w", "idle_w")),
            formatting.number(row.at("paced_w").optional_number()),
        ]
        for title, row in found.items()
    ]
    sources = dict.fromkeys(row.at("source").text() for row in found.values())
    return table(
        f"Energy, beyond what the machine takes when it is idle ({', '.join(sources)})",
        columns,
        cells,
    )


def _program(program: Node) -> Markup:
    stack = program.at("stack_bytes").optional_integer()
    sizes = {
        "The static program's file": "file_bytes",
        "Code and constants of the program": "constant_bytes",
        "Variables of the program, with the measurement's buffers": "variable_bytes",
        "State of the model": "state_bytes",
    }
    cells = [[name, formatting.count(program.at(key).integer())] for name, key in sizes.items()]
    cells.append(["Stack of a step", "not available" if stack is None else formatting.count(stack)])
    return table("The exported C", [Column("What", is_number=False), Column("Bytes")], cells)
