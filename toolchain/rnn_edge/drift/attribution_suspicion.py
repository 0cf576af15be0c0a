"""Quantizers that are worse than rounding makes them: a scale, rows or a table that are wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import numpy as np

from rnn_edge.cells.activations import sigmoid
from rnn_edge.drift.mixed_quantizers import HEAD_WEIGHTS, Quantizer, quantizers
from rnn_edge.drift.mixed_variant import INT16_INPUTS, Variant, kernel_table
from rnn_edge.fixedpoint.scales import SMALLEST_ROW_SCALE
from rnn_edge.types import GATES, Array, FloatModel, QuantizedMatrix, QuantizedModel
from rnn_edge.types.quantized_model import CANDIDATE_EXPONENT, GATE_EXPONENT

WEIGHT_ERROR_LSB = 6.0
"""RMS over a row: rounding to nearest leaves 0.3, compensated rounding about 1."""
SCALE_RATIO = 1.5
"""Of a row's scale to the one that its weights need; one bit too coarse is 2."""


@dataclass(frozen=True)
class Suspicion:
    """A quantizer whose numbers rounding does not explain.

    Attributes:
        quantizer: Its name.
        reason: What was found, in a sentence with numbers.
    """

    quantizer: str
    reason: str

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return asdict(self)


def suspect(
    float_model: FloatModel, model: QuantizedModel, variant: Variant | None = None
) -> tuple[Suspicion, ...]:
    """Compare every weight, scale and table with what rounding of the float model can make of it.

    Nothing is run. An empty answer says that all of them are within rounding, not that rounding
    does no harm.

    Args:
        float_model: What the integer model was rounded from.
        model: The integer model.
        variant: Tables and formats in place of the model's.
    """
    changed = Variant() if variant is None else variant
    found: list[Suspicion] = []
    for each in quantizers(model):
        if each.kind == "weights":
            reason = _gate_rows(float_model, model, each)
        elif each.name == HEAD_WEIGHTS:
            reason = _rows(model.head, float_model.head.w)
        elif each.name in changed.tables:
            reason = _table(each, changed.tables[each.name])
        elif each.name in changed.grids and changed.grids[each.name].shift != 0:
            grid = changed.grids[each.name]
            reason = f"rounds to {grid.bits} bits at 2^{grid.shift} times the scale of the model"
        else:
            reason = ""
        if reason:
            found.append(Suspicion(each.name, reason))
    return tuple(found)


def _gate_rows(float_model: FloatModel, model: QuantizedModel, of: Quantizer) -> str:
    """Return what is wrong with the rows of one gate in one matrix, or nothing."""
    k = of.layer or 0
    layer, exact = model.layers[k], float_model.layers[k]
    matrix, real = (layer.x, exact.w_x) if of.matrix == "x" else (layer.h, exact.w_h)
    first = {gate: n * layer.hidden for n, gate in enumerate(GATES[layer.kind])}
    own = matrix.part(first[str(of.gate)], layer.hidden)
    blocks = {gate: real[start : start + layer.hidden] for gate, start in first.items()}
    return _rows(own, blocks[str(of.gate)], blocks)


def _rows(matrix: QuantizedMatrix, real: Array, blocks: Mapping[str, Array] | None = None) -> str:
    """Return what is wrong with rows, or nothing.

    Args:
        matrix: The rows.
        real: What they were rounded from, float32 (N, K).
        blocks: Rows that they may have been exchanged with, by the name of their gate.
    """
    scale = matrix.weight_scale.astype(np.float64)[:, None]
    held = matrix.weight * scale
    error = np.sqrt(np.mean(np.square((held - real) / scale), axis=1))
    if error.max() > WEIGHT_ERROR_LSB:
        worst = int(np.count_nonzero(error > WEIGHT_ERROR_LSB))
        other = _nearest(held, blocks or {})
        like = f"; they are those of gate {other}" if other else ""
        return (
            f"weights are {error.max():.3g} units of the last place from the float model's, RMS "
            f"over the worst of {worst} such rows of {matrix.rows}; rounding leaves 0.3, "
            f"compensated about 1{like}"
        )
    needed = np.abs(real).max(axis=1, keepdims=True) / 127.0
    ratio = np.where(needed > SMALLEST_ROW_SCALE, scale / np.maximum(needed, 1e-30), 1.0)
    if ratio.max() > SCALE_RATIO:
        coarse = int(np.count_nonzero(ratio > SCALE_RATIO))
        return (
            f"scales are up to {ratio.max():.3g} times what the weights need, in {coarse} of "
            f"{matrix.rows} rows"
        )
    return ""


def _nearest(held: Array, blocks: Mapping[str, Array]) -> str:
    """Return the gate whose real rows are within a tenth of the given ones, or nothing."""
    size = float(np.sqrt(np.mean(np.square(held))))
    for gate, real in blocks.items():
        if float(np.sqrt(np.mean(np.square(held - real)))) < 0.1 * size:
            return gate
    return ""


def _table(of: Quantizer, table: Array) -> str:
    """Return what is wrong with a table, or nothing: no kernel's own table is."""
    is_tanh = of.gate in ("n", "g", "tanh_c")
    kind, exponent = ("tanh", CANDIDATE_EXPONENT) if is_tanh else ("logistic", GATE_EXPONENT)
    exact: Callable[[Array], Array] = np.tanh if is_tanh else sigmoid
    wanted = exact(INT16_INPUTS * 2.0**exponent) * 32768.0
    error = np.abs(table - wanted)
    allowed = float(np.abs(kernel_table(kind) - wanted).max())
    if error.max() <= allowed:
        return ""
    at = int(INT16_INPUTS[int(error.argmax())])
    return (
        f"its table is {error.max():,.0f} units of the last place from {kind} at "
        f"{at * 2.0**exponent:.4g}; the kernels' own is within {allowed:.1f}"
    )
