"""What turns outputs into decisions, and how that was chosen."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.card.blocks import Block, Items, Part, Table, Words
from rnn_edge.report.card.quality import SHIPPED_FLOAT
from rnn_edge.report.reader import Node, named
from rnn_edge.report.sections.metrics import FLOAT, INT8, is_judged, model_metrics

LIMITS = "keyword_limits"
"""Of the calibrated limits of keywords, beside what a report holds."""

_TITLE = "Thresholds"
_FULL_SCALE = 32_768.0
_DAY_S = 86_400.0
_QUANTILE_KEYS = ("quantile", "margin")
_PEAK_KEYS = ("peak_quantile", "false_alarms_per_day", "cluster_frames")
"""Of `[detector]`, what only one of the methods reads."""


def part(root: Node) -> Part:
    """Return thresholds and where they come from."""
    return _keywords(root) if root.at("task").text() == "kws" else _alarms(root)


def _alarms(root: Node) -> Part:
    detector = {name: node.value for name, node in root.at("detector").entries().items()}
    lines = [f"Chosen on normal validation material only: {_method(detector)}."]
    if is_judged(root):
        names = (INT8, SHIPPED_FLOAT, FLOAT)
        for name in [n for n in names if named(root.at("models"), n) is not None][:2]:
            value = model_metrics(root, name).at("threshold").number()
            lines.append(f"Threshold of {name}: {formatting.number(value)}")
    lines += _reach(root, detector)
    samples = root.at("card").find("commission_samples")
    if samples is not None and samples.integer():
        lines.append(
            "Each recording is commissioned on its first "
            f"{formatting.count(samples.integer())} samples, which have to be normal: normaliser "
            "and threshold are its own, and scores are told in units of it"
        )
    unread = _unread(detector)
    rows = tuple(
        (name, _value(value)) for name, value in sorted(detector.items()) if name not in unread
    )
    settings = Table("Detector", ("Key", "Value"), rows, numbers=False)
    return Part(_TITLE, (Items(tuple(lines)), settings))


def _unread(detector: dict[str, object]) -> set[str]:
    """Return the keys that the chosen method and score do not read."""
    is_peaks = detector.get("method", "quantile") == "peaks"
    unread = set(_QUANTILE_KEYS if is_peaks else _PEAK_KEYS)
    if detector.get("score", "variance") == "variance":
        unread.add("shrinkage")
    return unread


def _method(detector: dict[str, object]) -> str:
    """Return how the threshold is chosen, in words."""
    if detector.get("method", "quantile") == "peaks":
        return (
            f"peaks over threshold, for {_value(detector.get('false_alarms_per_day'))} false "
            f"alarms per day, from the peaks above the {_value(detector.get('peak_quantile'))} "
            "quantile of the smoothed score"
        )
    return (
        f"the {_value(detector.get('quantile'))} quantile of the smoothed score, times "
        f"{_value(detector.get('margin'))}"
    )


def _reach(root: Node, detector: dict[str, object]) -> list[str]:
    """Return how far a threshold lies beyond what was seen, where it was fitted to peaks."""
    tails, wanted = root.find("tails"), detector.get("false_alarms_per_day")
    tail = None if tails is None else tails.find(INT8)
    if tail is None or not isinstance(wanted, int | float):
        return []
    seconds = tail.at("seconds").number()
    times = _DAY_S / wanted / seconds
    said = (
        f"extrapolated to {formatting.number(times)} times as long" if times > 1.0 else "within it"
    )
    return [
        f"Fitted to {formatting.count(tail.at('peaks').integer())} peaks in "
        f"{formatting.duration(seconds)} of normal signal; one alarm in "
        f"{formatting.duration(_DAY_S / wanted)} is wanted: {said}"
    ]


def _value(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, int | float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(_value(each) for each in value)
    return str(value)


def _keywords(root: Node) -> Part:
    limits, card = root.find(LIMITS), root.at("card")
    if limits is None:
        rule = card.at("keyword_rule")
        threshold = formatting.number(rule.at("threshold").number())
        frames = rule.at("smoothing_frames").integer()
        text = (
            f"The same for all keywords: a mean probability of {threshold} over {frames} frames. "
            "They were not calibrated: rnn-edge evaluate BUNDLE --streaming --calibrate RATE "
            "chooses them for a rate of false accepts, on the validation part."
        )
        return Part(_TITLE, (Words(text),))
    wanted = formatting.number(limits.at("false_accepts_per_hour").number())
    blocks: list[Block] = [
        Words(
            f"Chosen on the validation part, for {wanted} false accepts per hour in sound without "
            "commands; kept in detections.json."
        )
    ]
    rows = []
    for row in limits.at("keywords").items():
        frames_node = row.find("frames")
        if frames_node is not None:
            frames = frames_node.integer()
            mean = row.at("threshold").integer() / (frames * _FULL_SCALE)
            rows.append(
                (
                    row.at("label").text(),
                    formatting.count(frames),
                    formatting.number(mean),
                    formatting.count(row.at("least_frames").integer()),
                    formatting.count(row.at("refractory_frames").integer()),
                )
            )
    columns = ("Keyword", "Frames", "Mean probability", "Least frames", "Frames until the next")
    blocks.append(Table("Limits", columns, tuple(rows)))
    return Part(_TITLE, (*blocks, *_reached(limits.at("reached"))))


def _reached(found: Node) -> list[Block]:
    """Return what became of the material that the limits were chosen on."""
    lines = []
    commands, background = found.at("commands"), found.at("background")
    interval = commands.at("miss_rate_interval")
    if interval.value is not None:
        missed = formatting.percent(commands.at("miss_rate").number())
        lines.append(
            f"Commands missed on that material: {missed} "
            f"({formatting.percent_range(*interval.pair())}) of "
            f"{formatting.count(commands.at('words').integer())}"
        )
    rate = background.at("false_accepts_per_hour").number()
    low, high = background.at("false_accepts_per_hour_interval").pair()
    lines.append(
        f"False accepts per hour on that material: {formatting.number(rate)} "
        f"({formatting.number(low)} to {formatting.number(high)}) over "
        f"{formatting.number(background.at('hours').number())} hours"
    )
    return [Items(tuple(lines))]
