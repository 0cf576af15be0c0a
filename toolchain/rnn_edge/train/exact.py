"""The integer layer in TensorFlow: forward bit for bit, backward straight through.

The forward pass computes what `rnn_edge.reference` computes: element-wise steps in int32, matrix
products in float64, where sums of int16 x int8 products and their 15-bit multipliers are exact.
The backward pass takes the gradient of the float cell at the quantized weights, gates and states.

Source:
    Bengio, Leonard and Courville, "Estimating or propagating gradients through stochastic neurons"
    (2013): the straight-through estimator.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from rnn_edge import fixedpoint
from rnn_edge.fixedpoint.scales import MANTISSA_BITS, SMALLEST_ROW_SCALE
from rnn_edge.train import cells
from rnn_edge.train.cells import LayerTensors, Tape, Tensor
from rnn_edge.train.network import LayerFunction
from rnn_edge.types import Array, CellKind
from rnn_edge.types.quantized_model import (
    CANDIDATE_EXPONENT,
    DIFFERENCE_EXPONENT,
    GATE_EXPONENT,
    HIDDEN_EXPONENT,
)

_ALL_INT16 = np.arange(-32768, 32768).astype(np.int16)
LOGISTIC = fixedpoint.logistic(_ALL_INT16, GATE_EXPONENT).astype(np.int32)
"""int32 [65536], LOGISTIC of every int16 input, from -32768 up."""
TANH = fixedpoint.tanh(_ALL_INT16, CANDIDATE_EXPONENT).astype(np.int32)
"""int32 [65536], TANH of every int16 input."""


class ExactMatrix(NamedTuple):
    """A rounded matrix.

    Attributes:
        codes: float64 [N, K], whole numbers -127..127.
        scale: float64 [N], row scales.
    """

    codes: Tensor
    scale: Tensor

    def real(self) -> Tensor:
        """Returns the values the codes stand for, float32 [N, K]."""
        return tf.cast(self.codes * self.scale[:, None], tf.float32)


def row_scales(weight: Tensor) -> Tensor:
    """Returns max|w|/127 of each row rounded up to an odd 15-bit mantissa, float64 [N].

    Args:
        weight: float32 [N, K].
    """
    largest = tf.reduce_max(tf.abs(tf.cast(weight, tf.float64)), 1) / 127.0
    bits = tf.bitcast(tf.maximum(largest, SMALLEST_ROW_SCALE), tf.int64)
    # A float64 has 52 fraction bits; adding all ones below the kept ones carries where needed.
    dropped = (1 << (53 - MANTISSA_BITS)) - 1
    kept = tf.bitwise.bitwise_and(bits + dropped, ~dropped)
    return tf.bitcast(tf.bitwise.bitwise_or(kept, dropped + 1), tf.float64)


def round_matrix(weight: Tensor) -> ExactMatrix:
    """Rounds a float32 [N, K] matrix as `rnn_edge.quantize.quantize_rows` does."""
    scale = row_scales(weight)
    return ExactMatrix(tf.round(tf.cast(weight, tf.float64) / scale[:, None]), scale)


def on_grid(weight: Tensor) -> Tensor:
    """Returns the values of the rounded matrix; the gradient goes straight through."""
    return weight + tf.stop_gradient(round_matrix(weight).real() - weight)


def rounded_layer(kinds: Sequence[CellKind]) -> LayerFunction:
    """Returns the float cells with weights on the int8 grid, as a function of a layer.

    Args:
        kinds: The cell of each layer.
    """

    def run(
        k: int, weights: LayerTensors, x: Tensor, state: tuple[Tensor, ...], mask: Tensor | None
    ) -> tuple[Tensor, ...]:
        rounded = weights._replace(w_x=on_grid(weights.w_x), w_h=on_grid(weights.w_h))
        return cells.layer(kinds[k], rounded, x, state, mask)

    return run


def round_bias(bias: Tensor, matrix: ExactMatrix, input_exponent: int) -> Tensor:
    """Returns a float32 [N] bias as float64 whole numbers at input scale x row scale."""
    return tf.round(tf.cast(bias, tf.float64) / (2.0**input_exponent * matrix.scale))


def product(x: Tensor, matrix: ExactMatrix, bias: Tensor, input_exponent: int) -> Tensor:
    """FULLY_CONNECTED into gate pre-activations.

    Args:
        x: float64 [..., K], whole numbers of an int16 at scale 2**input_exponent.
        matrix: Rounded weights.
        bias: float64 [N], whole numbers.
        input_exponent: See `x`.

    Returns:
        int32 [..., N] within int16, scale 2^-11.
    """
    accumulator = tf.tensordot(x, matrix.codes, [[len(x.shape) - 1], [1]]) + bias
    scaled = accumulator * (matrix.scale * 2.0 ** (input_exponent - GATE_EXPONENT))
    # Saturating before the cast: a float64 beyond int32 has no defined integer.
    return tf.cast(tf.clip_by_value(tf.floor(scaled + 0.5), -32768.0, 32767.0), tf.int32)


def saturate(value: Tensor) -> Tensor:
    """Clamps int32 to the range of int16."""
    return tf.clip_by_value(value, -32768, 32767)


def shift_half_away(value: Tensor, shift: int) -> Tensor:
    """Divides int32 by 2**shift, to nearest, ties away from zero."""
    if shift == 0:
        return value
    half = 1 << (shift - 1)
    right = tf.bitwise.right_shift
    return tf.where(value >= 0, right(value + half, shift), -right(half - value, shift))


def rescale(value: Tensor, exponent: int) -> Tensor:
    """Multiplies int32 by 2**exponent with the two roundings of MUL and QUANTIZE, to int16."""
    if exponent >= 0:
        return saturate(tf.bitwise.left_shift(value, exponent))
    halved = tf.bitwise.right_shift(value + 1, 1)
    return saturate(shift_half_away(halved, -exponent - 1))


def look_up(table: Array, position: Tensor) -> Tensor:
    """Reads a table of all int16 inputs."""
    return tf.gather(tf.constant(table), position + 32768)


def into_tanh(total: Tensor) -> Tensor:
    """Brings a sum of two int16 at the gates' scale to the scale of TANH, saturated."""
    finer = GATE_EXPONENT - CANDIDATE_EXPONENT
    return saturate(tf.bitwise.left_shift(total, finer))


def mixed(h: Tensor, z: Tensor, n: Tensor) -> Tensor:
    """Returns n + z * (h - n) of a GRU, all int32 within int16 at scale 2^-15."""
    coarser = DIFFERENCE_EXPONENT - HIDDEN_EXPONENT
    step = rescale(z * shift_half_away(h - n, coarser), HIDDEN_EXPONENT)
    return saturate(n + tf.bitwise.left_shift(step, coarser))


def real(value: Tensor, exponent: int) -> Tensor:
    """Returns int16 values at a power-of-two scale as float32, exactly."""
    return tf.cast(value, tf.float32) * 2.0**exponent


def whole(value: Tensor, exponent: int) -> Tensor:
    """Returns float32 values on the grid 2**exponent as int32; others are rounded onto it."""
    scaled = tf.round(value * 2.0**-exponent)
    return tf.cast(tf.clip_by_value(scaled, -32768.0, 32767.0), tf.int32)


class ExactLayer:
    """Computes the layers of a network as the integer program does; see `network.LayerFunction`."""

    def __init__(
        self,
        kinds: Sequence[CellKind],
        input_exponent: int,
        cell_exponents: Sequence[int | None],
    ) -> None:
        """Fixes the scales.

        Args:
            kinds: The cell of each layer.
            input_exponent: Frames are int16 at scale 2**input_exponent.
            cell_exponents: Scale of the LSTM cell of each layer; None for others.
        """
        self._kinds = tuple(kinds)
        self._input_exponent = input_exponent
        self._cell_exponents = tuple(cell_exponents)

    def __call__(
        self,
        k: int,
        weights: LayerTensors,
        x: Tensor,
        state: tuple[Tensor, ...],
        mask: Tensor | None,
    ) -> tuple[Tensor, ...]:
        """Runs layer k; the states are float32 on the integer grid."""
        input_exponent = self._input_exponent if k == 0 else HIDDEN_EXPONENT
        exponents: tuple[int, ...] = (HIDDEN_EXPONENT,)
        kind, cell_exponent = self._kinds[k], self._cell_exponents[k]
        if cell_exponent is not None:
            exponents = (HIDDEN_EXPONENT, cell_exponent)

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def run(*tensors: Tensor) -> tuple[tuple[Tensor, ...], object]:
            own = LayerTensors(*tensors[:4])
            frames = whole(tensors[4], input_exponent)
            entering = tuple(tensors[5:])
            w_x, w_h = round_matrix(own.w_x), round_matrix(own.w_h)
            b_x = round_bias(own.b_x, w_x, input_exponent)
            b_h = round_bias(own.b_h, w_h, HIDDEN_EXPONENT)
            gx = product(tf.cast(frames, tf.float64), w_x, b_x, input_exponent)
            whole_state = tuple(whole(s, e) for s, e in zip(entering, exponents, strict=True))
            tape = integer_forward(kind, gx, w_h, b_h, whole_state, mask, cell_exponent)
            rounded = own._replace(w_x=w_x.real(), w_h=w_h.real())

            def gradient(*upstream: Tensor) -> tuple[Tensor, ...]:
                d_weights, d_x, d_state = cells.backward(
                    kind,
                    rounded,
                    real(frames, input_exponent),
                    entering,
                    mask,
                    tape,
                    upstream,
                )
                return (*d_weights, d_x, *d_state)

            return tape.states, gradient

        return tuple(run(*weights, x, *state))


def integer_forward(
    kind: CellKind,
    gx: Tensor,
    w_h: ExactMatrix,
    b_h: Tensor,
    state: tuple[Tensor, ...],
    mask: Tensor | None,
    cell_exponent: int | None,
) -> Tape:
    """Runs the integer program of a layer over time.

    Args:
        kind: The cell.
        gx: int32 [T, B, G*H], product with the input at scale 2^-11.
        w_h: Rounded recurrent kernel.
        b_h: Its bias, whole numbers.
        state: int32 [B, H] each.
        mask: float32 [T, B, 1] or None.
        cell_exponent: Scale of the LSTM cell.

    Returns:
        The tape in real values.
    """
    unit = HIDDEN_EXPONENT

    def gru(t: Tensor, h: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        gh = product(tf.cast(h, tf.float64), w_h, b_h, unit)
        xr, xz, xn = tf.split(gx[t], 3, axis=1)
        hr, hz, hn = tf.split(gh, 3, axis=1)
        r, z = look_up(LOGISTIC, saturate(xr + hr)), look_up(LOGISTIC, saturate(xz + hz))
        gated = rescale(r * hn, unit)
        n = look_up(TANH, into_tanh(xn + gated))
        new = cells.keep(mask, t, mixed(h, z, n), h)
        gates = real(tf.concat([r, z, n], 1), unit)
        return (new,), (gates, real(hn, GATE_EXPONENT), real(new, unit))

    def gru_reset_before(t: Tensor, h: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        cut = 2 * h.shape[1]
        gates_h = ExactMatrix(w_h.codes[:cut], w_h.scale[:cut])
        candidate_h = ExactMatrix(w_h.codes[cut:], w_h.scale[cut:])
        xr, xz, xn = tf.split(gx[t], 3, axis=1)
        hr, hz = tf.split(product(tf.cast(h, tf.float64), gates_h, b_h[:cut], unit), 2, axis=1)
        r, z = look_up(LOGISTIC, saturate(xr + hr)), look_up(LOGISTIC, saturate(xz + hz))
        rh = rescale(r * h, unit)
        hn = product(tf.cast(rh, tf.float64), candidate_h, b_h[cut:], unit)
        n = look_up(TANH, into_tanh(xn + hn))
        new = cells.keep(mask, t, mixed(h, z, n), h)
        return (new,), (real(tf.concat([r, z, n], 1), unit), real(rh, unit), real(new, unit))

    def rnn(t: Tensor, h: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        n = look_up(TANH, into_tanh(gx[t] + product(tf.cast(h, tf.float64), w_h, b_h, unit)))
        new = cells.keep(mask, t, n, h)
        return (new,), (real(n, unit), real(n, unit), real(new, unit))

    def lstm(t: Tensor, h: Tensor, c: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        if cell_exponent is None:
            raise AssertionError("an LSTM layer has a cell exponent")
        a = saturate(gx[t] + product(tf.cast(h, tf.float64), w_h, b_h, unit))
        ai, af, ag, ao = tf.split(a, 4, axis=1)
        i, f, o = (look_up(LOGISTIC, gate) for gate in (ai, af, ao))
        g = look_up(TANH, rescale(ag, GATE_EXPONENT - CANDIDATE_EXPONENT))
        raw = saturate(rescale(f * c, unit) + rescale(i * g, 2 * unit - cell_exponent))
        squashed = look_up(TANH, rescale(raw, cell_exponent - CANDIDATE_EXPONENT))
        new_h = cells.keep(mask, t, rescale(o * squashed, unit), h)
        new_c = cells.keep(mask, t, raw, c)
        gates = real(tf.concat([i, f, g, o], 1), unit)
        emitted = (gates, real(squashed, unit), real(new_h, unit), real(new_c, cell_exponent))
        return (new_h, new_c), emitted

    bodies = {"gru": gru, "gru_reset_before": gru_reset_before, "lstm": lstm, "rnn": rnn}
    _, emitted = cells.loop(bodies[kind], gx.shape[0], state, 2 + cells.state_count(kind))
    return Tape(emitted[0], emitted[1], tuple(emitted[2:]))
