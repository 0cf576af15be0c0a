"""Each kind of sound by itself."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import Markup, join, paragraph
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table

_BEDS = {"noise": "noise", "speech": "other speech"}


def render(root: Node) -> Section:
    """Return two tables for each engine: with commands and without."""
    tolerance = root.at("tolerance_s").number()
    parts = [
        paragraph(
            f"A word is heard if its keyword begins between the word's start and {tolerance:g} s "
            "behind its end; every other beginning is a false accept: of another keyword while a "
            "word is spoken (confused), of the same once more (repeated), or where there is no "
            "word (elsewhere). The delay is counted from the end of the word."
        )
    ]
    for name, found in root.at("engines").entries().items():
        rows = found.at("conditions").items()
        parts += [_with_commands(name, rows), _without(name, rows)]
    return Section("conditions", "Noise, other speech, and how loud they are", join(*parts))


def _with_commands(name: str, rows: tuple[Node, ...]) -> Markup:
    cells = []
    for row in rows:
        snr_db = row.at("snr_db").optional_number()
        if snr_db is None:
            continue
        low, high = (each.number() for each in row.at("miss_rate_interval").items())
        wrong = row.at("false_accepts")
        cells.append(
            [
                f"{_BEDS[row.at('bed').text()]}, {snr_db:g} dB",
                formatting.count(row.at("words").integer()),
                formatting.percent(row.at("miss_rate").number()),
                formatting.percent_range(low, high),
                _ms(row.at("delay_median_s").optional_number()),
                _ms(row.at("delay_p95_s").optional_number()),
                *(
                    formatting.count(wrong.at(key).integer())
                    for key in ("confused", "repeated", "elsewhere")
                ),
            ]
        )
    columns = [
        Column("Commands in", is_number=False),
        Column("Words"),
        Column("Missed", is_main=True),
        Column("95 %"),
        Column("Delay, median"),
        Column("95 % within"),
        Column("Confused"),
        Column("Repeated"),
        Column("Elsewhere"),
    ]
    return table(f"With commands, {name}", columns, cells)


def _without(name: str, rows: tuple[Node, ...]) -> Markup:
    cells = []
    for row in rows:
        if row.at("snr_db").optional_number() is not None:
            continue
        low, high = (each.number() for each in row.at("false_accepts_per_hour_interval").items())
        cells.append(
            [
                _BEDS[row.at("bed").text()],
                f"{row.at('hours').number():.2f}",
                formatting.number(row.at("false_accepts_per_hour").number()),
                f"{formatting.number(low)} to {formatting.number(high)}",
            ]
        )
    columns = [
        Column("Sound", is_number=False),
        Column("Hours"),
        Column("False accepts per hour", is_main=True),
        Column("95 %"),
    ]
    return table(f"Without commands, {name}", columns, cells)


def _ms(seconds: float | None) -> str:
    if seconds is None:
        return formatting.UNDEFINED
    return f"{1e3 * seconds:.0f}{formatting.SPACE}ms".replace("-", formatting.MINUS)
