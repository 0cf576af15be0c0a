"""The parts of the page of detections in continuous sound, in their order."""

from __future__ import annotations

from collections.abc import Callable

from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.streaming_sections import conditions, curve, keywords, material, summary

STREAMING_SECTIONS: tuple[Callable[[Node], Section], ...] = (
    summary.render,
    curve.render,
    conditions.render,
    keywords.render,
    material.render,
)

__all__ = ["STREAMING_SECTIONS"]
