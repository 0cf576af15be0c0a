"""TFLite, w8a8: the fused int8 LSTM operator, for accelerators and for TFLM with CMSIS-NN.

``model_w8a8.tflite`` takes ``x`` (1, 1, D) and gives ``y`` (1, C), both int8, and ``label``, int32
(1,), where the model decides. The states ``h0``
(int8) and ``c0`` (int16, a power of two as scale) stay in variable tensors of the operator. Scales
are per tensor and, for int8 activations, asymmetric. There is no layer normalisation, peephole,
projection or clipping.

Source: TFLite ``UNIDIRECTIONAL_SEQUENCE_LSTM`` (``unidirectional_sequence_lstm.cc``, the kernel
    "8x8_16") for the order of inputs and what their scales must be; TFLite 8-bit quantization
    specification for weights and biases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnn_edge.errors import ModelError
from rnn_edge.exporters.base import Artifact, Exporter, ExportSource
from rnn_edge.exporters.output import write_bytes
from rnn_edge.exporters.tflite_graph import (
    OPTIONAL,
    SIGNATURE,
    FileWriter,
    GraphWriter,
    Operator,
)
from rnn_edge.types import GATES, Array, CellKind, DenseWeights, RecurrentWeights
from rnn_edge.types.spans import TensorSpan

FILE = "model_w8a8.tflite"
NAME = "tflite-w8a8"
CELLS: tuple[CellKind, ...] = ("lstm",)

LOGITS, LABEL = "logits", "label"

CELL_EXPONENTS = range(-15, -8)
"""Scales of the cell state for which the kernels' tanh has a table."""
GATE_ORDER = "ifgo"
"""TFLite's order of the gates, in our letters (it calls our g "cell")."""
GATE_INPUT_SCALE = 2.0**-12
"""What the kernels compute the inputs of all four gates at."""

_TANH = 4
_INT16 = np.iinfo(np.int16)
_LEVELS = 255.0
_LOWEST, _HIGHEST = -128, 127
_LARGEST_BIAS = 2**31 - 1
_SMALLEST_SPAN = 2.0**-20

_LSTM = Operator(
    "UNIDIRECTIONAL_SEQUENCE_LSTM",
    1,
    "UnidirectionalSequenceLSTMOptions",
    (("fusedActivationFunction", _TANH),),
)
_FULLY_CONNECTED = Operator("FULLY_CONNECTED", 4, "FullyConnectedOptions")
_SOFTMAX = Operator("SOFTMAX", 2, "SoftmaxOptions", (("beta", 1.0),))


@dataclass(frozen=True)
class Affine:
    """``real = (integer - zero_point) * scale``.

    Attributes:
        scale: Positive, a float32 number.
        zero_point: The integer that means zero, in int8.
    """

    scale: float
    zero_point: int

    @classmethod
    def of_span(cls, span: TensorSpan) -> Affine:
        """Return the finest int8 scale at which a span fits and zero is an integer.

        Source: TFLite 8-bit quantization specification, asymmetric activations.
        """
        low, high = min(span.low, 0.0), max(span.high, 0.0)
        scale = float(np.float32(max(high - low, _SMALLEST_SPAN) / _LEVELS))
        zero_point = int(np.clip(np.rint(_LOWEST - low / scale), _LOWEST, _HIGHEST))
        return cls(scale, zero_point)


SHARES = Affine(2.0**-8, -128)
"""What the kernels give a softmax at."""


def quantize_tensor(weight: Array) -> tuple[Array, float]:
    """Round a matrix to int8 in -127..127, symmetric, with one scale; return both.

    Args:
        weight: float (N, K).
    """
    exact = np.asarray(weight, np.float64)
    scale = float(np.float32(max(float(np.abs(exact).max()), _SMALLEST_SPAN) / _HIGHEST))
    rounded = np.clip(np.rint(exact / scale), -_HIGHEST, _HIGHEST)
    return rounded.astype(np.int8), scale


def _scales(source: ExportSource) -> dict[str, Affine]:
    """Return the numbers of x, y and every state by name.

    Raises:
        ModelError: If a layer is not an LSTM, if a cell is too wide for the kernels, or if the
            source has no calibrated spans.
    """
    kinds = [layer.kind for layer in source.float_model.layers]
    if set(kinds) != set(CELLS):
        raise ModelError(
            f"Export {NAME} of {source.model.name}: layers {', '.join(kinds)}; expected lstm "
            "throughout, the only cell with a fused int8 operator.",
            'leave this format out, or build the model with cell = "lstm"',
        )
    if source.spans is None:
        raise ModelError(
            f"Export {NAME} of {source.model.name}: no calibrated spans of its tensors.",
            "pass spans = measure_spans(float_model, streams) to ExportSource",
        )
    # All that the front end can give: what is far from the training data is an anomaly, or a shout.
    reach = 2.0**source.model.input_exponent
    x = TensorSpan(_INT16.min * reach, _INT16.max * reach)
    scales = {"x": Affine.of_span(x), "y": Affine.of_span(source.spans["y"])}
    if source.float_model.head_kind == "softmax":
        scales |= {LOGITS: scales["y"], "y": SHARES}
    for k, layer in enumerate(source.model.layers):
        exponent = layer.cell_exponent
        if exponent is None or exponent not in CELL_EXPONENTS:
            raise ModelError(
                f"Export {NAME} of {source.model.name}: cell scale of layer {k} is 2^{exponent}; "
                f"expected 2^{CELL_EXPONENTS[0]} to 2^{CELL_EXPONENTS[-1]}.",
                "lower student.cell_limit and qat.cell_limit",
            )
        scales[f"h{k}"] = Affine.of_span(source.spans[f"h{k}"])
        scales[f"c{k}"] = Affine(2.0**exponent, 0)
    return scales


class _Writer:
    """Writes layers and head into a subgraph."""

    def __init__(self, graph: GraphWriter, scales: Mapping[str, Affine]) -> None:
        self._graph = graph
        self._scales = scales

    def activation(
        self, name: str, shape: tuple[int, ...], like: str, *, is_variable: bool = False
    ) -> str:
        """Declare a tensor in the numbers of x, y or a state."""
        numbers = self._scales[like]
        element = "int16" if like.startswith("c") else "int8"
        self._graph.tensor(
            name, shape, element, (numbers.scale,), numbers.zero_point, is_variable=is_variable
        )
        return name

    def weight(self, name: str, value: Array) -> float:
        """Store an int8 matrix; return its scale."""
        rounded, scale = quantize_tensor(value)
        self._graph.constant(name, rounded, (scale,))
        return scale

    def bias(self, name: str, value: Array, scale: float) -> str:
        """Store an int32 bias.

        Raises:
            ModelError: If a bias is too large for its scale.
        """
        exact = np.rint(np.asarray(value, np.float64) / scale)
        if float(np.abs(exact).max()) > _LARGEST_BIAS:
            raise ModelError(
                f"Export {NAME}: {name} reaches {float(np.abs(exact).max()):.3g}; expected at most "
                f"{_LARGEST_BIAS}.",
                "check the training data for constant channels and outliers",
            )
        self._graph.constant(name, exact.astype(np.int32), (scale,))
        return name

    def layer(self, k: int, weights: RecurrentWeights, x: str, like: str) -> str:
        """Add an LSTM layer; return the name of its output (1, 1, H).

        Args:
            k: Its index.
            weights: The layer.
            x: The tensor that it reads.
            like: Whose numbers that tensor has.
        """
        gates = len(GATES["lstm"])
        blocks = {
            part: dict(zip(GATES["lstm"], np.split(value, gates), strict=True))
            for part, value in (
                ("x", weights.w_x),
                ("h", weights.w_h),
                ("b", weights.b_x.astype(np.float64) + weights.b_h),
            )
        }
        products: dict[str, list[str]] = {"x": [], "h": []}
        biases: list[str] = []
        for gate in GATE_ORDER:
            for part in ("x", "h"):
                name = f"l{k}_{part}_{gate}_weight"
                scale = self.weight(name, blocks[part][gate])
                products[part].append(name)
                if part == "x":
                    unit = self._scales[like].scale * scale
                    # The kernels add the bias to the input product, at that product's scale.
                    biases.append(self.bias(f"l{k}_{gate}_bias", blocks["b"][gate], unit))
        h, c = f"h{k}", f"c{k}"
        self.activation(h, (1, weights.hidden), h, is_variable=True)
        self.activation(c, (1, weights.hidden), c, is_variable=True)
        out = self.activation(f"{h}_out", (1, 1, weights.hidden), h)
        none = [OPTIONAL]
        inputs = [
            x,
            *products["x"],
            *products["h"],
            *none * 3,  # peepholes
            *biases,
            *none * 2,  # projection
            h,
            c,
            *none * 4,  # layer normalisation
        ]
        self._graph.operator(_LSTM, inputs, [out], self._intermediates(k))
        return out

    def head(self, weights: DenseWeights, x: str, like: str, name: str) -> None:
        """Add the dense head, whose output (1, C) gets a name."""
        scale = self._scales[like].scale * self.weight("y_weight", weights.w)
        bias = self.bias("y_bias", weights.b, scale)
        shape = (1, int(weights.w.shape[0]))
        out = self.activation(name, shape, name)
        self._graph.operator(_FULLY_CONNECTED, [x, "y_weight", bias], [out])

    def softmax(self, shape: tuple[int, ...]) -> None:
        """Add y, the softmax of the logits."""
        self.activation("y", shape, "y")
        self._graph.operator(_SOFTMAX, [LOGITS], ["y"])

    def arg_max(self, element: int) -> None:
        """Add the label, the index of the largest y.

        Args:
            element: The schema's number of int32.
        """
        self._graph.constant(f"{LABEL}_axis", np.asarray(1, np.int32))
        self._graph.tensor(LABEL, (1,), "int32")
        operator = Operator("ARG_MAX", 2, "ArgMaxOptions", (("outputType", element),))
        self._graph.operator(operator, ["y", f"{LABEL}_axis"], [LABEL])

    def _intermediates(self, k: int) -> list[str]:
        """Declare the tensors that tell the kernel scales within: four gates, then the output."""
        names = [f"l{k}_{gate}_input" for gate in GATE_ORDER]
        for name in names:
            self._graph.tensor(name, (0,), "int16", (GATE_INPUT_SCALE,))
        return [*names, self.activation(f"l{k}_hidden", (0,), f"h{k}")]


def build(source: ExportSource) -> bytes:
    """Return the file.

    Raises:
        MissingDependencyError: If the flatbuffer schema is not installed.
        ModelError: If the model has no fused int8 form, or the source no calibrated spans.
    """
    model = source.float_model
    scales = _scales(source)
    file = FileWriter("rnn-edge w8a8 step, fused LSTM")
    graph = file.subgraph("main")
    writer = _Writer(graph, scales)
    signal, like = writer.activation("x", (1, 1, model.inputs), "x"), "x"
    for k, weights in enumerate(model.layers):
        signal, like = writer.layer(k, weights, signal, like), f"h{k}"
    is_softmax = model.head_kind == "softmax"
    writer.head(model.head, signal, like, LOGITS if is_softmax else "y")
    leaving = {"y": "y"}
    if is_softmax:
        writer.softmax((1, model.outputs))
    elif model.head_kind == "argmax":
        writer.arg_max(graph.element_code("int32"))
        leaving[LABEL] = LABEL
    file.signature(SIGNATURE, graph, {"x": "x"}, leaving)
    return file.pack(
        {
            "format": "rnn-edge w8a8 tflite 1",
            "name": model.name,
            "task": model.task,
            "labels": list(model.labels),
            "features": source.features,
            **source.policy_metadata,
            "model_digest": model.digest(),
            "scales": {
                name: {"scale": numbers.scale, "zero_point": numbers.zero_point}
                for name, numbers in scales.items()
            },
        }
    )


def export(source: ExportSource, folder: Path) -> Artifact:
    """Write `FILE` into ``folder``.

    Raises:
        MissingDependencyError: If the flatbuffer schema is not installed.
        ModelError: If the model has no fused int8 form, or the source no calibrated spans.
    """
    write_bytes(folder / FILE, build(source))
    return Artifact(NAME, (FILE,), source.float_model.digest())


EXPORTER = Exporter(
    NAME,
    "TFLite step with the fused int8 LSTM (w8a8), for accelerators; LSTM models only",
    "export",
    export,
    is_default=False,
    cells=CELLS,
)
