"""The ranges of the quantized tensors and the room that is left in them."""

from __future__ import annotations

import math

from rnn_edge.report import formatting
from rnn_edge.report.markup import join, paragraph, power_of_two
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table


def render(root: Node) -> Section:
    """Return one row per tensor whose scale was chosen for this model."""
    quantization = root.at("quantization")
    calibration = quantization.at("calibration")
    steps, streams = (calibration.at(key).integer() for key in ("steps", "streams"))
    columns = [
        Column("Tensor", is_number=False),
        Column("Scale"),
        Column("Limit"),
        Column("Largest seen"),
        Column("Headroom, bits"),
        Column("Largest possible"),
        Column("Can saturate", is_number=False),
    ]
    seen = ", ".join(
        f"{name} {formatting.number(value.number())}"
        for name, value in (
            ("input", calibration.at("input_max")),
            ("output", calibration.at("output_max")),
            *calibration.at("cell_max").entries().items(),
        )
    )
    return Section(
        "ranges",
        "Ranges",
        join(
            paragraph(
                f"Calibrated on {formatting.count(streams)} unreset "
                f"stream{'s' * (streams != 1)} of {formatting.count(steps)} steps; the float "
                f"model's largest magnitudes there: {seen}."
            ),
            table(
                "Quantized tensors",
                columns,
                [_row(row) for row in quantization.at("ranges").items()],
            ),
            paragraph(
                "Headroom is log2(limit / largest seen). The largest possible value is a bound "
                "over all inputs; without one, only the format limits the tensor.",
                kind="soft",
            ),
        ),
    )


def _row(row: Node) -> list[str]:
    limit = row.at("limit").number()
    if limit <= 0:
        row.at("limit").fail("a positive number")
    analytic = row.at("analytic").optional_number()
    return [
        row.at("tensor").text(),
        power_of_two(row.at("exponent").integer()),
        formatting.number(limit),
        formatting.number(row.at("calibrated").number()),
        headroom(limit, row.at("calibrated").number()),
        "no bound" if analytic is None else formatting.number(analytic),
        "no" if analytic is not None and analytic <= limit else "yes",
    ]


def headroom(limit: float, largest: float) -> str:
    """Return the bits between a magnitude and the limit of its format, as text."""
    if largest <= 0:
        return formatting.UNDEFINED
    return f"{math.log2(limit / largest):+.1f}".replace("-", formatting.MINUS)
