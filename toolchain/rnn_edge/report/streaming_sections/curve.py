"""What other thresholds would have done."""

from __future__ import annotations

from rnn_edge.report.markup import element, join, paragraph
from rnn_edge.report.plots.canvas import assign, legend
from rnn_edge.report.plots.detection import DetectionCurve, draw_detection
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section

_BEDS = {"noise": "commands in noise", "speech": "commands in other speech"}


def render(root: Node) -> Section:
    """Return a plot for each engine."""
    wanted = root.find("wanted_false_accepts_per_hour")
    lines = assign(list(_BEDS.values()))
    parts = [
        paragraph(
            "All thresholds moved together, by the same log-odds of the mean probability. Rings: "
            "the limits as they are."
            + (
                ""
                if wanted is None
                else f" Dashed: the {wanted.number():g} false accepts per hour that were wanted."
            )
        ),
        legend(lines),
    ]
    for name, found in root.at("engines").entries().items():
        points = found.at("curve").items()
        chosen = next(p for p in points if p.at("moved").number() == 0.0)
        curves = {
            words: DetectionCurve([_point(point, bed) for point in points], _point(chosen, bed))
            for bed, words in _BEDS.items()
        }
        at = "; ".join(f"{words} {100 * curves[words].chosen[1]:.1f} %" for words in curves)
        label = f"Missed words over false accepts per hour, {name}; as it is: {at}"
        least = 1.0 / found.at("background").at("hours").number()
        limit = None if wanted is None else wanted.number()
        plot = draw_detection(f"detection-{name}", label, least, limit, curves, lines)
        parts.append(element("figure", plot, element("figcaption", name)))
    return Section("curve", "Missed words and false accepts", join(*parts))


def _point(point: Node, bed: str) -> tuple[float, float]:
    rate = point.at("false_accepts_per_hour").number()
    return rate, point.at("miss_rate").at(bed).number()
