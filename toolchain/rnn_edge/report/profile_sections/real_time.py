"""What engines cost in real time: by second of the stream, and with frames that come when due."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import Markup, join, paragraph
from rnn_edge.report.profile_sections.reading import measured, subjects
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table


def render(root: Node) -> Section | None:
    """Return the tables, or None where nothing was timed."""
    rows = subjects(root)
    if not rows:
        return None
    parts = [_seconds(rows)]
    paced = {title: found for title, each in rows.items() if (found := each.find("paced"))}
    if paced:
        parts.append(_paced(paced))
    else:
        parts.append(
            paragraph("No frames were paced: the time was too short for one in every round.")
        )
    return Section("real-time", "In real time", join(*parts))


def _seconds(rows: dict[str, Node]) -> Markup:
    columns = [
        Column("Engine", is_number=False),
        Column("p50, ms"),
        Column("p95, ms"),
        Column("p99, ms"),
        Column("Longest, ms"),
        Column("Share of a core, flat out"),
        Column("Models per core"),
    ]
    cells = []
    for title, each in rows.items():
        second = each.find("per_second_ms")
        cells.append(
            [
                title,
                *(
                    measured(second.at(name)) if second is not None else formatting.UNDEFINED
                    for name in ("p50", "p95", "p99")
                ),
                formatting.number(None if second is None else second.at("maximum").number()),
                formatting.percent(each.at("core_share").at("value").number(), 3),
                formatting.count(each.at("models_per_core").integer()),
            ]
        )
    return table("Computing for a second of the stream", columns, cells)


def _paced(rows: dict[str, Node]) -> Markup:
    columns = [
        Column("Engine", is_number=False),
        Column("Frames"),
        Column("Deadlines missed", is_main=True),
        Column("Step p50, µs"),
        Column("Step p99, µs"),
        Column("Due to result p50, µs"),
        Column("Due to result p99, µs"),
        Column("Longest, µs"),
        Column("Share of a core"),
    ]
    cells = [
        [
            title,
            formatting.count(each.at("steps").integer()),
            formatting.count(each.at("missed").integer()),
            *(measured(each.at("step_us").at(name)) for name in ("p50", "p99")),
            *(measured(each.at("answered_us").at(name)) for name in ("p50", "p99")),
            formatting.number(each.at("answered_us").at("maximum").number()),
            formatting.percent(each.at("core_share").at("value").number(), 3),
        ]
        for title, each in rows.items()
    ]
    first = next(iter(rows.values()))
    period = formatting.number(first.at("period_ms").number())
    return join(
        paragraph(
            f"A frame every {period} ms; the process sleeps in between, so that caches and clock "
            "are those of a device that mostly waits. From when a frame was due to its result the "
            "system's time to wake the process counts too; a result after the next frame is due "
            "is a missed deadline."
        ),
        table("Paced in real time", columns, cells),
    )
