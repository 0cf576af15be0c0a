"""Puts imported layers together, in the order in which they are met."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import numpy as np

from rnn_edge.errors import ModelError
from rnn_edge.types import (
    INSTEAD_OF_BIDIRECTIONAL,
    NOT_BIDIRECTIONAL,
    Array,
    DenseWeights,
    FloatModel,
    HeadKind,
    RecurrentWeights,
    Task,
)
from rnn_edge.types.float_model import check_labels
from rnn_edge.types.names import require_model_name

SHAPE = "recurrent layers, then one dense layer, then nothing, a softmax or an arg max"


def refuse(what: str, expected: str, hint: str = "") -> NoReturn:
    """Refuse what has no exact counterpart here.

    Args:
        what: What was found, by name.
        expected: What can be imported in its place.
        hint: What to do.

    Raises:
        ModelError: Always.
    """
    raise ModelError(f"Import: {what}; expected {expected}.", hint)


def refuse_bidirectional(what: str) -> NoReturn:
    """Refuse a bidirectional or backward layer and say why.

    Raises:
        ModelError: Always.
    """
    raise ModelError(f"Import: {what}: {NOT_BIDIRECTIONAL}.", INSTEAD_OF_BIDIRECTIONAL)


class Assembly:
    """A growing model; the parts of a model that is no such chain are refused.

    Args:
        name: Name of the model, a C identifier.
        task: "kws" or "anomaly".
        labels: Names of the outputs; None numbers them.

    Raises:
        ModelError: If the name or a label is none that a model can have.
    """

    def __init__(self, name: str, task: Task, labels: Sequence[str] | None) -> None:
        require_model_name(name)
        self._name = name
        self._task = task
        self._labels = None if labels is None else check_labels(name, labels)
        self._layers: list[RecurrentWeights] = []
        self._dense: DenseWeights | None = None
        self._head: HeadKind = "linear"

    def recurrent(self, layer: RecurrentWeights, what: str) -> None:
        """Add a recurrent layer; ``what`` names it in messages."""
        if self._dense is not None:
            refuse(f"{what} comes after a dense layer", SHAPE)
        self._layers.append(layer)

    def dense(self, w: Array, b: Array | None, what: str) -> None:
        """Add the dense layer: w (C, H), b (C,) or None."""
        if not self._layers:
            refuse(f"{what} comes before the recurrent layers", SHAPE)
        if self._dense is not None:
            refuse(f"{what} is a second dense layer", SHAPE)
        zeros = np.zeros(len(w), np.float32)
        self._dense = DenseWeights(np.array(w, np.float32), zeros if b is None else np.array(b))

    def bias(self, b: Array, what: str) -> None:
        """Add to the bias of the dense layer, where it is an operator of its own."""
        if self._dense is None or self._head != "linear":
            refuse(f"{what} adds to something that is no dense layer", SHAPE)
        added = np.broadcast_to(np.asarray(b, np.float32).reshape(-1), self._dense.b.shape)
        self._dense = DenseWeights(self._dense.w, self._dense.b + added)

    def head(self, kind: HeadKind, what: str) -> None:
        """Say what becomes of the dense layer's outputs."""
        if self._dense is None or self._head != "linear":
            refuse(f"{what} does not follow the dense layer", SHAPE)
        self._head = kind

    def model(self) -> FloatModel:
        """Return what was put together.

        Raises:
            ModelError: If a part is missing or does not fit.
        """
        if not self._layers or self._dense is None:
            found = f"{len(self._layers)} recurrent layers and no dense layer"
            refuse(found if self._dense is None else "no recurrent layer", SHAPE)
        labels = self._labels
        if labels is None:
            labels = tuple(f"output {k}" for k in range(len(self._dense.b)))
        return FloatModel(
            self._name, self._task, tuple(self._layers), self._dense, labels, self._head
        )
