"""TFLite, float32: the same step as `rnn_edge.exporters.tflite`, as a baseline."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from rnn_edge.cells import lower_model
from rnn_edge.errors import ModelError
from rnn_edge.exporters.base import Artifact, Exporter, ExportSource
from rnn_edge.exporters.output import write_bytes
from rnn_edge.exporters.tflite_program import NumberFormat, write_program
from rnn_edge.types import Array, FloatModel, QuantizedModel
from rnn_edge.types.program import FullyConnected

FILE = "model_float.tflite"


class FloatFormat(NumberFormat):
    """float32 tensors; constants come from the float model, the structure from the program.

    Raises:
        ModelError: If the two models do not have the same shapes.
    """

    element = "float32"
    keeps_quantize = False
    versions: Mapping[str, int] = MappingProxyType(
        dict.fromkeys(
            (
                "fully_connected",
                "add",
                "subtract",
                "multiply",
                "logistic",
                "tanh",
                "split",
                "softmax",
            ),
            1,
        )
    )

    def __init__(self, float_model: FloatModel, model: QuantizedModel) -> None:
        products: dict[str, tuple[Array, Array]] = {
            "head": (float_model.head.w, float_model.head.b)
        }
        for k, layer in enumerate(float_model.layers):
            products[f"layer{k}.x"] = (layer.w_x, layer.b_x)
            products[f"layer{k}.h"] = (layer.w_h, layer.b_h)
        shapes = {name: weight.shape for name, (weight, _) in products.items()}
        wanted = {name: matrix.weight.shape for name, matrix in model.matrices.items()}
        kinds = [layer.kind for layer in float_model.layers]
        if shapes != wanted or kinds != [layer.kind for layer in model.layers]:
            raise ModelError(
                f"Export of {model.name} as float: shapes {shapes}; expected those of the "
                f"quantized model, {wanted}."
            )
        # A program refers to the model's own matrices, so that identity finds their names.
        self._products = {id(matrix): products[name] for name, matrix in model.matrices.items()}

    def scale(self, exponent: int) -> tuple[float, ...]:
        """Return nothing: float tensors have no scale."""
        del exponent
        return ()

    def constants(
        self, step: FullyConnected
    ) -> tuple[tuple[Array, tuple[float, ...]], tuple[Array, tuple[float, ...]]]:
        """Return float32 weight and bias of the matrix that the step is about."""
        weight, bias = self._products[id(step.whole or step.matrix)]
        rows = slice(step.first_row, step.first_row + step.matrix.rows)
        return (weight[rows], ()), (bias[rows], ())


def export(source: ExportSource, folder: Path) -> Artifact:
    """Write `FILE` into ``folder``.

    Raises:
        MissingDependencyError: If the flatbuffer schema is not installed.
        ModelError: If the float and the quantized model do not have the same shapes.
    """
    model = source.float_model
    metadata = {
        "format": "rnn-edge float tflite 1",
        "name": model.name,
        "task": model.task,
        "labels": list(model.labels),
        "features": source.features,
        **source.policy_metadata,
        "model_digest": model.digest(),
    }
    program = lower_model(source.model)
    content = write_program(
        program, FloatFormat(model, source.model), "rnn-edge float step", metadata
    )
    write_bytes(folder / FILE, content)
    return Artifact("tflite-float", (FILE,), model.digest())


EXPORTER = Exporter("tflite-float", "TFLite step in float32, explicit state", "export", export)
