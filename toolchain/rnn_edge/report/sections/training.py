"""How training went."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import Markup, element, join, paragraph
from rnn_edge.report.plots.canvas import assign, legend
from rnn_edge.report.plots.curves import draw_curves
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table

_CURVES = ("loss", "score", "fresh", "carried")
"""In the order in which they are shown; others follow."""
_MEANINGS = {
    "loss": "loss of training, mean since the point before; each run minimises a loss of its own, "
    "so that runs cannot be compared by it",
    "score": "on the validation part; it chooses the weights that are kept",
    "fresh": "on the validation part, the state reset before each sequence",
    "carried": "on the validation part, the state never reset",
}
"""What a curve shows."""
_NEGATIVE = "negative "
"""A measure of which more is better is written so where less of it is."""


def render(root: Node) -> Section:
    """Return the training runs: what each reached and its curves."""
    runs = root.at("training").items()
    if not runs:
        return Section("training", "Training", paragraph("No model was trained in this build."))
    names = [run.at("name").text() for run in runs]
    curves: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for name, run in zip(names, runs, strict=True):
        sign, _ = _measure(run)
        for curve, points in run.at("curves").entries().items():
            factor = 1.0 if curve == "loss" else sign
            curves.setdefault(curve, {})[name] = [
                (step, factor * value) for step, value in (point.pair() for point in points.items())
            ]
    _, measure = _measure(runs[0])
    ordered = [c for c in _CURVES if c in curves] + [c for c in curves if c not in _CURVES]
    figures = [
        element(
            "figure",
            draw_curves(
                f"training{k}",
                f"Training curve: {curve}",
                "training loss" if curve == "loss" else measure,
                curves[curve],
                assign(names),
            ),
            element("figcaption", element("b", curve), f": {_MEANINGS.get(curve, measure)}."),
        )
        for k, curve in enumerate(ordered)
    ]
    return Section(
        "training",
        "Training",
        join(
            paragraph(_explained(measure)),
            _table(runs),
            legend(assign(names), has_dots=True),
            element("div", *figures, class_="plots"),
        ),
    )


def _measure(run: Node) -> tuple[float, str]:
    """Return the sign that makes a run's measure read as it is called, and what it is called."""
    measure = run.at("metric").text()
    if measure.startswith(_NEGATIVE):
        return -1.0, measure.removeprefix(_NEGATIVE)
    return 1.0, measure


def _explained(measure: str) -> str:
    meanings = {
        "validation error": "Validation error is the mean squared error of the forecast, each "
        "channel in units of its standard deviation in the training part, where "
        "forecasting the mean would score 1. Less is better.",
        "validation accuracy": "Validation accuracy is the share of clips that are right. More is "
        "better.",
    }
    return f"{meanings.get(measure, '')} A mark is one evaluation."


def _table(runs: tuple[Node, ...]) -> Markup:
    columns = [
        Column("Model", is_number=False),
        Column("Measure", is_number=False),
        Column("Value"),
        Column("At step"),
        Column("Parameters"),
    ]
    rows = [
        [
            run.at("name").text(),
            _measure(run)[1],
            _best(run),
            formatting.count(run.at("best_step").integer()),
            formatting.count(run.at("parameters").integer()),
        ]
        for run in runs
    ]
    return table("Best step of each training run, the one that was kept", columns, rows)


def _best(run: Node) -> str:
    best = run.at("best").optional_number()
    return formatting.number(None if best is None else _measure(run)[0] * best, 4)
