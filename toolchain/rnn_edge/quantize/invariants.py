"""Bounds on the carried state that hold at every step of a stream of any length.

A set of intervals is an invariant if it holds the zero state and a step maps it into itself. All
of int16 is one, as every tensor is saturated to it. From there a step is applied again and again:
it is monotonic, so that each round gives an invariant inside the last one, and the search may
stop at any of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnn_edge.fixedpoint import INT16_MAX
from rnn_edge.quantize.intervals import Interval, step_intervals
from rnn_edge.types.program import Binary, Program, Split
from rnn_edge.types.quantized_model import HIDDEN_EXPONENT

ROUNDS = 50
"""Enough for a state that forgets a fifth of itself at each step to settle to the unit."""


def state_invariant(program: Program) -> dict[str, Interval]:
    """Return bounds on every state (h0, c0, ...) of streams that start from zero, within int16.

    Args:
        program: One step.
    """
    found = {
        name: Interval.whole(program.tensors[entering].size)
        for name, (entering, _) in program.states.items()
    }
    for _ in range(ROUNDS):
        tensors = step_intervals(program, found)
        smaller = {
            name: _leaving(tensors, leaving) for name, (_, leaving) in program.states.items()
        }
        guess = {
            name: interval.common(_at_most(program, tensors, name))
            for name, interval in smaller.items()
        }
        # A guess counts only where a step proves it.
        if not _is_inside(smaller, guess) and _is_invariant(program, guess):
            smaller = guess
        if _is_inside(found, smaller):
            break
        found = smaller
    return found


@dataclass(frozen=True)
class Recursion:
    """A state of the form ``c' = f*c + u``; in an LSTM u is the input gate times the candidate.

    Attributes:
        gate: Tensor f, at scale 2^-15.
        added: Tensor u, at the scale of the state.
    """

    gate: str
    added: str


def find_recursion(program: Program, state: str) -> Recursion | None:
    """Return how a state (c0, ...) follows from itself, or None if it is of another form."""
    entering, leaving = program.states[state]
    makers = {op.out: op for op in program.ops if not isinstance(op, Split)}
    total = makers.get(leaving)
    if not isinstance(total, Binary) or total.kind != "add":
        return None
    scale = {name: tensor.exponent for name, tensor in program.tensors.items()}
    for kept_name, added in ((total.a, total.b), (total.b, total.a)):
        kept = makers.get(kept_name)
        if not isinstance(kept, Binary) or kept.kind != "multiply":
            continue
        for gate, factor in ((kept.a, kept.b), (kept.b, kept.a)):
            exponents = {scale[name] for name in (entering, leaving, kept_name, added)}
            if factor == entering and len(exponents) == 1 and scale[gate] == HIDDEN_EXPONENT:
                return Recursion(gate, added)
    return None


def recursion_bound(form: Recursion, tensors: Mapping[str, Interval]) -> Interval | None:
    """Return how far ``c' = f*c + u`` would go from zero in a format without ends.

    With f in [0, F], F below 1, and u in [-U, V], ``c' <= F*c + V`` gives the geometric series
    ``c <= (V + 1) / (1 - F)``; one unit covers the rounding of the product. What never adds
    anything on one side of zero keeps c on the other.

    Args:
        form: The recursion.
        tensors: From `step_intervals`, for an invariant.

    Returns:
        The bounds, or None if f may be negative or, in any element, the largest value that a gate
        can have: then the state counts as one that never forgets.
    """
    gate, added = tensors[form.gate].saturated(), tensors[form.added].saturated()
    if (gate.low < 0).any() or (gate.high >= INT16_MAX).any():
        return None
    forgotten = 1.0 - gate.high * 2.0**HIDDEN_EXPONENT
    return Interval(
        np.where(added.low < 0, np.floor((added.low - 1) / forgotten), 0.0),
        np.where(added.high > 0, np.ceil((added.high + 1) / forgotten), 0.0),
    )


def _leaving(tensors: Mapping[str, Interval], name: str) -> Interval:
    return tensors[name].saturated().with_zero()


def _at_most(program: Program, tensors: Mapping[str, Interval], state: str) -> Interval:
    """Return the recursion's bound within int16, or all of int16."""
    whole = Interval.whole(program.tensors[program.states[state][0]].size)
    form = find_recursion(program, state)
    bound = None if form is None else recursion_bound(form, tensors)
    return whole if bound is None else whole.common(bound)


def _is_invariant(program: Program, entering: Mapping[str, Interval]) -> bool:
    tensors = step_intervals(program, entering)
    leaving = {name: _leaving(tensors, tensor) for name, (_, tensor) in program.states.items()}
    return _is_inside(leaving, entering)


def _is_inside(inner: Mapping[str, Interval], outer: Mapping[str, Interval]) -> bool:
    return all(outer[name].holds(inner[name]) for name in outer)
