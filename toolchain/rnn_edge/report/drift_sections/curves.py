"""The error of every tensor along every stream, and a figure for each tensor."""

from __future__ import annotations

from collections.abc import Mapping

from rnn_edge.report import formatting
from rnn_edge.report.drift_sections import trends
from rnn_edge.report.drift_sections.reading import tensors
from rnn_edge.report.estimates import interval, read_estimate, share
from rnn_edge.report.markup import Markup, element, join, paragraph
from rnn_edge.report.plots.bands import Point, draw_bands
from rnn_edge.report.plots.canvas import PALETTE, Line, assign, legend
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table
from rnn_edge.report.tensors import meaning

OUTPUTS = "the outputs as the model gives them"
_TOTAL = Line("#7a8691", width=4.5, opacity=0.45)


def render(root: Node) -> Section:
    """Return a plot per tensor with a line per stream, and the figures as a table."""
    total, streams = root.at("total"), root.at("streams").items()
    named = {stream.at("stream").text(): stream for stream in streams}
    curves, lines = {}, {}
    if len(streams) > 1:
        # Painted first, wide and pale: what single streams do stays visible on it.
        curves[total.at("stream").text()] = total
        lines[total.at("stream").text()] = _TOTAL
    if len(streams) <= len(PALETTE):
        curves |= named
        lines |= assign(list(named))
    figures = [
        figure(f"curve{k}", tensor, curves, lines) for k, tensor in enumerate(tensors(total))
    ]
    return Section(
        "curves",
        "Drift over time",
        join(
            paragraph(
                "Root mean square (rms) error since the last reset, both axes logarithmic: a "
                "point is the error of a stretch of the stream, the band holds nine of ten of its "
                "steps (5th to 95th percentile). A flat end is a plateau; a straight rise goes on."
            ),
            legend(lines),
            element("div", *figures, class_="plots wide"),
            _table(total, streams),
        ),
    )


def figure(
    prefix: str, tensor: str, streams: Mapping[str, Node], lines: Mapping[str, Line]
) -> Markup:
    """Return the curves of one tensor.

    Args:
        prefix: Unique in the page.
        tensor: Its name; streams without it have no line.
        streams: By the name of the line.
        lines: How to draw each.
    """
    curves = {
        name: [
            Point(
                point.at("step").integer(),
                *(point.at(key).number() for key in ("rms", "low", "high")),
            )
            for point in rows[tensor].at("curve").items()
        ]
        for name, rows in ((name, tensors(stream)) for name, stream in streams.items())
        if tensor in rows
    }
    if not any(point.rms > 0 for points in curves.values() for point in points):
        # A logarithmic axis has no place for it, and an empty plot would look like a fault.
        return element("figure", element("figcaption", element("b", tensor), ": no error at all."))
    last = [
        f"{name} {formatting.number(points[-1].rms)} at step {formatting.count(points[-1].step)}"
        for name, points in curves.items()
        if points
    ]
    label = f"Error of {tensor} over time; at the end: {', '.join(last) or 'no points'}"
    plot = draw_bands(prefix, label, f"rms error of {tensor}", curves, lines)
    caption = element("figcaption", element("b", tensor), meaning(tensor, OUTPUTS))
    return element("figure", plot, caption)


def _table(total: Node, streams: tuple[Node, ...]) -> Markup:
    columns = [
        Column("Tensor", is_number=False),
        Column("Stream", is_number=False),
        Column("Error, rms"),
        Column("Largest error"),
        Column("Error / rms of the tensor"),
        Column("With time, slope", is_number=False, is_wide=True),
    ]
    shown = [*streams, total] if len(streams) > 1 else list(streams)
    rows = []
    for tensor in tensors(total):
        for stream in shown:
            row = tensors(stream).get(tensor)
            if row is not None:
                rows.append([tensor, stream.at("stream").text(), *_cells(row)])
    return table("Error by tensor and stream", columns, rows)


def _cells(row: Node) -> list[str]:
    rms, trend = read_estimate(row.at("rms")), row.at("trend")
    return [
        join(formatting.number(rms.value), element("small", interval(rms))),
        formatting.number(row.at("maximum").number()),
        share(row.at("relative").number()),
        trends.cell(trend),
    ]
