"""The few figures that are read first."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import Markup, join, paragraph
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tiles import tile, tiles


def render(root: Node) -> Section:
    """Return the tiles."""
    decisions, labels = root.at("decisions"), root.find("labels")
    what = "Alarms" if root.at("task").text() == "anomaly" else "Detections"
    shown = [
        tile(
            "Signal",
            formatting.duration(root.at("seconds").number()),
            f"{formatting.count(root.at('frames').integer())} frames, "
            f"{root.at('frame_rate_hz').number():.4g} a second",
        ),
        tile(
            what,
            formatting.count(decisions.at("begun").integer()),
            _rate(decisions.at("rate")),
        ),
    ]
    if labels is None:
        words = "Nothing is labelled: which of them are right cannot be told."
        return Section("summary", "Summary", join(tiles(*shown), paragraph(words)))
    return Section("summary", "Summary", tiles(*shown, *_labelled(labels), is_broad=True))


def _labelled(labels: Node) -> list[Markup]:
    normal, anomalous = (labels.at(key).integer() for key in ("normal_frames", "anomalous_frames"))
    false, right = labels.at("false_frames").integer(), labels.at("right_frames").integer()
    rate = labels.find("false_alarms_rate")
    found = [
        tile(
            "False alarms, each counted once",
            formatting.count(labels.at("false_alarms").integer()),
            "no normal frames" if rate is None else f"{_rate(rate)} of normal frames",
        ),
        tile(
            "Events found",
            f"{formatting.count(labels.at('events_found').integer())} of "
            f"{formatting.count(labels.at('events').integer())}",
            "an event is an unbroken run of anomalous frames",
        ),
    ]
    if normal:
        found.append(
            tile(
                "Normal frames in alarm",
                formatting.percent(false / normal),
                f"{formatting.count(false)} of {formatting.count(normal)}",
            )
        )
    if anomalous:
        found.append(
            tile(
                "Anomalous frames in alarm",
                formatting.percent(right / anomalous),
                f"{formatting.count(right)} of {formatting.count(anomalous)}",
            )
        )
    return found


def _rate(rate: Node) -> str:
    value, low, high = (formatting.number(rate.at(k).number()) for k in ("value", "low", "high"))
    return f"{value} per {rate.at('per').text()} ({low} to {high})"
