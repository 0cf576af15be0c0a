"""The parts of the page, in their order; each renders None where the task has no such part."""

from __future__ import annotations

from collections.abc import Callable

from rnn_edge.report.reader import Node
from rnn_edge.report.sections import (
    baselines,
    confusion,
    data,
    drift,
    exports,
    fused,
    headline,
    latency,
    models,
    not_run,
    parity,
    ranges,
    scores,
    training,
)
from rnn_edge.report.sections.base import Section

SECTIONS: tuple[Callable[[Node], Section | None], ...] = (
    headline.render,
    models.render,
    baselines.render,
    confusion.render,
    scores.render,
    drift.render,
    parity.render,
    fused.render,
    latency.render,
    ranges.render,
    exports.render,
    training.render,
    data.render,
    not_run.render,
)

__all__ = ["SECTIONS", "Section"]
