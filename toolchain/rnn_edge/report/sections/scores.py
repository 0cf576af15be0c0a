"""Anomaly scores over time against the threshold."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import Markup, element, join, paragraph
from rnn_edge.report.plots.canvas import legend
from rnn_edge.report.plots.scores import LEGEND, draw_scores
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.alarms import definition
from rnn_edge.report.sections.base import Section


def render(root: Node) -> Section | None:
    """Return the section; None for tasks without scores."""
    if root.at("task").text() != "anomaly":
        return None
    recordings = root.at("scores").items()
    if not recordings:
        return Section("scores", "Anomaly scores", paragraph("The test split has no recording."))
    return Section(
        "scores",
        "Anomaly scores",
        join(
            *definition(root),
            legend(LEGEND),
            element(
                "div",
                *(_figure(recording, k) for k, recording in enumerate(recordings)),
                class_="plots wide",
            ),
        ),
    )


def _figure(recording: Node, index: int) -> Markup:
    name = recording.at("recording").text()
    thresholds = tuple(recording.at("thresholds").at(name).number() for name in ("float", "int8"))
    rate = recording.at("sample_rate_hz")
    if rate.number() <= 0:
        rate.fail("a positive number")
    reference, int8 = recording.at("float").numbers(), recording.at("int8").numbers()
    if not reference:
        recording.at("float").fail("at least one score")
    if len(int8) != len(reference):
        recording.at("int8").fail(f"{len(reference)} scores, as for float")
    marked = recording.at("anomalous")
    anomalous = None if marked.value is None else [item.number() > 0 for item in marked.items()]
    if anomalous is not None and len(anomalous) != len(reference):
        marked.fail(f"{len(reference)} labels, one per score")
    of_float, of_int8 = thresholds
    plot = draw_scores(
        f"scores{index}", name, rate.number(), reference, int8, (of_float, of_int8), anomalous
    )
    alarms = [
        [mark > 0 for mark in recording.at("alarms").at(name).numbers()]
        for name in ("float", "int8")
    ]
    if any(len(marks) != len(reference) for marks in alarms):
        recording.at("alarms").fail(f"{len(reference)} of each, one per score")
    shares = [formatting.percent(sum(marks) / len(marks)) for marks in alarms]
    same = sum(a == b for a, b in zip(*alarms, strict=True)) / len(int8)
    text = (
        f": alarm at {shares[0]} of the points by float (above {formatting.number(of_float)}), at "
        f"{shares[1]} by int8 (above {formatting.number(of_int8)}); the same verdict at "
        f"{formatting.percent(same)}"
        f"{'' if anomalous is not None else '; not labelled'}."
    )
    return element("figure", plot, element("figcaption", element("b", name), text))
