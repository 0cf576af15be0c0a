"""Reads the metrics of the models for several sections."""

from __future__ import annotations

from dataclasses import dataclass

from rnn_edge.report.reader import Node, named

FLOAT = "float"
INT8 = "int8"
FEWEST_RECORDINGS = 5
"""Recordings below which resampling them says nothing of other recordings."""
NO_TEST_PART = "not measured: the data has no test part"
NO_ANOMALIES = "not measured: no labelled anomalies"


@dataclass(frozen=True)
class Score:
    """A share with its 95 % interval.

    Attributes:
        value: 0..1, or None where it was not measured.
        interval: Its ends, or None where there is too little material for one.
    """

    value: float | None
    interval: tuple[float, float] | None


def is_judged(root: Node) -> bool:
    """Return whether the build judged its models; without a test part it did not."""
    return bool(root.at("models").items())


def model_metrics(root: Node, name: str) -> Node:
    """Return the metrics of a model that every report has.

    Raises:
        BundleError: If there is no such model.
    """
    models = root.at("models")
    found = named(models, name)
    if found is None:
        models.fail(f"an element with the name {name!r}")
    return found.at("metrics")


def accuracy(part: Node) -> Score:
    """Return the accuracy of a keyword model, reset or never reset."""
    return Score(part.at("accuracy").number(), part.at("accuracy_interval").pair())


def f1(metrics: Node) -> Score:
    """Return the F1 of an anomaly model, by frame; a few recordings give no interval."""
    value = metrics.at("f1").optional_number()
    if value is None or metrics.at("recordings").integer() < FEWEST_RECORDINGS:
        return Score(value, None)
    return Score(value, metrics.at("f1_interval").pair())


def comparison(root: Node, after: str, before: str) -> dict[str, Node]:
    """Return the paired differences of two models by measure, empty where there are none."""
    for step in root.at("comparisons").items():
        if (step.at("with").text(), step.at("without").text()) == (after, before):
            return {row.at("measure").text(): row for row in step.at("rows").items()}
    return {}
