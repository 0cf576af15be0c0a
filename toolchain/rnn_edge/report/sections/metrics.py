"""Reads the metrics of the models for several sections."""

from __future__ import annotations

from dataclasses import dataclass

from rnn_edge.report.reader import Node, named

FLOAT = "float"
INT8 = "int8"


@dataclass(frozen=True)
class Score:
    """A share with its 95 % interval.

    Attributes:
        value: 0..1, or None where it is not defined.
        low: Lower end of the interval.
        high: Upper end of the interval.
    """

    value: float | None
    low: float
    high: float

    def contains(self, value: float) -> bool:
        """Return whether a share lies inside the interval."""
        return self.low <= value <= self.high


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
    return Score(part.at("accuracy").number(), *part.at("accuracy_interval").pair())


def f1(metrics: Node) -> Score:
    """Return the F1 of an anomaly model, by sample."""
    return Score(metrics.at("f1").optional_number(), *metrics.at("f1_interval").pair())
