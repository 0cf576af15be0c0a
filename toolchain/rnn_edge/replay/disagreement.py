"""How far two runtimes of the same file are apart, in units of the last place."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rnn_edge.types import Array, Trace
from rnn_edge.types.replay import DisagreementRow


def compare_runtimes(
    one: Trace, other: Trace, units: Mapping[str, float]
) -> tuple[DisagreementRow, ...]:
    """Compare every output and state at every step.

    Args:
        one: Trace (T, ...) in real units.
        other: Trace of another runtime over the same frames.
        units: Unit of the last place of y and every state.
    """
    rows = [_row("y", one.outputs, other.outputs, units["y"])]
    rows += [_row(name, one.states[name], other.states[name], units[name]) for name in one.states]
    return tuple(rows)


def _row(tensor: str, one: Array, other: Array, unit: float) -> DisagreementRow:
    # Both are whole multiples of the unit, but for the rounding of a float.
    difference = np.rint(np.abs(one.astype(np.float64) - other) / unit).astype(np.int64)
    steps = np.flatnonzero(difference.any(axis=1))
    return DisagreementRow(
        tensor=tensor,
        steps=len(one),
        values=difference.size,
        differing=int(np.count_nonzero(difference)),
        max_lsb=int(difference.max(initial=0)),
        first_step=int(steps[0]) if len(steps) else None,
    )
