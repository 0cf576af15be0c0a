"""What is better and what is worse, in words, and what keeps two results from being compared."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.comparison_sections.judging import Change, Row, rows_of
from rnn_edge.report.comparison_sections.pair import Pair, obstacles
from rnn_edge.report.drift_sections import trends
from rnn_edge.report.drift_sections.reading import states
from rnn_edge.report.estimates import agreement, interval, read_estimate
from rnn_edge.report.markup import Markup, bullets, element, join, paragraph
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tiles import tile, tiles


def render(pair: Pair) -> Section:
    """Return notes on what cannot be compared, tiles, and what changed."""
    rows = rows_of(pair)
    return Section(
        "summary",
        "Summary",
        join(
            *_notes(pair),
            tiles(
                *(
                    _tile(name, root.at("total"))
                    for name, root in zip(pair.names, pair.both, strict=True)
                )
            ),
            paragraph(_headline(pair)),
            *_listed("Better in B", rows, Change.BETTER, is_told=True),
            *_listed("Worse in B", rows, Change.WORSE, is_told=True),
            *_listed("Cannot be told apart", rows, Change.CHANCE, is_told=False),
        ),
    )


def _notes(pair: Pair) -> list[Markup]:
    found = obstacles(pair)
    if not found:
        return [
            paragraph(
                "Both were measured on the same streams, over the same steps, against the same "
                "kind of reference: differences are those of the models and engines."
            )
        ]
    return [
        element(
            "div",
            element("strong", "Not comparable without care:"),
            bullets(found),
            class_="warning",
        )
    ]


def _tile(name: str, total: Node) -> Markup:
    rms = read_estimate(total.at("hidden_rms"))
    same, detected = (
        agreement(read_estimate(total.at(key).at("agreement")))
        for key in ("decisions", "detections")
    )
    return tile(
        f"{name}, error of the hidden state, rms",
        formatting.number(rms.value),
        f"{interval(rms)} (95 % interval)",
        f"with time: {trends.worst(states(total).values())}",
        f"same decision at {same} of the frames, same detection at {detected}",
        f"{formatting.count(total.at('steps').integer())} steps",
    )


def _headline(pair: Pair) -> str:
    """Return how far the hidden state of B is off beside that of A."""
    one, other = (read_estimate(root.at("total").at("hidden_rms")) for root in pair.both)
    shown = [formatting.number(each.value) for each in (other, one)]
    if one.value <= 0:
        return f"The hidden state of B is off by {shown[0]} rms, that of A not at all."
    ratio = formatting.number(other.value / one.value)
    chance = (
        "the 95 % intervals overlap, so that this may be chance"
        if one.overlaps(other)
        else "the 95 % intervals do not overlap, so that this is more than chance"
    )
    care = " Read it with the notes above." if obstacles(pair) else ""
    return (
        f"The hidden state of B is off by {shown[0]} rms, that of A by {shown[1]}: B drifts "
        f"{ratio} times as far; {chance}.{care}"
    )


def _listed(title: str, rows: list[Row], change: Change, *, is_told: bool) -> list[Markup]:
    """Return the measures that changed in one way, as far as intervals say so; or nothing."""
    found = [row for row in rows if row.change is change and row.has_interval]
    if not found:
        return []
    items = [_sentence(row) if is_told else element("code", row.name) for row in found]
    if not is_told:
        return [element("h3", title), paragraph(*_separated(items))]
    return [element("h3", title), bullets(items)]


def _sentence(row: Row) -> Markup:
    amount = "" if row.difference == formatting.UNDEFINED else f" ({row.difference})"
    return join(element("code", row.name), f": {row.values[1]} against {row.values[0]}{amount}")


def _separated(items: list[Markup]) -> list[str]:
    parts: list[str] = []
    for item in items:
        parts += [", ", item] if parts else [item]
    return parts
