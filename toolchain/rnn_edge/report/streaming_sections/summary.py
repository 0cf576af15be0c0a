"""The few figures that are read first."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import join, paragraph
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tiles import tile, tiles


def render(root: Node) -> Section:
    """Return the tiles of every engine."""
    wanted = root.find("wanted_false_accepts_per_hour")
    parts = [
        paragraph(
            "Commands in voices that the model was not trained on, laid over noise and over "
            "other speech, and hours of both without any command. The state is never reset within "
            "a stream."
        )
    ]
    for name, found in root.at("engines").entries().items():
        commands, background = found.at("commands"), found.at("background")
        low, high = (n.number() for n in background.at("false_accepts_per_hour_interval").items())
        least, most = (n.number() for n in commands.at("miss_rate_interval").items())
        rate = background.at("false_accepts_per_hour").number()
        aim = "not calibrated" if wanted is None else f"wanted: {wanted.number():g}"
        median, late = (
            commands.at(key).optional_number() for key in ("delay_median_s", "delay_p95_s")
        )
        parts.append(
            tiles(
                tile(
                    f"False accepts per hour, {name}",
                    formatting.number(rate),
                    aim,
                    f"95 %: {formatting.number(low)} to {formatting.number(high)}",
                ),
                tile(
                    "Missed words, all ratios",
                    formatting.percent(commands.at("miss_rate").number()),
                    f"95 %: {formatting.percent_range(least, most)}",
                ),
                tile(
                    "Delay behind the word's end",
                    formatting.UNDEFINED
                    if median is None
                    else f"{1e3 * median:.0f}{formatting.SPACE}ms",
                    "nothing was heard" if late is None else f"95 % within {1e3 * late:.0f} ms",
                ),
                is_broad=True,
            )
        )
    return Section("summary", "Summary", join(*parts))
