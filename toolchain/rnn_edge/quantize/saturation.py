"""Refusal of models whose saturation is certain.

Saturation is *certain* in exactly these cases:

1. The sum of a row could leave the 48 bits that every kernel rescales (its bound is 2^47 or
   more). Weights and inputs alone stay far below, so that its bias is beyond any output's range.
2. By proof: the analytic interval of an element, before saturation, lies outside int16 as a
   whole. Then the element saturates at every step of every stream, whatever the input: a bias
   beyond the range with no input that can bring it back. The interval holds every value that can
   occur, so that this is never said of an element that could stay inside.
3. On the calibration data: an element saturates at every step of the second half of every
   calibration stream. This says of the input that its scale cannot hold the data, and of a
   cell that its scale is too small. The first half is the time that a state may take to fill.

Cases 2 and 3 leave out tensors that only go into LOGISTIC or TANH: these are flat where the
format ends, so that nothing is lost, and a gate that stays open is no fault. Everything less is
possible and not certain: it is counted and reported, and never refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from rnn_edge.errors import ModelError
from rnn_edge.fixedpoint import INT16_MAX, INT16_MIN, accumulator_bound
from rnn_edge.quantize.intervals import Interval
from rnn_edge.quantize.observation import Observation
from rnn_edge.quantize.squashing import squashing_functions
from rnn_edge.types import QuantizedModel
from rnn_edge.types.program import FullyConnected, Program, Tensor

SUM_BITS = 48
"""Width of the accumulator that kernels rescale (TFLite
``MultiplyByQuantizedMultiplier(int64)``)."""


def refuse_wide_sums(model: QuantizedModel) -> None:
    """Refuse a matrix with a row whose sums kernels cannot rescale (case 1).

    Raises:
        ModelError: Naming matrix and row.
    """
    for name, matrix in model.matrices.items():
        proof = accumulator_bound(name, matrix)
        if proof.bits > SUM_BITS:
            raise ModelError(
                f"Matrix {name}, row {proof.row}: sums of up to {proof.bits} bits; "
                f"expected at most {SUM_BITS}.",
                "its bias saturates the output at every step; check the training data for "
                "constant channels and outliers",
            )


def refuse_proved_saturation(program: Program, tensors: Mapping[str, Interval]) -> None:
    """Refuse an element that is outside int16 for every input (case 2).

    Args:
        program: The step.
        tensors: From `step_intervals`, for an invariant.

    Raises:
        ModelError: Naming tensor, element and the value nearest to the range.
    """
    for name, tensor in program.tensors.items():
        interval = tensors[name]
        above, below = interval.low > INT16_MAX, interval.high < INT16_MIN
        if not (above | below).any() or squashing_functions(program, name):
            continue
        element = int(np.argmax(above | below))
        nearest = interval.low[element] if above[element] else interval.high[element]
        word = "least" if above[element] else "most"
        value = math.ldexp(int(nearest), tensor.exponent)
        raise ModelError(
            f"Tensor {name}, element {element}: at {word} {value:.6g} for every input, so that it "
            f"saturates at every step; {_range_of(tensor)}.",
            "a bias alone drives it there; check the training curves for divergence and the "
            "training data for constant channels and outliers",
        )


def refuse_observed_saturation(program: Program, seen: Observation) -> None:
    """Refuse an element that saturates throughout the calibration streams (case 3).

    Args:
        program: The step.
        seen: What the streams did.

    Raises:
        ModelError: Naming tensor, element and range.
    """
    for name, tensor in program.tensors.items():
        stuck = seen.stuck[name]
        if not stuck.any() or squashing_functions(program, name):
            continue
        element = int(np.argmax(stuck))
        low, high = (
            math.ldexp(int(ends[name][element]), tensor.exponent) for ends in (seen.low, seen.high)
        )
        steps = seen.steps - seen.steps // 2
        raise ModelError(
            f"Tensor {name}, element {element}: saturates at every one of the last {steps:,} "
            f"steps of all {seen.streams} calibration streams, with values from {low:.6g} to "
            f"{high:.6g}; {_range_of(tensor)}.",
            _hint(program, name),
        )


def _range_of(tensor: Tensor) -> str:
    low, high = (math.ldexp(end, tensor.exponent) for end in (INT16_MIN, INT16_MAX))
    return f"expected {low:.6g} to {high:.6g}, the range at scale 2^{tensor.exponent}"


def _hint(program: Program, name: str) -> str:
    if name == program.x:
        return (
            "the frames are not normalised as the training data was; check its outliers and "
            "constant channels"
        )
    chosen = {leaving for _, leaving in program.states.values()}
    # The head is the last matrix; its scale is chosen whatever becomes of its outputs.
    chosen.add([op.out for op in program.ops if isinstance(op, FullyConnected)][-1])
    if name in chosen:
        return "raise quantize.headroom_bits, or lower student.cell_limit and qat.cell_limit"
    return "check the training curves for divergence"
