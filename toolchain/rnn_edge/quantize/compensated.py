"""Learned rounding: the weights of a unit are rounded together, so that its state stays in place.

Rounding each weight to the nearest step keeps the weights close. What a stream shows is the
hidden state, and there the errors of a unit's weights add up, over its inputs, its gates and the
steps that it remembers. So all rows of a unit are rounded together (`lattice.round_together`),
by the second moments of what their errors do to its state on the calibration streams (`moments`).
The biases take what is left of the mean error; they are fine enough to cost nothing. Scales,
formats and the step itself stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rnn_edge.errors import ModelError
from rnn_edge.quantize.effects import layer_effects
from rnn_edge.quantize.lattice import objective, round_together
from rnn_edge.quantize.moments import UnitMoments, late_start, unit_moments
from rnn_edge.quantize.rounding import RoundedMatrix, quantize_rows
from rnn_edge.types import Array, FloatModel, RecurrentWeights

FRAMES = 32768
"""Calibration frames that are used at most, the first steps of every stream."""
DAMPING = 0.01
"""Least share added to the diagonal."""
FRAMES_PER_WEIGHT = 4
"""Frames needed for each weight of a unit; with fewer the errors fit those frames alone."""
ON_GRID = 2.0**-4
"""A weight so close to a step, in steps, stands on it: fine-tuning draws weights that far."""


@dataclass(frozen=True, eq=False)
class _Rows:
    """The rows of U units side by side.

    Attributes:
        target: float64 (U, K), in units of the steps.
        step: float64 (U, K), row scales.
        is_zero: bool (U, K), weights that are none and stay so: the C may leave them out.
    """

    target: Array
    step: Array
    is_zero: Array


def compensate(model: FloatModel, streams: Array) -> dict[str, RoundedMatrix]:
    """Round every matrix of a model by what its errors do on calibration streams.

    A unit keeps weights rounded to nearest, and its biases, where the last quarter of the streams
    shows no gain from what the first three quarters ask for.

    Args:
        model: The model.
        streams: float32 (B, T, D) normalised frames; each stream starts from a zero state and is
            never reset. B * T at least `FRAMES_PER_WEIGHT` for each weight of a unit.

    Returns:
        Codes, scales and biases by the names of `QuantizedModel.matrices`. The same input gives
        the same integers on the same machine.

    Raises:
        ModelError: If the streams have another shape, are too short or hold what is no finite
            number.
    """
    x = _time_first(model, streams)
    found: dict[str, RoundedMatrix] = {}
    for k, weights in enumerate(model.layers):
        effects = layer_effects(weights, x)
        matrices = _Layer(weights)
        for moments in unit_moments(effects, x):
            matrices.settle(moments, [gate.is_apart for gate in effects.gates], len(x))
        found[f"layer{k}.x"], found[f"layer{k}.h"] = matrices.rounded(
            [gate.has_own_recurrent_bias for gate in effects.gates]
        )
        x = effects.hidden
    found["head"] = _head(model, x)
    return found


def _time_first(model: FloatModel, streams: Array) -> Array:
    """Return the frames that are used as float32 (T, B, D)."""
    if streams.ndim != 3 or streams.shape[2] != model.inputs or streams.shape[1] < 2:
        raise ModelError(
            f"Compensated rounding: streams of shape {streams.shape}; expected (streams, frames, "
            f"features) = (B, T, {model.inputs}), at least two frames.",
            'give longer calibration streams, or round to nearest: quantize.rounding = "nearest"',
        )
    if not np.isfinite(streams).all():
        raise ModelError(
            "Compensated rounding: a frame is not a finite number.",
            "look for gaps in the training data",
        )
    frames = streams.shape[0] * streams.shape[1]
    needed = FRAMES_PER_WEIGHT * max(
        w.w_x.size // w.hidden + w.w_h.size // w.hidden for w in model.layers
    )
    if frames < needed:
        raise ModelError(
            f"Compensated rounding: {frames:,} calibration frames; expected at least {needed:,}, "
            f"{FRAMES_PER_WEIGHT} for each weight of a unit.",
            "raise quantize.calibration_steps or quantize.calibration_streams, or round to "
            'nearest: quantize.rounding = "nearest"',
        )
    steps = min(streams.shape[1], max(2, FRAMES // max(1, streams.shape[0])))
    return np.ascontiguousarray(streams[:, :steps].transpose(1, 0, 2), dtype=np.float32)


class _Layer:
    """Collects the rounded rows of a layer, unit by unit."""

    def __init__(self, weights: RecurrentWeights) -> None:
        hidden, inputs = weights.hidden, weights.inputs
        self._gates = len(weights.w_h) // hidden
        self._hidden, self._inputs = hidden, inputs
        self._bias = [
            np.array(b, np.float64).reshape(-1, hidden) for b in (weights.b_x, weights.b_h)
        ]
        self._scale = [quantize_rows(w)[1] for w in (weights.w_x, weights.w_h)]
        blocks, steps, zeros = [], [], []
        for g in range(self._gates):
            rows = slice(g * hidden, (g + 1) * hidden)
            for w, scale in zip((weights.w_x, weights.w_h), self._scale, strict=True):
                step = scale[rows].astype(np.float64)[:, None]
                blocks.append(w[rows] / step)
                steps.append(np.broadcast_to(step, w[rows].shape))
                zeros.append(w[rows] == 0.0)
        self._rows = _Rows(
            _snapped(np.concatenate(blocks, 1)), np.concatenate(steps, 1), np.concatenate(zeros, 1)
        )
        self._codes = np.rint(self._rows.target)
        self._shift = np.zeros((hidden, 2 * self._gates))

    def settle(self, moments: UnitMoments, is_apart: list[bool], steps: int) -> None:
        """Round the rows of a block of units."""
        own = slice(moments.units.start, moments.units.stop)
        rows = _Rows(self._rows.target[own], self._rows.step[own], self._rows.is_zero[own])
        width = self._inputs + self._hidden
        related = _related(is_apart, width, moments.biases)
        allowed = replace(moments, early=moments.early * related, late=moments.late * related)
        codes, shift = _settled(rows, allowed, 1.0 - late_start(steps) / steps)
        self._codes[own], self._shift[own, : shift.shape[1]] = codes, shift

    def rounded(self, has_second: list[bool]) -> tuple[RoundedMatrix, RoundedMatrix]:
        """Return the input and the recurrent matrix."""
        width = self._inputs + self._hidden
        codes = self._codes.reshape(self._hidden, self._gates, width).transpose(1, 0, 2)
        self._bias[0] += self._shift[:, : self._gates].T
        second = self._gates
        for g, is_there in enumerate(has_second):
            if is_there:
                self._bias[1][g] += self._shift[:, second]
                second += 1
        parts = codes[:, :, : self._inputs], codes[:, :, self._inputs :]
        x, h = (
            RoundedMatrix(part.reshape(-1, part.shape[2]).astype(np.int8), scale, bias.reshape(-1))
            for part, scale, bias in zip(parts, self._scale, self._bias, strict=True)
        )
        return x, h


def _related(is_apart: list[bool], width: int, biases: int) -> Array:
    """Return bool (P, P): whose errors may make up for whose."""
    group = np.array([g if alone else -1 for g, alone in enumerate(is_apart)])
    # Second biases belong to gates that act on their own unit.
    second = np.full(biases - len(group), -1)
    of_column = np.concatenate([np.repeat(group, width), group, second])
    return np.asarray(of_column[:, None] == of_column[None, :])


def _settled(rows: _Rows, moments: UnitMoments, late_share: float) -> tuple[Array, Array]:
    """Return codes float64 (U, K), and what is added to each bias, float64 (U, biases)."""
    count = rows.target.shape[1]
    damping = max(DAMPING, count / (count + moments.samples))

    def solved(of_errors: Array) -> tuple[Array, Array]:
        quadratic, biases = _without_biases(of_errors, count)
        steps = rows.step[:, :, None] * rows.step[:, None, :]
        codes = round_together(rows.target, quadratic * steps, damping, rows.is_zero)
        error = (codes - rows.target) * rows.step
        return codes, -np.einsum("ubk,uk->ub", biases, error)

    def left(codes: Array, shift: Array) -> Array:
        error = np.concatenate([(codes - rows.target) * rows.step, shift], axis=1)
        return objective(error, np.zeros_like(error), moments.late)

    nearest = np.rint(rows.target)
    # Tried on the first part, judged on the rest.
    is_kept = left(*solved(moments.early)) < left(nearest, np.zeros((len(nearest), moments.biases)))
    codes, shift = solved(moments.whole(late_share))
    is_kept &= (codes != nearest).any(axis=1) | (rows.target != nearest).any(axis=1)
    return (
        np.where(is_kept[:, None], codes, nearest),
        np.where(is_kept[:, None], shift, 0.0),
    )


def _without_biases(moments: Array, weights: int) -> tuple[Array, Array]:
    """Return the moments of the weights once the biases follow them, and how they follow.

    Source: the Schur complement; biases are so fine that they are as good as real numbers.
    """
    of_biases = moments[:, weights:, weights:]
    size = np.einsum("ubb->u", of_biases)
    floor = np.where(size > 0.0, 1e-9 * size, 1.0)
    of_biases = of_biases + floor[:, None, None] * np.eye(of_biases.shape[1])
    mixed = moments[:, weights:, :weights]
    follow = np.linalg.solve(of_biases, mixed)
    rest = moments[:, :weights, :weights] - np.matmul(mixed.transpose(0, 2, 1), follow)
    return rest, follow


def _head(model: FloatModel, hidden: Array) -> RoundedMatrix:
    """Round the dense head by the second moments of the hidden states, (T, B, H)."""
    weights = model.head.w
    _, scale = quantize_rows(weights)
    step = np.broadcast_to(scale.astype(np.float64)[:, None], weights.shape)
    rows = _Rows(_snapped(weights / step), step, weights == 0.0)
    border = late_start(len(hidden))

    def second(part: Array) -> Array:
        flat = part.reshape(-1, part.shape[2]).astype(np.float64)
        with_one = np.concatenate([flat, np.ones((len(flat), 1))], axis=1)
        mean = with_one.T @ with_one / len(flat)
        return np.broadcast_to(mean, (len(weights), *mean.shape))

    samples = hidden.shape[0] * hidden.shape[1]
    early, late = second(hidden[:border]), second(hidden[border:])
    moments = UnitMoments(range(len(weights)), early, late, samples, 1)
    codes, shift = _settled(rows, moments, 1.0 - border / len(hidden))
    return RoundedMatrix(codes.astype(np.int8), scale, model.head.b + shift[:, 0])


def _snapped(target: Array) -> Array:
    """Return float64 steps; what stands on a step but for the rounding of float32 is put there."""
    exact = np.asarray(target, np.float64)
    whole = np.rint(exact)
    return np.where(np.abs(exact - whole) <= ON_GRID, whole, exact)
