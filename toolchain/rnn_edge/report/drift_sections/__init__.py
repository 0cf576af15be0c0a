"""The parts of the page of a drift result, in their order; None where there is no such part."""

from __future__ import annotations

from collections.abc import Callable

from rnn_edge.report.drift_sections import (
    attribution,
    curves,
    details,
    heat,
    parity,
    recommendations,
    resets,
    stability,
    summary,
)
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section

DRIFT_SECTIONS: tuple[Callable[[Node], Section | None], ...] = (
    summary.render,
    curves.render,
    heat.render,
    details.render,
    stability.render,
    attribution.render,
    recommendations.render,
    resets.render,
    parity.render,
)

__all__ = ["DRIFT_SECTIONS"]
