"""The limits of every keyword, and what came of them."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import join, paragraph
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table


def render(root: Node) -> Section:
    """Return the table of limits and one of results for each engine."""
    limits = {row.at("output").integer(): row for row in root.at("keywords").items()}
    cells = [
        [
            row.at("label").text(),
            f"{row.at('smoothing_s').number():.2f}{formatting.SPACE}s",
            f"{row.at('mean_probability').number():.3f}",
            f"{row.at('least_length_s').number():.2f}{formatting.SPACE}s",
            f"{row.at('refractory_s').number():.2f}{formatting.SPACE}s",
        ]
        for row in limits.values()
    ]
    columns = [
        Column("Keyword", is_number=False),
        Column("Smoothed over"),
        Column("Threshold, mean probability"),
        Column("Least length"),
        Column("Refractory time"),
    ]
    parts = [
        paragraph(
            "Devices, the command run and this page decide with the same integers, which these "
            "figures stand for."
        ),
        table("Limits", columns, cells),
    ]
    for name, found in root.at("engines").entries().items():
        results = [
            [
                limits[row.at("output").integer()].at("label").text(),
                formatting.count(row.at("words").integer()),
                formatting.percent(_share(row)),
                formatting.count(row.at("false_accepts_in_commands").integer()),
                formatting.count(row.at("false_accepts_in_background").integer()),
            ]
            for row in found.at("keywords").items()
        ]
        columns = [
            Column("Keyword", is_number=False),
            Column("Words"),
            Column("Missed", is_main=True),
            Column("False accepts with commands"),
            Column("Without"),
        ]
        parts.append(table(f"By keyword, {name}", columns, results))
    return Section("keywords", "Keywords", join(*parts))


def _share(row: Node) -> float | None:
    words = row.at("words").integer()
    return row.at("missed").integer() / words if words else None
