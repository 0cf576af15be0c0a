"""How far the quantized models move away from the float model when nothing resets them."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import Markup, element, join, paragraph
from rnn_edge.report.plots.canvas import assign, legend
from rnn_edge.report.plots.drift import draw_drift
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table


def render(root: Node) -> Section:
    """Return drift over time and its size by tensor."""
    reports = root.at("drift").items()
    if not reports:
        return Section("drift", "Drift", paragraph("Drift was not measured."))
    lines = assign([report.at("name").text() for report in reports])
    tensors = dict.fromkeys(
        row.at("tensor").text() for report in reports for row in report.at("rows").items()
    )
    plots = [_figure(tensor, k, reports) for k, tensor in enumerate(tensors)]
    return Section(
        "drift",
        "Drift",
        join(
            paragraph(
                "Root mean square error against the float model, each on its own state, over a "
                "stream that is never reset. A point is the error since the point before it. A "
                "flat end means that the error does not build up."
            ),
            paragraph(
                "Each model is compared with the float run of the weights it was rounded from: "
                '"int8 after training" with the student, "int8" with the fine-tuned weights. '
                "Fine-tuning draws weights onto the int8 grid, so that what remains is the "
                'rounding of activations and state. "int8 against the student" compares with the '
                "float student before fine-tuning: another trajectory of another model, which "
                "says how far fine-tuning has moved, not how badly it rounds."
            ),
            legend(lines),
            element("div", *plots, class_="plots"),
            _summary(reports, with_agreement=root.at("task").text() == "kws"),
            _tensors(reports),
        ),
    )


def _figure(tensor: str, index: int, reports: tuple[Node, ...]) -> Markup:
    curves = {}
    for report in reports:
        for row in report.at("rows").items():
            if row.at("tensor").text() == tensor:
                curves[report.at("name").text()] = [p.pair() for p in row.at("curve").items()]
    names = [report.at("name").text() for report in reports]
    plot = draw_drift(f"drift{index}", f"Drift of {tensor}", curves, assign(names))
    return element("figure", plot, element("figcaption", element("b", tensor), _meaning(tensor)))


def _meaning(tensor: str) -> str:
    kinds = {"h": "hidden state", "c": "cell state"}
    if tensor == "y":
        return ": outputs"
    kind, layer = kinds.get(tensor[:1]), tensor[1:]
    return f": {kind} of layer {layer}" if kind and layer.isdecimal() else ""


def _summary(reports: tuple[Node, ...], with_agreement: bool) -> Markup:
    columns = [
        Column("Model", is_number=False),
        Column("Steps, never reset"),
        Column("Hidden state, rms"),
    ]
    columns += [Column("Same decision as float")] * with_agreement
    rows = [
        [
            report.at("name").text(),
            formatting.count(report.at("steps").integer()),
            formatting.number(report.at("hidden_rms").number()),
            *[formatting.percent(report.at("agreement").number(), 2)] * with_agreement,
        ]
        for report in reports
    ]
    return table("Drift by model", columns, rows)


def _tensors(reports: tuple[Node, ...]) -> Markup:
    columns = [
        Column("Tensor", is_number=False),
        Column("Model", is_number=False),
        Column("Error, rms"),
        Column("Largest error"),
        Column("Relative to the tensor's rms"),
    ]
    rows = [
        [
            row.at("tensor").text(),
            report.at("name").text(),
            formatting.number(row.at("rms").number()),
            formatting.number(row.at("maximum").number()),
            formatting.percent(row.at("relative").number(), 2),
        ]
        for report in reports
        for row in report.at("rows").items()
    ]
    return table("Drift by tensor", columns, rows)
