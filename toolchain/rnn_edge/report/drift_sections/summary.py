"""What one wants to know first: how far off, growing or not, and whether decisions change."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.drift_sections import trends
from rnn_edge.report.drift_sections.reading import clock, hidden_states, states, tensors
from rnn_edge.report.estimates import agreement, agreement_interval, interval, read_estimate, share
from rnn_edge.report.markup import Markup, bullets, element, join
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table
from rnn_edge.report.tiles import tile, tiles


def render(root: Node) -> Section:
    """Return tiles, what they mean in words, and a row per stream."""
    total, streams = root.at("total"), root.at("streams").items()
    return Section(
        "summary",
        "Summary",
        join(
            *_partial(root, total, streams),
            tiles(
                _error(total),
                _trend(total),
                _frames(total),
                _detections(total),
                _first_flip(root, total),
                _steps(root, total),
                is_broad=True,
            ),
            element("h3", "What this says"),
            bullets(_words(root, total)),
            element("h3", "Stream by stream"),
            *_streams(root, total, streams),
            bullets(
                [
                    join(
                        element("b", stream.at("stream").text()),
                        f": {stream.at('description').text()}",
                    )
                    for stream in streams
                ]
            ),
        ),
    )


def _partial(root: Node, total: Node, streams: tuple[Node, ...]) -> list[Markup]:
    """Return banners that name the streams and the analyses which were stopped, or nothing."""
    stopped = [
        f"{stream.at('stream').text()}: {formatting.count(stream.at('steps').integer())} of "
        f"{formatting.count(stream.at('planned_steps').integer())} steps"
        for stream in streams
        if stream.at("is_partial").flag()
    ]
    planned = sum(stream.at("planned_steps").integer() for stream in streams)
    unseen = total.at("planned_steps").integer() - planned
    if unseen > 0:
        stopped.append(f"streams that were not begun: 0 of {formatting.count(unseen)} steps")
    left = root.find("unfinished_analyses")
    names = [each.text() for each in left.items()] if left is not None else []
    return [
        element("div", element("strong", title), bullets(listed), class_="warning")
        for title, listed in (
            ("The replay was stopped before its end:", stopped),
            ("These analyses were stopped before their end:", names),
        )
        if listed
    ]


def _error(total: Node) -> Markup:
    rms = read_estimate(total.at("hidden_rms"))
    return tile(
        "Error of the hidden state, rms",
        formatting.number(rms.value),
        f"{interval(rms)} (95 % interval)",
        "where values lie in −1 to 1",
    )


def _trend(total: Node) -> Markup:
    rows = states(total)
    found = trends.worst(rows.values())
    notes = [
        f"{name}: {trends.verdict(row.at('trend'))}, slope "
        f"{trends.slope_text(read_estimate(row.at('trend').at('slope')))}"
        for name, row in rows.items()
    ]
    return tile("Error over time", found, *notes, kind=trends.KINDS[found])


def _frames(total: Node) -> Markup:
    decisions = total.at("decisions")
    same = read_estimate(decisions.at("agreement"))
    flips = decisions.at("flips").integer()
    return tile(
        "Frames with the same decision",
        agreement(same),
        f"{agreement_interval(same)} (95 % interval)",
        f"{formatting.count(flips)} frame{'s' * (flips != 1)} decided otherwise",
        decisions.at("kind").text(),
    )


def _detections(total: Node) -> Markup:
    found = total.at("detections")
    same = read_estimate(found.at("agreement"))
    notes = [f"{agreement_interval(same)} (95 % interval)", *_events(found)]
    return tile("Detections the same", agreement(same), *notes, found.at("kind").text())


def _events(found: Node) -> list[str]:
    """Return how many events were found, missed and extra; nothing where none are counted."""
    keys = ("reference_events", "engine_events", "missed_events", "extra_events")
    values = [found.at(key).optional_integer() for key in keys]
    if any(value is None for value in values):
        return []
    if not any(values):
        return ["no events in either"]
    reference, engine, missed, extra = (formatting.count(value or 0) for value in values)
    return [f"{engine} events, {reference} of the reference: {missed} missed, {extra} extra"]


def _first_flip(root: Node, total: Node) -> Markup:
    first, detected = (
        total.at(key).at("first_flip").optional_integer() for key in ("decisions", "detections")
    )
    label = "First frame with another decision"
    other = "no detection differs"
    if detected is not None:
        other = f"first other detection at {formatting.count(detected)}: {clock(root, detected)}"
    if first is None:
        steps = formatting.count(total.at("steps").integer())
        return tile(label, "none", f"in {steps} steps", other, kind="good")
    since = "after a reset, counted from 0"
    if total.at("streams").integer() > 1:
        since += ", the earliest of all streams"
    return tile(label, formatting.count(first), f"{clock(root, first)} {since}", other)


def _steps(root: Node, total: Node) -> Markup:
    steps, streams = total.at("steps").integer(), total.at("streams").integer()
    rate = root.at("frame_rate_hz").number()
    notes = [f"{clock(root, steps)} at {rate:.4g} frame{'s' * (rate != 1)} a second"]
    if streams > 1:
        notes.append(f"in {formatting.count(streams)} streams, each reset only at its start")
    else:
        notes.append("one stream, reset only at its start")
    return tile("Steps without a reset", formatting.count(steps), *notes)


def _words(root: Node, total: Node) -> list[str]:
    engine, reference = (root.at(key).text() for key in ("engine", "reference"))
    rms = read_estimate(total.at("hidden_rms"))
    if all(row.at("maximum").number() == 0 for row in tensors(total).values()):
        return [f"{engine} and {reference} are equal in every state and output at every step."]
    relative = [
        f"{share(row.at('relative').number())} of what {name} holds"
        for name, row in hidden_states(total).items()
    ]
    lines = [
        f"The hidden states of {engine} and {reference}, each on its own state, are apart by "
        f"{formatting.number(rms.value)} rms: {', '.join(relative)}."
    ]
    lines += _gains(total)
    lines += [
        f"{name}: {trends.sentence(row.at('trend'))}." for name, row in tensors(total).items()
    ]
    found = total.at("detections")
    rms_score = found.at("score_rms").optional_number()
    if rms_score is not None:
        lines.append(
            f"The scores that detections are made of differ by {formatting.number(rms_score)} "
            f"rms, at most by {formatting.number(found.at('score_maximum').number())}."
        )
    return [*lines, *_alarms(total)]


def _alarms(total: Node) -> list[str]:
    """Return what becomes of false alarms, where something is known of the frames."""
    found = total.find("alarms")
    if found is None:
        return []
    normal = found.at("normal_frames").integer()
    reference, engine = (
        formatting.percent(found.at(key).integer() / max(normal, 1), 3)
        for key in ("reference_false", "engine_false")
    )
    change = found.find("change")
    more = ""
    if change is not None:
        read = read_estimate(change)
        low, high = (formatting.percent(v, 2) for v in (read.low, read.high))
        more = f", a change by {formatting.percent(read.value, 2)} ({low} to {high})"
    events = [formatting.count(found.at(f"{k}_events").integer()) for k in ("reference", "engine")]
    return [
        f"Of {formatting.count(normal)} frames that are known to be normal, {reference} are in "
        f"alarm by the reference and {engine} by the engine, at the same threshold of "
        f"{formatting.number(found.at('threshold').number())}{more}. Counted once each, those are "
        f"{events[0]} and {events[1]} false alarms."
    ]


def _gains(total: Node) -> list[str]:
    """Return what a single step adds to each hidden state, where steps were looked into."""
    local = total.at("details").find("local")
    errors = {
        row.at("tensor").text(): row.at("rms").number() for row in (local.items() if local else ())
    }
    lines = []
    for name, row in hidden_states(total).items():
        if errors.get(name, 0.0) > 0:
            gain = read_estimate(row.at("rms")).value / errors[name]
            lines.append(
                f"A single step, begun from the reference's own state, adds "
                f"{formatting.number(errors[name])} rms to {name}; the closed loop makes that "
                f"{formatting.number(gain)} times as large."
            )
    return lines


def _streams(root: Node, total: Node, streams: tuple[Node, ...]) -> list[Markup]:
    shown = [*streams, total] if len(streams) > 1 else list(streams)
    error = [
        Column("Stream", is_number=False),
        Column("Steps"),
        Column("Time"),
        Column("Hidden state, rms"),
        Column("States with time", is_number=False),
    ]
    decisions = [
        Column("Stream", is_number=False),
        Column("Same decision"),
        Column("Frames otherwise"),
        Column("First at step"),
        Column("Same detection"),
        Column("Events: reference / engine"),
        Column("Missed / extra"),
    ]
    return [
        table("Error of each stream", error, [_error_row(root, stream) for stream in shown]),
        table("Decisions of each stream", decisions, [_decision_row(stream) for stream in shown]),
    ]


def _error_row(root: Node, stream: Node) -> list[str]:
    steps = stream.at("steps").integer()
    rms = read_estimate(stream.at("hidden_rms"))
    return [
        stream.at("stream").text(),
        formatting.count(steps),
        clock(root, steps),
        join(formatting.number(rms.value), element("small", interval(rms))),
        trends.coloured(trends.worst(states(stream).values())),
    ]


def _decision_row(stream: Node) -> list[str]:
    decisions, found = stream.at("decisions"), stream.at("detections")
    same, detected = (read_estimate(node.at("agreement")) for node in (decisions, found))
    first = decisions.at("first_flip").optional_integer()
    return [
        stream.at("stream").text(),
        join(agreement(same), element("small", agreement_interval(same))),
        formatting.count(decisions.at("flips").integer()),
        formatting.UNDEFINED if first is None else formatting.count(first),
        join(agreement(detected), element("small", agreement_interval(detected))),
        _two(found, "reference_events", "engine_events"),
        _two(found, "missed_events", "extra_events"),
    ]


def _two(found: Node, first: str, second: str) -> str:
    values = [found.at(key).optional_integer() for key in (first, second)]
    shown = [formatting.UNDEFINED if v is None else formatting.count(v) for v in values]
    return " / ".join(shown)
