"""The few figures that are read first, and the engines beside each other."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import Markup, bullets, join, paragraph
from rnn_edge.report.profile_sections.reading import C, fastest, measured, subjects, value
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table
from rnn_edge.report.tiles import tile, tiles


def render(root: Node) -> Section | None:
    """Return tiles of the C, and a table of all engines."""
    rows = subjects(root)
    if not rows:
        return None
    return Section(
        "summary",
        "Engines beside each other",
        join(_tiles(root), _how(root), _table(rows), _missing(root)),
    )


def _tiles(root: Node) -> Markup:
    (own, *_) = [each for each in root.at("subjects").items() if each.at("engine").text() == C]
    step = own.at("step_us")
    best = fastest(root)
    shown = [
        tile(
            "A step of the C, median",
            f"{formatting.number(value(step.at('p50')))}{formatting.SPACE}µs",
            f"99th percentile {formatting.number(value(step.at('p99')))} µs",
        )
    ]
    if best is not None:
        ratio = value(best.at("step_us").at("p50")) / value(step.at("p50"))
        shown.append(
            tile(
                "Against the fastest interpreter",
                f"{ratio:.1f}{formatting.SPACE}times as fast",
                best.at("title").text(),
            )
        )
    memory, cold = own.at("memory"), own.find("cold_start_ms")
    shown.append(
        tile(
            "Memory of the process",
            formatting.size(memory.at("rss_bytes").integer()),
            f"at most {formatting.size(memory.at('peak_bytes').integer())}",
        )
    )
    if cold is not None:
        shown.append(
            tile(
                "From exec to the first decision",
                f"{formatting.number(value(cold.at('p50')))}{formatting.SPACE}ms",
                "median of cold starts",
            )
        )
    shown.append(
        tile(
            "Of one core in real time",
            formatting.percent(value(own.at("core_share")), 3),
            f"{formatting.count(own.at('models_per_core').integer())} models per core",
        )
    )
    return tiles(*shown)


def _how(root: Node) -> Markup:
    settings = root.at("settings")
    clock = root.at("subjects").items()[0].at("clock")
    return paragraph(
        f"{settings.at('rounds').integer()} rounds of "
        f"{formatting.count(settings.at('steps').integer())} steps, the engines in turns, each in "
        f"a process of its own on one thread, state carried, after "
        f"{formatting.count(settings.at('warm_up').integer())} steps to warm up. The clock moves "
        f"in steps of {clock.at('smallest_ns').integer()} ns and a reading takes "
        f"{clock.at('reading_ns').integer()} ns. Intervals are 95 %, by drawing whole rounds "
        "again.",
        kind="soft",
    )


def _table(rows: dict[str, Node]) -> Markup:
    columns = [
        Column("Engine", is_number=False),
        Column("p50, µs", is_main=True),
        Column("p95, µs"),
        Column("p99, µs"),
        Column("Longest, µs"),
        Column("Jitter (p99 − p50), µs"),
        Column("Steps per second"),
        Column("Bits", is_number=False),
    ]
    cells = []
    for title, each in rows.items():
        step, version = each.at("step_us"), each.at("version").text()
        cells.append(
            [
                f"{title} {version}".strip(),
                *(measured(step.at(name)) for name in ("p50", "p95", "p99")),
                formatting.number(step.at("maximum").number()),
                measured(step.at("jitter")),
                measured(each.at("steps_per_second")),
                each.at("bits").text(),
            ]
        )
    return table("A step, as fast as it goes", columns, cells)


def _missing(root: Node) -> Markup:
    rows = root.at("not_measured").items()
    if not rows:
        return Markup("")
    listed = [f"{each.at('title').text()}: {each.at('reason').text()}" for each in rows]
    return join(paragraph("Not measured:"), bullets(listed))
