"""The parts of the page of a run, in their order."""

from __future__ import annotations

from collections.abc import Callable

from rnn_edge.report.reader import Node
from rnn_edge.report.run_sections import counts, decisions, picture, summary
from rnn_edge.report.sections.base import Section

RUN_SECTIONS: tuple[Callable[[Node], Section | None], ...] = (
    summary.render,
    picture.render,
    decisions.render,
    counts.render,
)

__all__ = ["RUN_SECTIONS"]
