"""Anomaly scores over time against the threshold."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import Markup, element, join, paragraph
from rnn_edge.report.plots.canvas import legend
from rnn_edge.report.plots.scores import LEGEND, draw_scores
from rnn_edge.report.reader import Node
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
            *_definition(root),
            legend(LEGEND),
            element(
                "div",
                *(_figure(recording, k) for k, recording in enumerate(recordings)),
                class_="plots wide",
            ),
        ),
    )


def _definition(root: Node) -> list[Markup]:
    """Return what a score is, and where its threshold comes from."""
    detector, rate = root.at("detector"), root.at("frame_rate_hz").number()
    smoothing, quantile, margin, limit = (
        detector.at(key).number()
        for key in ("smoothing_frames", "quantile", "margin", "score_limit")
    )
    warmup = detector.at("warmup_frames").integer()
    seconds = formatting.duration(smoothing / rate)
    return [
        paragraph(
            element("b", "Score"),
            ": mean over the channels of the squared forecast error, each channel divided by its "
            "mean squared error in normal operation (the validation part). It has no unit; 1 is "
            f"the mean of normal operation. A channel counts up to {limit:g}. "
            f"Smoothed exponentially over {smoothing:g} frames ({seconds}); the "
            f"first {formatting.count(warmup)} frames after a start score 0.",
        ),
        paragraph(
            element("b", "Threshold"),
            f": the {100 * quantile:g}{formatting.SPACE}% quantile of the scores of the validation "
            f"part{'' if margin == 1 else f', times {margin:g}'}, fitted to each model by itself; "
            "nothing of the test part enters it. A frame above it alarms.",
        ),
        paragraph(
            "Lower plot: score of int8 less that of float, in the same unit. Long recordings are "
            "thinned out for the plot, the figures in the tables are not.",
        ),
    ]


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
        [s > threshold for s in scores]
        for scores, threshold in ((reference, of_float), (int8, of_int8))
    ]
    shares = [formatting.percent(sum(marks) / len(marks)) for marks in alarms]
    same = sum(a == b for a, b in zip(*alarms, strict=True)) / len(int8)
    text = (
        f": alarm at {shares[0]} of the points by float (above {formatting.number(of_float)}), at "
        f"{shares[1]} by int8 (above {formatting.number(of_int8)}); the same verdict at "
        f"{formatting.percent(same)}"
        f"{'' if anomalous is not None else '; not labelled'}."
    )
    return element("figure", plot, element("figcaption", element("b", name), text))
