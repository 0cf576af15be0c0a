"""What is representable, what was seen, and what can happen at all."""

from __future__ import annotations

import math

import numpy as np

from rnn_edge.types import Array, QuantizedLayer, QuantizedMatrix, QuantizedModel
from rnn_edge.types.calibration import CalibrationStats, TensorRange


def tensor_ranges(model: QuantizedModel, stats: CalibrationStats) -> tuple[TensorRange, ...]:
    """Return the ranges of input, LSTM cells and output."""
    rows = [_range("x", model.input_exponent, stats.input_max, None)]
    for name, exponent in model.state_exponents.items():
        if name.startswith("c"):
            layer = model.layers[int(name[1:])]
            rows.append(_range(name, exponent, stats.cell_max[name], cell_bound(layer)))
    head = _row_reach(model.head, 1.0)
    rows.append(_range("y", model.output_exponent, stats.output_max, float(head.max())))
    return tuple(rows)


def cell_bound(layer: QuantizedLayer) -> float:
    """Return the largest |c| that the gates' own limits allow, over all inputs.

    With |h| <= 1 and |x| at the end of its range, the forget and input gates of a unit stay below
    ``f`` and ``i``; from ``|c'| <= f |c| + i`` follows ``|c| <= i / (1 - f)``, a geometric series.
    """
    x_limit = 32768.0 * 2.0**layer.x.input_exponent
    reach = _row_reach(layer.x, x_limit) + _row_reach(layer.h, 1.0)
    # The gates' sum saturates at the end of its format.
    i, f, _, _ = np.split(1.0 / (1.0 + np.exp(-np.minimum(reach, 16.0))), 4)
    return float((i / (1.0 - f)).max())


def _row_reach(matrix: QuantizedMatrix, x_limit: float) -> Array:
    """Return the largest value of each output row for inputs up to ``x_limit``, (N,)."""
    scale = matrix.weight_scale.astype(np.float64)
    weights = np.abs(matrix.weight.astype(np.float64)).sum(axis=1) * scale * x_limit
    bias = np.abs(matrix.bias.astype(np.float64)) * scale * 2.0**matrix.input_exponent
    return np.asarray(weights + bias)


def _range(name: str, exponent: int, seen: float, analytic: float | None) -> TensorRange:
    limit = math.ldexp(32767.0, exponent)
    return TensorRange(name, exponent, limit, seen, analytic)
