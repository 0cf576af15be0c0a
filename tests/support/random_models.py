"""Random pairs of a float model and the quantized model made of it by plain rounding."""

from dataclasses import dataclass

import numpy as np

from rnn_edge.exporters.base import ExportSource
from rnn_edge.fixedpoint import round_scale_up
from rnn_edge.types import (
    GATES,
    DenseWeights,
    FloatModel,
    QuantizedLayer,
    QuantizedMatrix,
    QuantizedModel,
    RecurrentWeights,
)

INPUT_EXPONENT = -12
OUTPUT_EXPONENT = -11


@dataclass(frozen=True)
class Shape:
    """What is random is the weights; this is the rest."""

    kinds: tuple
    units: tuple
    inputs: int = 5
    outputs: int = 3
    cell_exponent: int = -10
    gain: float = 1.0
    seed: int = 0
    head: str = "linear"


def float_model(shape):
    rng = np.random.default_rng(shape.seed)
    layers, columns = [], shape.inputs
    for kind, units in zip(shape.kinds, shape.units, strict=True):
        rows = len(GATES[kind]) * units
        layers.append(
            RecurrentWeights(
                kind,
                rng.normal(0, shape.gain / np.sqrt(columns), (rows, columns)),
                rng.normal(0, shape.gain / np.sqrt(units), (rows, units)),
                rng.normal(0, 0.3, rows),
                rng.normal(0, 0.3, rows),
            )
        )
        columns = units
    head = DenseWeights(
        rng.normal(0, 1 / np.sqrt(columns), (shape.outputs, columns)),
        rng.normal(0, 0.1, shape.outputs),
    )
    labels = tuple(f"label {k}" for k in range(shape.outputs))
    return FloatModel("sample", "kws", tuple(layers), head, labels, shape.head)


def quantize_matrix(weight, bias, input_exponent, output_exponent):
    scale = round_scale_up(np.abs(weight).max(axis=1) / 127.0)
    rows = scale.astype(np.float64)
    return QuantizedMatrix(
        np.rint(weight / rows[:, None]).astype(np.int8),
        scale,
        np.rint(bias / (rows * 2.0**input_exponent)).astype(np.int64),
        input_exponent,
        output_exponent,
    )


def quantized_model(model, cell_exponent):
    layers, exponent = [], INPUT_EXPONENT
    for layer in model.layers:
        layers.append(
            QuantizedLayer(
                layer.kind,
                quantize_matrix(layer.w_x, layer.b_x, exponent, -11),
                quantize_matrix(layer.w_h, layer.b_h, -15, -11),
                cell_exponent if layer.kind == "lstm" else None,
            )
        )
        exponent = -15
    head = quantize_matrix(model.head.w, model.head.b, exponent, OUTPUT_EXPONENT)
    return QuantizedModel(
        model.name, model.task, tuple(layers), head, model.labels, model.head_kind
    )


def source(shape):
    model = float_model(shape)
    return ExportSource(model, quantized_model(model, shape.cell_exponent))
