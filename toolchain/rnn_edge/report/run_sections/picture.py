"""Channels, scores with their thresholds, detections and labels over time."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import Markup, element, join, paragraph
from rnn_edge.report.plots.canvas import legend
from rnn_edge.report.plots.stream import Curve, Marks, Panel, draw_stream, legend_of
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section

MOST_CHANNELS = 16
"""Channels that are drawn; the rest is in run.json alone."""


def render(root: Node) -> Section:
    """Return the picture of the run, and of the frames about the largest score."""
    curves = root.at("curves")
    panel, marks, plot = _drawn(root, curves, "run")
    words = (
        "Each curve is the least and the largest value of stretches of "
        f"{marks.stretch_s:.4g} s, so that a peak of a single frame is seen, and a stretch is "
        "marked where any of its frames is. Times are those of the signal, gaps left out."
    )
    left_out = [name.text() for name in curves.at("samples").at("names").items()][MOST_CHANNELS:]
    if left_out:
        words += f" Not drawn: {', '.join(left_out)}; run.json has them."
    body = [legend(legend_of(panel, marks)), element("figure", plot), paragraph(words, kind="soft")]
    closest = root.find("closest")
    if closest is not None:
        first = closest.at("first").integer()
        after = formatting.duration(first / root.at("frame_rate_hz").number())
        body += [
            element("h3", "About the largest score"),
            element("figure", _drawn(root, closest.at("curves"), "closest")[2]),
            paragraph(
                f"Frame by frame, from frame {formatting.count(first)} on, {after} after the "
                "start.",
                kind="soft",
            ),
        ]
    return Section("picture", "Signal and decisions", join(*body))


def _drawn(root: Node, curves: Node, prefix: str) -> tuple[Panel, Marks, Markup]:
    """Return scores, marks and the plot of curves."""
    scores = curves.at("scores")
    channels = [Panel(c.name, (c,)) for c in _curves(curves.at("samples"))[:MOST_CHANNELS]]
    thresholds = [node.optional_number() for node in root.at("thresholds").items()]
    title = "score" if root.at("task").text() == "anomaly" else "mean probability"
    panel = Panel(title, tuple(_curves(scores)), tuple(thresholds))
    detected = {
        name: [each.integer() > 0 for each in flags.items()]
        for name, flags in curves.at("detected").entries().items()
    }
    anomalous = curves.find("anomalous")
    labelled = None if anomalous is None else [n.integer() > 0 for n in anomalous.items()]
    marks = Marks(scores.at("stretch_s").number(), detected, labelled)
    return panel, marks, draw_stream(prefix, root.at("source").text(), channels, panel, marks)


def _curves(node: Node) -> list[Curve]:
    stretch_s = node.at("stretch_s").number()
    names = [name.text() for name in node.at("names").items()]
    lows, highs = node.at("low").items(), node.at("high").items()
    return [
        Curve(name, stretch_s, _values(low), _values(high))
        for name, low, high in zip(names, lows, highs, strict=True)
    ]


def _values(node: Node) -> tuple[float | None, ...]:
    return tuple(value.optional_number() for value in node.items())
