"""What is representable, what was seen, and what can happen at all."""

from __future__ import annotations

import math

import numpy as np

from rnn_edge.fixedpoint import logistic
from rnn_edge.types import Array, QuantizedLayer, QuantizedMatrix, QuantizedModel
from rnn_edge.types.calibration import CalibrationStats, TensorRange
from rnn_edge.types.quantized_model import GATE_EXPONENT, HIDDEN_EXPONENT


def tensor_ranges(model: QuantizedModel, stats: CalibrationStats) -> tuple[TensorRange, ...]:
    """Return the ranges of input, LSTM cells and output."""
    rows = [_range("x", model.input_exponent, stats.input_max, None)]
    for name, exponent in model.state_exponents.items():
        if name.startswith("c"):
            layer = model.layers[int(name[1:])]
            rows.append(_range(name, exponent, stats.cell_max[name], cell_bound(layer)))
    head = _weight_reach(model.head, 1.0) + np.abs(_bias(model.head))
    rows.append(_range("y", model.output_exponent, stats.output_max, float(head.max())))
    return tuple(rows)


def cell_bound(layer: QuantizedLayer) -> float:
    """Return the largest |c| that the gates' own limits allow, over all inputs.

    With |h| <= 1 and |x| at the end of its range, the forget and input gates of a unit stay below
    ``f`` and ``i``; from ``|c'| <= f |c| + i`` follows ``|c| <= i / (1 - f)``, a geometric series.
    Gates are taken from the integer table, and every step adds what its roundings can.
    """
    if layer.cell_exponent is None:
        raise ValueError("a GRU layer has no cell")
    x_limit = 32768.0 * 2.0**layer.x.input_exponent
    reach = _weight_reach(layer.x, x_limit) + _bias(layer.x)
    reach = reach + _weight_reach(layer.h, 1.0) + _bias(layer.h)
    # Both products are rounded to half a unit; their sum saturates at the ends of its format.
    units = np.clip(np.ceil(reach * 2.0**-GATE_EXPONENT) + 1.0, -32768, 32767).astype(np.int16)
    gates = logistic(units, GATE_EXPONENT).astype(np.float64) * 2.0**HIDDEN_EXPONENT
    i, f, _, _ = np.split(gates, 4)
    # f*c and i*g are each rounded twice, by less than 3/4 of a unit together.
    rounding = 1.5 * 2.0**layer.cell_exponent
    return float(((i + rounding) / (1.0 - f)).max())


def _weight_reach(matrix: QuantizedMatrix, x_limit: float) -> Array:
    """Return the largest product of each row with inputs up to ``x_limit``, float64 (N,)."""
    weight = np.abs(matrix.weight.astype(np.float64)).sum(axis=1)
    return np.asarray(weight * matrix.weight_scale.astype(np.float64) * x_limit)


def _bias(matrix: QuantizedMatrix) -> Array:
    """Return the biases in real units, float64 (N,)."""
    unit = matrix.weight_scale.astype(np.float64) * 2.0**matrix.input_exponent
    return np.asarray(matrix.bias.astype(np.float64) * unit)


def _range(name: str, exponent: int, seen: float, analytic: float | None) -> TensorRange:
    limit = math.ldexp(32767.0, exponent)
    return TensorRange(name, exponent, limit, seen, analytic)
