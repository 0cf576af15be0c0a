"""Shapes and dtype of what goes through an engine, and the checks on what callers hand over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnn_edge.errors import EngineError, MissingExportError
from rnn_edge.registry import known
from rnn_edge.types import Array, FloatModel, QuantizedModel


@dataclass(frozen=True)
class StreamLayout:
    """The interface of one model.

    Attributes:
        name: The model's name, for messages.
        dtype: "int16" or "float32"; of inputs, outputs and states.
        inputs: Input features D.
        outputs: Outputs C.
        states: Name to number of units H, in order.
        model: The model that integer states belong to; None for states in floating point.
        has_label: Whether exported files give a ``label`` beside the outputs.
    """

    name: str
    dtype: str
    inputs: int
    outputs: int
    states: Mapping[str, int]
    model: QuantizedModel | None = None
    has_label: bool = False

    @classmethod
    def of_integer(cls, model: QuantizedModel) -> StreamLayout:
        """Return the layout of integer engines."""
        return cls(
            model.name,
            "int16",
            model.inputs,
            model.outputs,
            model.state_sizes,
            model,
            model.head_kind == "argmax",
        )

    @classmethod
    def of_float(cls, float_model: FloatModel, model: QuantizedModel) -> StreamLayout:
        """Return the layout of float engines; both models have the same states."""
        return cls(
            float_model.name,
            "float32",
            float_model.inputs,
            float_model.outputs,
            model.state_sizes,
            has_label=float_model.head_kind == "argmax",
        )

    def frame(self, x: Array) -> Array:
        """Return one frame (D,) as it is.

        Raises:
            EngineError: If it has another shape or dtype.
        """
        return self._checked(x, (self.inputs,))

    def frames(self, x: Array) -> Array:
        """Return T frames (T, D) as they are.

        Raises:
            EngineError: If they have another shape or dtype.
        """
        return self._checked(x, (len(x), self.inputs))

    def state(self, given: Mapping[str, Array] | None) -> dict[str, Array]:
        """Return a whole state, vectors (H,): copies of what is given, zeros for the others.

        Raises:
            EngineError: If a name, dtype or length is not the model's.
        """
        whole = {name: np.zeros(size, self.dtype) for name, size in self.states.items()}
        for name, value in (given or {}).items():
            if name not in whole:
                raise EngineError(f"Unknown state {name!r}; known are {known(list(whole))}.")
            vector = np.asarray(value)
            if vector.dtype != self.dtype or vector.size != self.states[name]:
                raise EngineError(
                    f"State {name} of {self.name}: {vector.dtype} {vector.shape}; "
                    f"expected {self.dtype} ({self.states[name]},)."
                )
            whole[name] = vector.reshape(-1).copy()
        return whole

    def _checked(self, x: Array, shape: tuple[int, ...]) -> Array:
        if not isinstance(x, np.ndarray) or x.dtype != self.dtype or x.shape != shape:
            found = np.asarray(x)
            raise EngineError(
                f"Input of {self.name}: {found.dtype} {found.shape}; expected {self.dtype} {shape}."
            )
        return x


def read_export(path: Path, digest: str) -> bytes:
    """Return an exported file that names the model it was made from.

    Args:
        path: The file.
        digest: The model's digest, which every exporter writes into the file's metadata.

    Raises:
        MissingExportError: If there is no such file.
        EngineError: If it cannot be read or was made from another model.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        kind = MissingExportError if isinstance(error, FileNotFoundError) else EngineError
        raise kind(
            f"Export {path} cannot be read: {error.strerror}; expected an exporter's file.",
            "export the model again",
        ) from error
    if digest.encode() not in content:
        raise EngineError(
            f"Export {path} is damaged or of another model; expected {digest}.",
            "export the model again",
        )
    return content
