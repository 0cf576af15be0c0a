"""The ranges of a whole model: what is proved, what was seen, and how much room is left."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rnn_edge.cells import lower_model
from rnn_edge.errors import ModelError
from rnn_edge.fixedpoint import accumulator_bound, row_bounds
from rnn_edge.quantize.intervals import Interval, step_intervals
from rnn_edge.quantize.invariants import find_recursion, recursion_bound, state_invariant
from rnn_edge.quantize.observation import Observation, observe, observe_steps
from rnn_edge.quantize.saturation import (
    refuse_observed_saturation,
    refuse_proved_saturation,
    refuse_wide_sums,
)
from rnn_edge.quantize.squashing import squashing_functions
from rnn_edge.types import Array, QuantizedModel
from rnn_edge.types.program import (
    ArgMax,
    Binary,
    FullyConnected,
    Op,
    Program,
    Softmax,
    Split,
    Unary,
)
from rnn_edge.types.ranges import INPUT, MatrixRange, ModelRanges, ReplayedRange, Span, TensorRange


def model_ranges(model: QuantizedModel, frames: Array) -> ModelRanges:
    """Prove and measure the range of every tensor and of every sum.

    Args:
        model: The model.
        frames: float (B, T, D) normalised calibration frames; each stream starts from a zero
            state and is never reset.

    Raises:
        ModelError: If saturation is certain as `rnn_edge.quantize.saturation` defines it, or if
            there is no frame or one that is not a finite number.
    """
    _require_frames(frames)
    refuse_wide_sums(model)
    program = lower_model(model)
    tensors = analytic_intervals(program)
    refuse_proved_saturation(program, tensors)
    seen = observe(model, program, frames)
    refuse_observed_saturation(program, seen)
    makers = _makers(program)
    rows = tuple(_tensor_range(program, name, makers.get(name), tensors, seen) for name in tensors)
    return ModelRanges(rows, _matrix_ranges(model, program, seen))


def replayed_ranges(
    model: QuantizedModel, frames: Array, states: Mapping[str, Array] | None = None
) -> tuple[ReplayedRange, ...]:
    """Measure the range of every tensor on streams that no scale was chosen by.

    Args:
        model: The model.
        frames: As for `model_ranges`.
        states: Where the only stream was run before: int16 (T, H) by name, after each step.

    Raises:
        ModelError: If there is no frame or one that is not a finite number.
    """
    _require_frames(frames)
    program = lower_model(model)
    seen = (
        observe(model, program, frames)
        if states is None
        else observe_steps(model, program, frames[0], states)
    )
    makers = _makers(program)
    return tuple(
        ReplayedRange(
            name,
            _operator(program, name, makers.get(name)),
            tensor.exponent,
            Span(int(seen.low[name].min()), int(seen.high[name].max())),
            seen.streams * seen.steps * tensor.size,
            seen.saturated[name],
            squashing_functions(program, name),
        )
        for name, tensor in program.tensors.items()
    )


def _require_frames(frames: Array) -> None:
    if frames.ndim != 3 or not frames.size or not np.isfinite(frames).all():
        raise ModelError(
            f"Frames {frames.shape}: expected finite numbers of shape (streams, steps, inputs), "
            "at least one."
        )


def analytic_intervals(program: Program) -> dict[str, Interval]:
    """Return bounds on every tensor, before saturation, in the order in which a step makes them.

    They hold at every step of every stream of int16 frames that starts from a zero state, or from
    a state that such a stream can reach. Sums must fit `saturation.SUM_BITS`.
    """
    return step_intervals(program, state_invariant(program))


def _tensor_range(
    program: Program,
    name: str,
    maker: Op | None,
    tensors: Mapping[str, Interval],
    seen: Observation,
) -> TensorRange:
    tensor = program.tensors[name]
    return TensorRange(
        name,
        _operator(program, name, maker),
        tensor.size,
        tensor.exponent,
        _analytic(program, name, tensors),
        Span(int(seen.low[name].min()), int(seen.high[name].max())),
        seen.streams * seen.steps * tensor.size,
        seen.saturated[name],
        squashing_functions(program, name),
    )


def _analytic(program: Program, name: str, tensors: Mapping[str, Interval]) -> Span | None:
    """Return the bound on all elements, or None where only the format bounds them."""
    if name == program.x:
        return None
    bound: Interval | None = tensors[name]
    leaving = {tensor: state for state, (_, tensor) in program.states.items()}
    if name in leaving and not tensors[name].fits.all():
        # One step from a saturated state says nothing of how far the state would go.
        form = find_recursion(program, leaving[name])
        bound = tensors[name] if form is None else recursion_bound(form, tensors)
    return None if bound is None else Span(int(bound.low.min()), int(bound.high.max()))


def _operator(program: Program, name: str, maker: Op | None) -> str:
    match maker:
        case FullyConnected():
            return "matrix"
        case Split():
            return "split"
        case Binary(kind=kind) | Unary(kind=kind):
            return kind
        case Softmax():
            return "softmax"
        case ArgMax():
            return "arg max"
        case None:
            return INPUT if name == program.x else "state"


def _makers(program: Program) -> dict[str, Op]:
    """Return the operator that makes each tensor; input and states have none."""
    made: dict[str, Op] = {}
    for op in program.ops:
        made.update(dict.fromkeys(op.outs if isinstance(op, Split) else (op.out,), op))
    return made


def _matrix_ranges(
    model: QuantizedModel, program: Program, seen: Observation
) -> tuple[MatrixRange, ...]:
    found = []
    for name, matrix in model.matrices.items():
        bounds = row_bounds(matrix)
        # A cell may use the rows of one matrix in several products.
        sums = [
            seen.sums[op.out]
            for op in program.ops
            if isinstance(op, FullyConnected) and (op.whole or op.matrix) is matrix
        ]
        found.append(
            MatrixRange(
                accumulator_bound(name, matrix),
                min(bounds).bit_length() + 1,
                sum(bound.bit_length() < 32 for bound in bounds),
                max(sums),
            )
        )
    return tuple(found)
