"""The trained model in floating point, free of any framework."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

import numpy as np

from rnn_edge.errors import ModelError
from rnn_edge.types.archive import consistent, load_archive, save_archive
from rnn_edge.types.arrays import Array, digest_of, read_only
from rnn_edge.types.names import require_model_name

FORMAT = "rnn-edge float model 1"

CellKind = Literal["gru", "gru_reset_before", "lstm", "rnn"]
Task = Literal["kws", "anomaly"]
HeadKind = Literal["linear", "softmax", "argmax"]

GATES: dict[CellKind, tuple[str, ...]] = {
    "gru": ("r", "z", "n"),
    "gru_reset_before": ("r", "z", "n"),
    "lstm": ("i", "f", "g", "o"),
    "rnn": ("n",),
}
"""Gate blocks of the weight rows, in order."""


NOT_BIDIRECTIONAL = (
    "the backward half of a bidirectional layer starts at the end of the sequence, so that the "
    "first output exists only after the last input; a stream has no end, and a streaming model "
    "must answer at every frame"
)
"""Why such a layer is refused, wherever one is asked for."""
INSTEAD_OF_BIDIRECTIONAL = (
    "use forward layers: more units, or one layer more; a teacher in a build may be "
    "bidirectional, and passes on what it heard"
)


@dataclass(frozen=True, eq=False)
class RecurrentWeights:
    """Weights of one recurrent layer, rows blocked by gate in the order of `GATES`.

    Attributes:
        kind: The cell.
        w_x: Input kernel, float32 (G*H, D).
        w_h: Recurrent kernel, float32 (G*H, H).
        b_x: Bias added to the input product, float32 (G*H,).
        b_h: Bias added to the recurrent product, float32 (G*H,). In a "gru" the reset gate
            multiplies the recurrent product with this bias in it (Keras ``reset_after=True``,
            PyTorch and ONNX ``linear_before_reset=1``); in a "gru_reset_before" it multiplies
            the state before that product (Keras ``reset_after=False``, ONNX
            ``linear_before_reset=0``).
    """

    kind: CellKind
    w_x: Array
    w_h: Array
    b_x: Array
    b_h: Array

    def __post_init__(self) -> None:
        for name in ("w_x", "w_h", "b_x", "b_h"):
            value = read_only(getattr(self, name), np.float32)
            if not np.isfinite(value).all():
                raise ModelError(f"Weights {name} of a {self.kind} layer are not finite.")
            object.__setattr__(self, name, value)
        if self.w_x.ndim != 2 or self.w_h.ndim != 2:
            raise ModelError(
                f"Weights of a {self.kind} layer: {self.w_x.shape} and {self.w_h.shape}; "
                f"expected two matrices."
            )
        rows = len(GATES[self.kind]) * self.hidden
        if self.w_x.shape != (rows, self.inputs) or self.w_h.shape != (rows, self.hidden):
            raise ModelError(
                f"Weights of a {self.kind} layer: {self.w_x.shape} and {self.w_h.shape}; "
                f"expected ({rows}, D) and ({rows}, {self.hidden})."
            )
        if self.b_x.shape != (rows,) or self.b_h.shape != (rows,):
            raise ModelError(f"Biases of a {self.kind} layer: expected shape ({rows},).")

    @property
    def hidden(self) -> int:
        """Units H."""
        return int(self.w_h.shape[1])

    @property
    def inputs(self) -> int:
        """Input features D."""
        return int(self.w_x.shape[1])


@dataclass(frozen=True, eq=False)
class DenseWeights:
    """Weights of the dense head: w float32 (C, H), b float32 (C,)."""

    w: Array
    b: Array

    def __post_init__(self) -> None:
        for name in ("w", "b"):
            value = read_only(getattr(self, name), np.float32)
            if not np.isfinite(value).all():
                raise ModelError(f"Weights {name} of the dense head are not finite.")
            object.__setattr__(self, name, value)
        if self.w.ndim != 2 or self.b.shape != (self.w.shape[0],):
            raise ModelError(f"Dense head: {self.w.shape} and {self.b.shape} do not fit.")


def check_head_kind(model: str, kind: str) -> None:
    """Refuse an unknown kind of head.

    Raises:
        ModelError: Naming the known ones.
    """
    if kind not in get_args(HeadKind):
        raise ModelError(f"Head of {model}: {kind!r}; expected {', '.join(get_args(HeadKind))}.")


def check_labels(model: str, labels: object) -> tuple[str, ...]:
    """Return the names of the outputs as a tuple.

    Args:
        model: Name of the model, for the message.
        labels: What was given as names.

    Raises:
        ModelError: If it is no sequence of different, non-empty strings.
    """
    expected = "expected different, non-empty strings, one for each output"
    if not isinstance(labels, list | tuple):
        raise ModelError(f"Labels of {model}: {labels!r:.80} is no list; {expected}.")
    for label in labels:
        if not isinstance(label, str) or not label.strip():
            raise ModelError(f"Labels of {model}: {label!r:.80} is no name; {expected}.")
    twice = [label for label, count in Counter(labels).items() if count > 1]
    if twice:
        raise ModelError(f"Labels of {model}: {twice[0]!r:.80} occurs twice; {expected}.")
    return tuple(labels)


def head_meta(kind: HeadKind) -> dict[str, object]:
    """Return what a file says of the head: nothing where it is linear, as files always were."""
    return {} if kind == "linear" else {"head_kind": kind}


def head_kind_of(meta: dict[str, Any]) -> HeadKind:
    """Return the kind of head that a file's header says."""
    return cast(HeadKind, meta.get("head_kind", "linear"))


@dataclass(frozen=True, eq=False)
class FloatModel:
    """A stack of recurrent layers and a dense head, applied at every step or where it is asked for.

    A model whose output is wanted at the end of a sequence only is the same model:
    ``Engine.run_last`` and, in C, ``NAME_advance`` and ``NAME_output`` leave the head out of the
    other steps.

    Attributes:
        name: A C identifier, see `rnn_edge.types.names`; it prefixes every generated symbol.
        task: "kws" (the head gives one logit per label) or "anomaly" (the head forecasts or
            reconstructs input frames, see `rnn_edge.types.offsets`).
        layers: From input to output.
        head: The dense head.
        labels: Names of the outputs, in order: different and not empty.
        head_kind: What becomes of the head's outputs: "linear", y is what they are; "softmax", y
            is their softmax; "argmax", y is what they are, and exports also give ``label``, the
            index of the first of the greatest.
    """

    name: str
    task: Task
    layers: tuple[RecurrentWeights, ...]
    head: DenseWeights
    labels: tuple[str, ...]
    head_kind: HeadKind = "linear"

    def __post_init__(self) -> None:
        require_model_name(self.name)
        check_head_kind(self.name, self.head_kind)
        object.__setattr__(self, "labels", check_labels(self.name, self.labels))
        if not self.layers:
            raise ModelError(f"Model {self.name} has no recurrent layer.")
        widths = [layer.hidden for layer in self.layers]
        wanted = [layer.inputs for layer in self.layers[1:]] + [int(self.head.w.shape[1])]
        if widths != wanted:
            raise ModelError(f"Layers of {self.name} do not fit: {widths} feed {wanted}.")
        if len(self.labels) != self.head.w.shape[0]:
            raise ModelError(
                f"Model {self.name}: {len(self.labels)} labels for {self.head.w.shape[0]} outputs."
            )

    @property
    def inputs(self) -> int:
        """Input features D."""
        return self.layers[0].inputs

    @property
    def outputs(self) -> int:
        """Outputs C."""
        return int(self.head.w.shape[0])

    def _arrays(self) -> list[tuple[str, Array]]:
        named = [
            (f"layer{k}.{field}", cast(Array, getattr(layer, field)))
            for k, layer in enumerate(self.layers)
            for field in ("w_x", "w_h", "b_x", "b_h")
        ]
        return [*named, ("head.w", self.head.w), ("head.b", self.head.b)]

    def _meta(self) -> dict[str, object]:
        return {
            "format": FORMAT,
            "name": self.name,
            "task": self.task,
            "labels": list(self.labels),
            "kinds": [layer.kind for layer in self.layers],
            **head_meta(self.head_kind),
        }

    def digest(self) -> str:
        """Return the SHA-256 of everything in the model."""
        return digest_of(self._meta(), self._arrays())

    def save(self, path: Path) -> None:
        """Write the model as an ``.npz`` whose bytes depend on its content alone."""
        save_archive(path, self._meta(), self._arrays())

    @classmethod
    def load(cls, path: Path | str) -> FloatModel:
        """Read a model written by `save`.

        Raises:
            BundleError: If the file is not such a model.
        """
        meta, arrays = load_archive(path, FORMAT)
        with consistent(path, FORMAT):
            layers = tuple(
                RecurrentWeights(
                    kind, *(arrays[f"layer{k}.{f}"] for f in ("w_x", "w_h", "b_x", "b_h"))
                )
                for k, kind in enumerate(meta["kinds"])
            )
            head = DenseWeights(arrays["head.w"], arrays["head.b"])
            labels = tuple(meta["labels"])
            return cls(meta["name"], meta["task"], layers, head, labels, head_kind_of(meta))
