"""How far a quantized model drifts from a float run, each on its own state."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rnn_edge.types import Array, Trace
from rnn_edge.types.replay import DriftReport, DriftRow

CURVE_POINTS = 40


def measure_drift(
    reference: Trace, quantized: Trace, exponents: Mapping[str, int], output_exponent: int
) -> DriftReport:
    """Compare an integer trace with a float trace of the same frames.

    Args:
        reference: float32 trace (T, ...).
        quantized: int16 trace (T, ...).
        exponents: Scale exponent of each state.
        output_exponent: Scale exponent of the outputs.
    """
    rows = [_row("y", reference.outputs, quantized.outputs, output_exponent)]
    hidden: list[float] = []
    for name, exponent in exponents.items():
        row = _row(name, reference.states[name], quantized.states[name], exponent)
        rows.append(row)
        if name.startswith("h"):
            hidden.append(row.rms)
    agree = reference.outputs.argmax(axis=1) == quantized.outputs.argmax(axis=1)
    return DriftReport(
        steps=len(reference.outputs),
        hidden_rms=float(np.sqrt(np.mean(np.square(hidden)))),
        agreement=float(agree.mean()),
        rows=tuple(rows),
    )


def _row(tensor: str, expected: Array, actual: Array, exponent: int) -> DriftRow:
    wanted = expected.astype(np.float64)
    square = np.square(actual.astype(np.float64) * 2.0**exponent - wanted)
    per_step = square.mean(axis=1)
    rms = float(np.sqrt(per_step.mean()))
    size = float(np.sqrt(np.square(wanted).mean()))
    return DriftRow(
        tensor=tensor,
        rms=rms,
        maximum=float(np.sqrt(square.max(initial=0.0))),
        relative=rms / size if size > 0.0 else 0.0,
        curve=_curve(per_step),
    )


def _curve(per_step: Array) -> tuple[tuple[int, float], ...]:
    """Return rms errors between logarithmically spaced steps."""
    edges = np.unique(np.geomspace(1, len(per_step), CURVE_POINTS).astype(np.int64))
    starts = np.concatenate([[0], edges[:-1]])
    return tuple(
        (int(end), float(np.sqrt(per_step[start:end].mean())))
        for start, end in zip(starts, edges, strict=True)
    )
