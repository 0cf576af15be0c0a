"""What the sound is made of, and what that means for the figures."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import join, paragraph
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table


def render(root: Node) -> Section:
    """Return how much sound differs, of the test and of the calibration."""
    data = root.at("data")
    parts = {"measured on": data}
    calibration = root.find("calibration")
    if calibration is not None:
        parts["calibrated on"] = calibration
    cells = [
        [
            name,
            _noise(part.at("distinct_seconds").at("noise").number()),
            formatting.duration(part.at("distinct_seconds").at("speech").number()),
            formatting.duration(60 * part.at("mixtures").at("minutes").number()),
        ]
        for name, part in parts.items()
    ]
    columns = [
        Column("Sound", is_number=False),
        Column("Noise that differs"),
        Column("Other words that differ"),
        Column("Each of both, without commands"),
    ]
    extra = data.find("noise")
    noise = "" if extra is None else f", with noise of {extra.text()}"
    body = join(
        paragraph(f"{data.at('source').text()}{noise}. What is calibrated on is not measured on."),
        table("Material", columns, cells),
        paragraph(
            "Longer sound than differs repeats it in another order and at another level: "
            "intervals take every false accept as independent, and are too narrow by that."
        ),
    )
    return Section("material", "Material", body)


def _noise(seconds: float) -> str:
    return formatting.duration(seconds) if seconds else "none recorded: generated"
