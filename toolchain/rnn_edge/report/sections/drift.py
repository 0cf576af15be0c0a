"""How far the quantized models move away from the float model when nothing resets them."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import Markup, element, join, paragraph
from rnn_edge.report.plots.canvas import assign, legend
from rnn_edge.report.plots.drift import draw_drift
from rnn_edge.report.reader import Node, named
from rnn_edge.report.sections.base import Section
from rnn_edge.report.sections.metrics import INT8
from rnn_edge.report.tables import Column, table
from rnn_edge.report.tensors import meaning

_OUTPUTS = {
    True: "outputs, one for each class, as the model gives them",
    False: "outputs, the forecast of each channel in standard deviations of the training part",
}
"""What the outputs are, by whether they are of keywords."""


def render(root: Node) -> Section:
    """Return drift over time and its size by tensor."""
    reports = root.at("drift").items()
    if not reports:
        return Section("drift", "Drift", paragraph("Drift was not measured."))
    lines = assign([report.at("name").text() for report in reports])
    tensors = dict.fromkeys(
        row.at("tensor").text() for report in reports for row in report.at("rows").items()
    )
    is_keywords = root.at("task").text() == "kws"
    outputs = _OUTPUTS[is_keywords]
    plots = [_figure(tensor, k, reports, outputs) for k, tensor in enumerate(tensors)]
    return Section(
        "drift",
        "Drift",
        join(
            paragraph(
                "Root mean square (rms) error of each quantized model against a float run, each "
                "on its own state, over a stream that is never reset. A point is the error since "
                "the point before it. A curve that ends flat says that the error does not build "
                "up over this stream; one that still rises, that the stream is too short to tell."
            ),
            paragraph(
                "Each model is compared with the float run of the weights it was rounded from: "
                '"int8 after training" with the student, "int8" with the fine-tuned weights. '
                '"int8 against the student" compares with the float student before fine-tuning, '
                "and holds what fine-tuning changed besides what rounding did."
            ),
            *_comparison(root),
            legend(lines),
            element("div", *plots, class_="plots"),
            _summary(reports, with_agreement=is_keywords),
            _tensors(reports),
        ),
    )


def _comparison(root: Node) -> list[Markup]:
    """Return how far the two int8 models are from their own float runs, as measured."""
    early, final = (named(root.at("drift"), name) for name in ("int8 after training", INT8))
    if early is None or final is None:
        return []
    before, after = (node.at("hidden_rms").number() for node in (early, final))
    if before <= 0:
        return []
    return [
        paragraph(
            f"In this build the hidden state of int8 is off by {formatting.number(after)} rms, "
            f"that of int8 after training by {formatting.number(before)}: fine-tuned weights "
            f"drift {_how_far(after / before)}."
        )
    ]


def _how_far(ratio: float) -> str:
    """Say how far from their float run fine-tuned weights drift, beside those after training."""
    shown = formatting.number(ratio, 2)
    if shown == formatting.number(1.0, 2):
        return "as far from their float run as those after training"
    return f"{shown} times as far from their float run"


def _figure(tensor: str, index: int, reports: tuple[Node, ...], outputs: str) -> Markup:
    curves = {}
    for report in reports:
        for row in report.at("rows").items():
            if row.at("tensor").text() == tensor:
                curves[report.at("name").text()] = [p.pair() for p in row.at("curve").items()]
    names = [report.at("name").text() for report in reports]
    plot = draw_drift(
        f"drift{index}", f"Drift of {tensor}", f"rms error of {tensor}", curves, assign(names)
    )
    return element(
        "figure", plot, element("figcaption", element("b", tensor), meaning(tensor, outputs))
    )


def _summary(reports: tuple[Node, ...], with_agreement: bool) -> Markup:
    columns = [
        Column("Model", is_number=False),
        Column("Steps, never reset"),
        Column("Hidden state, rms (of −1 to 1)"),
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
        Column("Error / rms of the tensor"),
        Column("End of the curve / a tenth of it"),
    ]
    rows = [
        [
            row.at("tensor").text(),
            report.at("name").text(),
            formatting.number(row.at("rms").number()),
            formatting.number(row.at("maximum").number()),
            formatting.percent(row.at("relative").number(), 2),
            _growth(row),
        ]
        for report in reports
        for row in report.at("rows").items()
    ]
    return join(
        table("Drift by tensor", columns, rows),
        paragraph(
            "The last column divides the error at the end of the stream by that after a tenth of "
            "it: near 1 or below, the error does not build up.",
            kind="soft",
        ),
    )


def _growth(row: Node) -> str:
    """Return the last error of a curve over that at a tenth of its steps."""
    points = [point.pair() for point in row.at("curve").items()]
    if not points:
        return formatting.UNDEFINED
    end, last = points[-1]
    first = next(error for step, error in points if step >= end / 10)
    return f"{formatting.number(last / first, 3)}×" if first > 0 else formatting.UNDEFINED
