"""What was decided, one by one."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import bullets, join, paragraph
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table

MOST_ROWS = 100


def render(root: Node) -> Section:
    """Return the first decisions, and how many more there are."""
    decisions = root.at("decisions")
    rate = root.at("frame_rate_hz").number()
    listed = decisions.at("listed").items()
    parts = []
    if listed:
        rows = [
            [
                row.at("label").text(),
                formatting.count(row.at("began").integer()),
                formatting.duration(row.at("began").integer() / rate),
                formatting.duration(row.at("frames").integer() / rate),
                formatting.number(row.at("score").number()),
            ]
            for row in listed[:MOST_ROWS]
        ]
        columns = [Column("Decision", is_number=False), Column("First frame"), Column("After")]
        columns += [Column("Length"), Column("Largest score")]
        parts.append(table("Decisions", columns, rows))
    else:
        parts.append(paragraph("Nothing was decided that is over."))
    more = len(listed[MOST_ROWS:]) + decisions.at("left_out").integer()
    notes = []
    if more:
        notes.append(f"{formatting.count(more)} more; run.json lists the first 1,000.")
    goes_on = decisions.find("goes_on")
    if goes_on is not None:
        notes.append(
            f"{goes_on.at('label').text()}, begun at frame "
            f"{formatting.count(goes_on.at('began').integer())}, goes on."
        )
    notes += [_change(change) for change in root.at("changes").items()[:MOST_ROWS]]
    if notes:
        parts.append(bullets(notes))
    return Section("decisions", "Decisions", join(*parts))


def _change(event: Node) -> str:
    """Return another event: a sensor that fails, another model."""
    label = event.find("label")
    of = "" if label is None else f" of {label.text()}"
    return f"{event.at('event').text()}{of} at frame {formatting.count(event.at('step').integer())}"
