"""The parts of the page of a profile, in their order; None where there is no such part."""

from __future__ import annotations

from collections.abc import Callable

from rnn_edge.report.profile_sections import (
    conditions,
    distributions,
    emulated,
    memory,
    real_time,
    summary,
    timeline,
)
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section

PROFILE_SECTIONS: tuple[Callable[[Node], Section | None], ...] = (
    summary.render,
    emulated.render,
    distributions.render,
    real_time.render,
    memory.render,
    timeline.render,
    conditions.render,
)

__all__ = ["PROFILE_SECTIONS"]
