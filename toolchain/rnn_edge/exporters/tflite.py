"""TFLite, w8a16: int8 weights, int16 activations and state, one time step with explicit state.

``model.tflite`` uses builtin operators at scales where every TFLite runtime rounds alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from rnn_edge.cells import lower_model
from rnn_edge.errors import ModelError
from rnn_edge.exporters.base import Artifact, Exporter, ExportSource
from rnn_edge.exporters.output import write_bytes
from rnn_edge.exporters.tflite_program import NumberFormat, write_program
from rnn_edge.fixedpoint import rescaled_bounds
from rnn_edge.types import Array
from rnn_edge.types.program import FullyConnected

FILE = "model.tflite"
INT32_MAX = (1 << 31) - 1


class IntegerFormat(NumberFormat):
    """int16 tensors by int8 weights, every zero point 0."""

    element = "int16"
    keeps_quantize = True
    versions: Mapping[str, int] = MappingProxyType(
        {
            "fully_connected": 5,
            "add": 4,
            "subtract": 5,
            "multiply": 4,
            "logistic": 3,
            "tanh": 3,
            "quantize": 2,
            "split": 4,
            "softmax": 3,
            "dequantize": 3,
        }
    )

    def scale(self, exponent: int) -> tuple[float, ...]:
        """Return ``2**exponent``."""
        return (2.0**exponent,)

    def constants(
        self, step: FullyConnected
    ) -> tuple[tuple[Array, tuple[float, ...]], tuple[Array, tuple[float, ...]]]:
        """Return int8 weights with row scales and int64 biases at input scale x row scale.

        The bias must be int64: with int32, kernels disagree.

        Raises:
            ModelError: If a row's result can go beyond int32 before it is saturated.
        """
        matrix = step.matrix
        refuse_wrapping(step)
        rows = matrix.weight_scale.astype(np.float64)
        bias_scale = rows * 2.0**matrix.input_exponent
        return (
            (matrix.weight, tuple(rows.tolist())),
            (matrix.bias, tuple(bias_scale.tolist())),
        )


def refuse_wrapping(step: FullyConnected) -> None:
    """Refuse a matrix whose rescaled sums could leave int32.

    TFLite's kernels keep a rescaled sum in an int32 before they saturate it to int16: beyond that
    it changes its sign, where the reference and the C saturate.

    Raises:
        ModelError: Naming the row.
    """
    bounds = rescaled_bounds(step.matrix)
    largest = max(bounds)
    if largest > INT32_MAX:
        raise ModelError(
            f"Matrix {step.name}, row {bounds.index(largest)}: rescaled sums reach {largest:,}; "
            f"expected at most {INT32_MAX:,}, what TFLite's kernels can hold.",
            "a row this large saturates its output at nearly every step; check the weights",
        )


def metadata_of(source: ExportSource) -> dict[str, object]:
    """Return what the file says about itself: labels, features, scales and the model's digest."""
    model = source.model
    return {
        "format": "rnn-edge tflite 1",
        "name": model.name,
        "task": model.task,
        "labels": list(model.labels),
        "features": source.features,
        **source.policy_metadata,
        "model_digest": model.digest(),
        "input_scale": 2.0**model.input_exponent,
        "output_scale": 2.0**model.output_exponent,
        "state_scales": {name: 2.0**e for name, e in model.state_exponents.items()},
    }


def export(source: ExportSource, folder: Path) -> Artifact:
    """Write `FILE` into ``folder``.

    Raises:
        MissingDependencyError: If the flatbuffer schema is not installed.
    """
    model = source.model
    content = write_program(
        lower_model(model), IntegerFormat(), "rnn-edge w8a16 step", metadata_of(source)
    )
    write_bytes(folder / FILE, content)
    return Artifact("tflite", (FILE,), model.digest())


EXPORTER = Exporter("tflite", "TFLite step, int8 weights and int16 state (w8a16)", "export", export)
