"""Rounding of weights, biases and inputs (scheme w8a16)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnn_edge.errors import ModelError
from rnn_edge.fixedpoint import round_scale_up
from rnn_edge.types import (
    Array,
    FloatModel,
    QuantizedLayer,
    QuantizedMatrix,
    QuantizedModel,
    RecurrentWeights,
)
from rnn_edge.types.calibration import CalibrationStats
from rnn_edge.types.quantized_model import GATE_EXPONENT, HIDDEN_EXPONENT

INPUT_EXPONENT = -12
"""Normalised features reach from -8 to 8."""

CELL_EXPONENTS = range(-13, -6)
"""The cell is at least as coarse as the input of its TANH; beyond +-256 something is wrong."""

OUTPUT_EXPONENTS = range(-15, 1)


ACCUMULATOR_LIMIT = 2.0**47
"""Kernels rescale a signed accumulator of 48 bits (TFLite
``MultiplyByQuantizedMultiplier(int64)``)."""


@dataclass(frozen=True, eq=False)
class RoundedMatrix:
    """A matrix on its way to integers.

    Attributes:
        codes: int8 (N, K) in -127..127.
        scale: float32 (N,), of the rows, mantissa of at most 15 bits.
        bias: float (N,), in real units.
    """

    codes: Array
    scale: Array
    bias: Array


def quantize_input(frames: Array, exponent: int = INPUT_EXPONENT) -> Array:
    """Return normalised frames as int16 at scale 2**exponent, saturating.

    Args:
        frames: float (..., D).
        exponent: Scale of the result.
    """
    scaled = np.rint(np.asarray(frames, np.float64) * 2.0**-exponent)
    return np.asarray(np.clip(scaled, -32768, 32767).astype(np.int16))


def quantize_rows(weight: Array) -> tuple[Array, Array]:
    """Round a matrix to int8, symmetric, one scale per row.

    Args:
        weight: float (N, K).

    Returns:
        int8 (N, K) in -127..127 and float32 (N,), the scale: max|w|/127 rounded up to a mantissa
        of 15 bits.
    """
    exact = np.asarray(weight, np.float64)
    scale = round_scale_up(np.abs(exact).max(axis=1) / 127.0)
    return np.rint(exact / scale.astype(np.float64)[:, None]).astype(np.int8), scale


def quantize_matrix(
    weight: Array, bias: Array, input_exponent: int, output_exponent: int
) -> QuantizedMatrix:
    """Round a matrix to int8 and its bias to int64 at input scale x row scale.

    Raises:
        ModelError: If an accumulator could leave the 48 bits that every kernel rescales.
    """
    return finish_matrix(
        RoundedMatrix(*quantize_rows(weight), bias), input_exponent, output_exponent
    )


def finish_matrix(
    rounded: RoundedMatrix, input_exponent: int, output_exponent: int
) -> QuantizedMatrix:
    """Round the bias of a rounded matrix to int64 at input scale x row scale.

    Raises:
        ModelError: If an accumulator could leave the 48 bits that every kernel rescales.
    """
    bias, codes = np.asarray(rounded.bias, np.float64), rounded.codes.astype(np.float64)
    scale = rounded.scale.astype(np.float64)
    exact = np.rint(bias / (2.0**input_exponent * scale))
    reach = np.abs(exact) + 32768.0 * np.abs(codes).sum(axis=1)
    if (reach >= ACCUMULATOR_LIMIT).any():
        row = int(reach.argmax())
        raise ModelError(
            f"Bias of row {row}: {float(bias[row]):.6g} is too large for the row's "
            f"weights, of at most {float(scale[row] * np.abs(codes[row]).max()):.3g}.",
            "check the training data for constant channels and outliers",
        )
    offset = exact.astype(np.int64)
    return QuantizedMatrix(rounded.codes, rounded.scale, offset, input_exponent, output_exponent)


def exponent_for(limit: float, allowed: range, what: str) -> int:
    """Return the finest allowed exponent at which int16 holds ``limit``.

    Raises:
        ModelError: If even the coarsest does not.
    """
    if not math.isfinite(limit):
        raise ModelError(f"Range of {what}: {limit}; expected a finite number.")
    wanted = allowed.start if limit <= 0.0 else math.ceil(math.log2(limit / 32767.0))
    if wanted >= allowed.stop:
        raise ModelError(
            f"Range of {what}: {limit:.6g}; expected at most 2^{15 + allowed.stop - 1}.",
            "check the training data for outliers; of an LSTM cell (c0, c1, ...), lower "
            "student.cell_limit and qat.cell_limit",
        )
    return max(wanted, allowed.start)


def finest_cells(
    cell_exponents: Sequence[int | None], stats: CalibrationStats, headroom_bits: float
) -> list[int | None]:
    """Return the scales of LSTM cells, each the finer one of what it had and what its range needs.

    Args:
        cell_exponents: Scale of each layer's cell until now; None for others.
        stats: Ranges from `calibrate`.
        headroom_bits: Reserve over the calibrated range.
    """
    reserve = 2.0**headroom_bits
    return [
        None
        if exponent is None
        else min(exponent, exponent_for(stats.cell_max[f"c{k}"] * reserve, CELL_EXPONENTS, f"c{k}"))
        for k, exponent in enumerate(cell_exponents)
    ]


def quantize_model(
    model: FloatModel,
    stats: CalibrationStats,
    headroom_bits: float = 1.0,
    cell_exponents: Sequence[int | None] | None = None,
    rounded: Mapping[str, RoundedMatrix] | None = None,
) -> QuantizedModel:
    """Round every weight and choose every scale.

    Args:
        model: The float model.
        stats: Ranges from `calibrate`.
        headroom_bits: Reserve over the calibrated range of the LSTM cells and of the outputs.
        cell_exponents: Scale of each layer's LSTM cell where it is decided already; None chooses
            them from the calibrated range.
        rounded: The matrices by the names of `QuantizedModel.matrices`, as `compensate` rounds
            them; None rounds every weight to nearest.
    """
    reserve = 2.0**headroom_bits

    def matrix(name: str, weight: Array, bias: Array, incoming: int, out: int) -> QuantizedMatrix:
        if rounded is None:
            return quantize_matrix(weight, bias, incoming, out)
        return finish_matrix(rounded[name], incoming, out)

    def layer(k: int, weights: RecurrentWeights) -> QuantizedLayer:
        cell = None
        if weights.kind == "lstm" and cell_exponents is not None:
            cell = cell_exponents[k]
        elif weights.kind == "lstm":
            name = f"c{k}"
            cell = exponent_for(stats.cell_max[name] * reserve, CELL_EXPONENTS, name)
        incoming = INPUT_EXPONENT if k == 0 else HIDDEN_EXPONENT
        return QuantizedLayer(
            weights.kind,
            matrix(f"layer{k}.x", weights.w_x, weights.b_x, incoming, GATE_EXPONENT),
            matrix(f"layer{k}.h", weights.w_h, weights.b_h, HIDDEN_EXPONENT, GATE_EXPONENT),
            cell,
        )

    layers = tuple(layer(k, weights) for k, weights in enumerate(model.layers))
    out = exponent_for(stats.output_max * reserve, OUTPUT_EXPONENTS, "y")
    head = matrix("head", model.head.w, model.head.b, HIDDEN_EXPONENT, out)
    return QuantizedModel(model.name, model.task, layers, head, model.labels, model.head_kind)
