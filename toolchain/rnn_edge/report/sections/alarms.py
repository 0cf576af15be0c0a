"""What a score of anomalies is, where its threshold comes from, and when an alarm is raised."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import Markup, element, paragraph
from rnn_edge.report.reader import Node

DAY_S = 86_400.0


def definition(root: Node) -> list[Markup]:
    """Return the paragraphs that stand above the plots of scores."""
    detector, rate = root.at("detector"), root.at("frame_rate_hz").number()
    smoothing, limit = (detector.at(key).number() for key in ("smoothing_frames", "score_limit"))
    warmup = detector.at("warmup_frames").integer()
    seconds = formatting.duration(smoothing / rate)
    counted = "Each of them" if _is_white(detector) else "A channel"
    return [
        paragraph(
            element("b", "Score"),
            f": {_score(root)} It has no unit; {_one(root)}. {counted} counts up to {limit:g}. "
            f"Smoothed exponentially over {smoothing:g} frames ({seconds}); the "
            f"first {formatting.count(warmup)} frames after a start score 0.",
        ),
        paragraph(
            element("b", "Threshold"),
            f": {_threshold(root)}; nothing of the test part enters it"
            f"{' but the frames that a recording is commissioned with' * _is_own(root)}.",
        ),
        paragraph(element("b", "Alarm"), f": {_alarm(detector)}"),
        paragraph(
            "Lower plot: score of int8 less that of float, in the same unit. Long recordings are "
            "thinned out for the plot, the figures in the tables are not.",
        ),
    ]


def _is_white(detector: Node) -> bool:
    return detector.at("score").text() == "covariance"


def _is_own(root: Node) -> bool:
    return root.at("is_commissioned").flag()


def _one(root: Node) -> str:
    if _is_own(root):
        return "1 is the threshold of the recording, which its first frames give"
    return "1 is the mean of normal operation"


def _score(root: Node) -> str:
    offsets = [item.integer() for item in root.at("offsets").items()]
    error, over = "squared forecast error", "channels"
    if offsets != [1]:
        times = ", ".join(f"t{offset:+d}" if offset else "t" for offset in offsets)
        error = f"squared error of the outputs, which stand for the frames {times}"
        over = "channels and frames"
    if _is_white(root.at("detector")):
        return (
            f"mean over the {over} of the {error}, after their covariance in normal operation "
            "(the validation part) was taken out: errors that usually go together do not count "
            "twice, and one without the other counts."
        )
    return (
        f"mean over the {over} of the {error}, each channel divided by its "
        "mean squared error in normal operation (the validation part)."
    )


def _threshold(root: Node) -> str:
    detector = root.at("detector")
    if detector.at("method").text() == "quantile":
        quantile, margin = (detector.at(key).number() for key in ("quantile", "margin"))
        return (
            f"the {100 * quantile:g}{formatting.SPACE}% quantile of the scores of the validation "
            f"part{'' if margin == 1 else f', times {margin:g}'}, fitted to each model by itself"
        )
    wanted = detector.at("false_alarms_per_day").number()
    quantile = detector.at("peak_quantile").number()
    return (
        f"the height that {wanted:g} peaks a day exceed, by the generalised Pareto distribution "
        f"of the peaks above the {100 * quantile:g}{formatting.SPACE}% quantile of the scores of "
        f"the validation part, fitted to each model by itself{_reach(root, wanted)}"
    )


def _reach(root: Node, wanted: float) -> str:
    """Return how far the threshold lies beyond what was seen."""
    tail = root.at("tails").find("int8")
    if tail is None:
        return ""
    seconds, peaks = tail.at("seconds").number(), tail.at("peaks").integer()
    times = DAY_S / wanted / seconds
    said = (
        f"an extrapolation to {formatting.number(times)} times as long"
        if times > 1.0
        else "which lies within it"
    )
    return (
        f" (of int8, {formatting.count(peaks)} peaks in {formatting.duration(seconds)}, shape "
        f"{formatting.number(tail.at('shape').number())}; one in "
        f"{formatting.duration(DAY_S / wanted)} is wanted, {said})"
    )


def _alarm(detector: Node) -> str:
    least, last = (detector.at(key).integer() for key in ("least_frames", "release_frames"))
    release = formatting.percent(detector.at("release").number(), 0)
    return (
        f"begins with {_frames(least)} above the threshold and ends with {_frames(last)} at or "
        f"below {release} of it."
    )


def _frames(count: int) -> str:
    return "a frame" if count == 1 else f"{formatting.count(count)} frames on end"
