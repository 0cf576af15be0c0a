"""How training went."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import Markup, element, join, paragraph
from rnn_edge.report.plots.canvas import assign, legend
from rnn_edge.report.plots.curves import draw_curves
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table

_MEANINGS = {
    "loss": ": of training, mean since the point before",
    "score": ": on the validation part; it chooses the weights",
    "fresh": ": validation, the state reset before each sequence",
    "carried": ": validation, the state never reset",
}
"""What a curve shows, where its name alone does not say it."""


def render(root: Node) -> Section:
    """Return the training runs: what each reached and its curves."""
    runs = root.at("training").items()
    if not runs:
        return Section("training", "Training", paragraph("No model was trained in this build."))
    names = [run.at("name").text() for run in runs]
    curves: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for name, run in zip(names, runs, strict=True):
        for curve, points in run.at("curves").entries().items():
            curves.setdefault(curve, {})[name] = [point.pair() for point in points.items()]
    figures = [
        element(
            "figure",
            draw_curves(f"training{k}", f"Training curve: {curve}", by_run, assign(names)),
            element("figcaption", element("b", curve), _MEANINGS.get(curve, "")),
        )
        for k, (curve, by_run) in enumerate(curves.items())
    ]
    return Section(
        "training",
        "Training",
        join(_table(runs), legend(assign(names)), element("div", *figures, class_="plots")),
    )


def _table(runs: tuple[Node, ...]) -> Markup:
    columns = [
        Column("Model", is_number=False),
        Column("Measure", is_number=False),
        Column("Best"),
        Column("At step"),
        Column("Parameters"),
    ]
    rows = [
        [
            run.at("name").text(),
            run.at("metric").text(),
            formatting.number(run.at("best").optional_number(), 4),
            formatting.count(run.at("best_step").integer()),
            formatting.count(run.at("parameters").integer()),
        ]
        for run in runs
    ]
    return table("Best step of each training run, the one that was kept", columns, rows)
