"""Bit-exact comparison of integer engines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rnn_edge.errors import EngineError
from rnn_edge.types import Array, Trace
from rnn_edge.types.replay import ParityRow


def compare_bits(
    engine: str, reference: Trace, other: Trace, allowed_lsb: int = 0
) -> tuple[ParityRow, ...]:
    """Compare every state and output at every step.

    Args:
        engine: Name of the engine that made ``other``.
        reference: Trace of the integer reference, (T, ...).
        other: Trace of the engine over the same frames.
        allowed_lsb: Difference of y that is no failure, see `EngineKind.known_lsb`; states have
            every bit.

    Raises:
        EngineError: If the engine gave other states, or values of another shape or type.
    """
    if set(other.states) != set(reference.states):
        raise EngineError(
            f"Engine {engine} gave the states {', '.join(other.states)}; "
            f"expected {', '.join(reference.states)}."
        )
    y = _row(engine, "y", reference.outputs, other.outputs)
    rows = [replace(y, allowed_lsb=allowed_lsb)]
    for name, expected in reference.states.items():
        rows.append(_row(engine, name, expected, other.states[name]))
    return tuple(rows)


def _row(engine: str, tensor: str, expected: Array, actual: Array) -> ParityRow:
    if expected.shape != actual.shape or expected.dtype != actual.dtype:
        raise EngineError(
            f"Engine {engine} gave {tensor} as {actual.dtype} {actual.shape}; "
            f"expected {expected.dtype} {expected.shape}."
        )
    difference = np.abs(expected.astype(np.int64) - actual.astype(np.int64))
    steps = np.flatnonzero(difference.any(axis=1))
    return ParityRow(
        engine=engine,
        tensor=tensor,
        steps=len(expected),
        differing=int(np.count_nonzero(difference)),
        max_lsb=int(difference.max(initial=0)),
        first_step=int(steps[0]) if len(steps) else None,
    )
