"""The parts of the page that compares two drift results, in their order."""

from __future__ import annotations

from collections.abc import Callable

from rnn_edge.report.comparison_sections import causes, curves, measures, streams, summary
from rnn_edge.report.comparison_sections.pair import Pair
from rnn_edge.report.sections.base import Section

COMPARISON_SECTIONS: tuple[Callable[[Pair], Section], ...] = (
    summary.render,
    measures.render,
    curves.render,
    streams.render,
    causes.render,
)

__all__ = ["COMPARISON_SECTIONS"]
