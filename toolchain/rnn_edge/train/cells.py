"""Float recurrent layers over TensorFlow tensors, with their gradients written out.

The input product of all steps is one matrix product outside the loop, and so are the gradients of
both kernels; inside the loop only one product forward and one backward remain. Automatic
differentiation of the loop would accumulate the kernel gradients at every step.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import tensorflow as tf

from rnn_edge.types import GATES, CellKind

Tensor: TypeAlias = Any
"""A TensorFlow tensor; TensorFlow publishes no types to check against."""


class LayerTensors(NamedTuple):
    """Weights of one layer, in the layout of `rnn_edge.types.RecurrentWeights`."""

    w_x: Tensor
    w_h: Tensor
    b_x: Tensor
    b_h: Tensor


class Tape(NamedTuple):
    """What a forward pass keeps for the backward pass, all float32 and time-major.

    Attributes:
        gates: Activated gates [T, B, G*H], blocked in the order of `GATES`.
        inner: What else the gradient needs, [T, B, H]. GRU: recurrent product of the candidate;
            GRU that resets before it: r * h; LSTM: tanh(c'); RNN: h'.
        states: States after each step, (h,) or (h, c), each [T, B, H].
    """

    gates: Tensor
    inner: Tensor
    states: tuple[Tensor, ...]


ONE_BIAS: tuple[CellKind, ...] = ("lstm", "rnn")
"""Cells that only ever see the sum of their two biases; in training the second stays at zero."""


def state_count(kind: CellKind) -> int:
    """Returns how many state tensors a cell carries: h, or h and c."""
    return 2 if kind == "lstm" else 1


def loop(
    body: object, steps: int, carried: tuple[Tensor, ...], outputs: int, *, reverse: bool = False
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Runs a step function over time and stacks what it emits.

    Args:
        body: `body(t, *carried) -> (carried, emitted)`.
        steps: Number of steps T.
        carried: Tensors handed from step to step.
        outputs: How many tensors a step emits.
        reverse: Whether time runs backwards; emitted tensors stay in forward order.

    Returns:
        The last carried tensors, and the emitted ones stacked to [T, ...].
    """
    arrays = tuple(tf.TensorArray(tf.float32, size=steps) for _ in range(outputs))

    def step(
        i: Tensor, values: tuple[Tensor, ...], stores: tuple[tf.TensorArray, ...]
    ) -> tuple[Tensor, tuple[Tensor, ...], tuple[tf.TensorArray, ...]]:
        t = steps - 1 - i if reverse else i
        values, emitted = body(t, *values)  # type: ignore[operator]
        stores = tuple(s.write(t, e) for s, e in zip(stores, emitted, strict=True))
        return i + 1, tuple(values), stores

    _, carried, arrays = tf.while_loop(
        lambda i, *_: i < steps, step, (tf.constant(0), carried, arrays), maximum_iterations=steps
    )
    return carried, tuple(a.stack() for a in arrays)


def forward(
    kind: CellKind, weights: LayerTensors, x: Tensor, state: tuple[Tensor, ...], mask: Tensor | None
) -> Tape:
    """Runs a layer over a batch of sequences.

    Args:
        kind: The cell.
        weights: Its weights.
        x: float32 [T, B, D].
        state: State before the first step, each [B, H].
        mask: float32 [T, B, 1], 1 where a frame counts; elsewhere the state stands still.

    Returns:
        The tape; its states are the outputs.
    """
    steps = x.shape[0]
    gx = tf.tensordot(x, weights.w_x, [[2], [1]]) + weights.b_x
    if kind in ONE_BIAS:
        gx += weights.b_h
    cut = 2 * weights.w_h.shape[1]

    def gru(t: Tensor, h: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        gh = tf.matmul(h, weights.w_h, transpose_b=True) + weights.b_h
        xr, xz, xn = tf.split(gx[t], 3, axis=1)
        hr, hz, hn = tf.split(gh, 3, axis=1)
        r, z = tf.sigmoid(xr + hr), tf.sigmoid(xz + hz)
        n = tf.tanh(xn + r * hn)
        new = keep(mask, t, n + z * (h - n), h)
        return (new,), (tf.concat([r, z, n], 1), hn, new)

    def gru_reset_before(t: Tensor, h: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        gh = tf.matmul(h, weights.w_h[:cut], transpose_b=True) + weights.b_h[:cut]
        xr, xz, xn = tf.split(gx[t], 3, axis=1)
        hr, hz = tf.split(gh, 2, axis=1)
        r, z = tf.sigmoid(xr + hr), tf.sigmoid(xz + hz)
        rh = r * h
        n = tf.tanh(xn + tf.matmul(rh, weights.w_h[cut:], transpose_b=True) + weights.b_h[cut:])
        new = keep(mask, t, n + z * (h - n), h)
        return (new,), (tf.concat([r, z, n], 1), rh, new)

    def rnn(t: Tensor, h: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        n = tf.tanh(gx[t] + tf.matmul(h, weights.w_h, transpose_b=True))
        return (keep(mask, t, n, h),), (n, n, keep(mask, t, n, h))

    def lstm(t: Tensor, h: Tensor, c: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        a = gx[t] + tf.matmul(h, weights.w_h, transpose_b=True)
        ai, af, ag, ao = tf.split(a, 4, axis=1)
        i, f, g, o = tf.sigmoid(ai), tf.sigmoid(af), tf.tanh(ag), tf.sigmoid(ao)
        raw = f * c + i * g
        squashed = tf.tanh(raw)
        new_h, new_c = keep(mask, t, o * squashed, h), keep(mask, t, raw, c)
        return (new_h, new_c), (tf.concat([i, f, g, o], 1), squashed, new_h, new_c)

    bodies = {"gru": gru, "gru_reset_before": gru_reset_before, "lstm": lstm, "rnn": rnn}
    _, emitted = loop(bodies[kind], steps, state, 2 + state_count(kind))
    return Tape(emitted[0], emitted[1], tuple(emitted[2:]))


def keep(mask: Tensor | None, t: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """Returns the new state where the mask is 1 and the old one where it is 0."""
    return new if mask is None else tf.where(mask[t] > 0.0, new, old)


def backward(
    kind: CellKind,
    weights: LayerTensors,
    x: Tensor,
    state: tuple[Tensor, ...],
    mask: Tensor | None,
    tape: Tape,
    upstream: tuple[Tensor, ...],
) -> tuple[LayerTensors, Tensor, tuple[Tensor, ...]]:
    """Back-propagates through time from a tape, whichever arithmetic filled it.

    Args:
        kind: The cell.
        weights: The weights the forward pass multiplied with.
        x: float32 [T, B, D].
        state: State before the first step.
        mask: As in `forward`.
        tape: What the forward pass kept.
        upstream: Gradient with respect to each of the tape's states, [T, B, H].

    Returns:
        Gradients with respect to weights, x and state.

    Source:
        The chain rule on the cell equations; Werbos, "Backpropagation through time" (1990).
    """
    steps = x.shape[0]
    cut = 2 * weights.w_h.shape[1]
    before = tuple(
        tf.concat([first[None], after[:-1]], 0)
        for first, after in zip(state, tape.states, strict=True)
    )

    def gru(t: Tensor, carried: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        dh = upstream[0][t] + carried
        dh, skipped = masked(mask, t, dh)
        r, z, n = tf.split(tape.gates[t], 3, axis=1)
        h, hn = before[0][t], tape.inner[t]
        da_n = dh * (1.0 - z) * (1.0 - n * n)
        da_z = dh * (h - n) * z * (1.0 - z)
        da_r = da_n * hn * r * (1.0 - r)
        dgh = tf.concat([da_r, da_z, da_n * r], 1)
        previous = dh * z + tf.matmul(dgh, weights.w_h) + skipped
        return (previous,), (tf.concat([da_r, da_z, da_n], 1), dgh)

    def gru_reset_before(
        t: Tensor, carried: Tensor
    ) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        dh, skipped = masked(mask, t, upstream[0][t] + carried)
        r, z, n = tf.split(tape.gates[t], 3, axis=1)
        h = before[0][t]
        da_n = dh * (1.0 - z) * (1.0 - n * n)
        d_rh = tf.matmul(da_n, weights.w_h[cut:])
        da_z = dh * (h - n) * z * (1.0 - z)
        da_r = d_rh * h * r * (1.0 - r)
        through_gates = tf.matmul(tf.concat([da_r, da_z], 1), weights.w_h[:cut])
        previous = dh * z + d_rh * r + through_gates + skipped
        return (previous,), (tf.concat([da_r, da_z, da_n], 1),)

    def rnn(t: Tensor, carried: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        dh, skipped = masked(mask, t, upstream[0][t] + carried)
        n = tape.inner[t]
        da = dh * (1.0 - n * n)
        return (tf.matmul(da, weights.w_h) + skipped,), (da,)

    def lstm(t: Tensor, ch: Tensor, cc: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        dh, skipped_h = masked(mask, t, upstream[0][t] + ch)
        dc, skipped_c = masked(mask, t, upstream[1][t] + cc)
        i, f, g, o = tf.split(tape.gates[t], 4, axis=1)
        c, squashed = before[1][t], tape.inner[t]
        dc += dh * o * (1.0 - squashed * squashed)
        da = tf.concat(
            [
                dc * g * i * (1.0 - i),
                dc * c * f * (1.0 - f),
                dc * i * (1.0 - g * g),
                dh * squashed * o * (1.0 - o),
            ],
            1,
        )
        return (tf.matmul(da, weights.w_h) + skipped_h, dc * f + skipped_c), (da,)

    bodies = {"gru": gru, "gru_reset_before": gru_reset_before, "lstm": lstm, "rnn": rnn}
    zeros = tuple(tf.zeros_like(s) for s in state)
    d_state, emitted = loop(bodies[kind], steps, zeros, 2 if kind == "gru" else 1, reverse=True)
    dgx, dgh = emitted[0], emitted[-1]
    over_time = [[0, 1], [0, 1]]
    if kind == "gru_reset_before":
        d_w_h = tf.concat(
            [
                tf.tensordot(dgh[:, :, :cut], before[0], over_time),
                tf.tensordot(dgh[:, :, cut:], tape.inner, over_time),
            ],
            0,
        )
    else:
        d_w_h = tf.tensordot(dgh, before[0], over_time)
    gradients = LayerTensors(
        w_x=tf.tensordot(dgx, x, over_time),
        w_h=d_w_h,
        b_x=tf.reduce_sum(dgx, [0, 1]),
        b_h=tf.reduce_sum(dgh, [0, 1]),
    )
    return gradients, tf.tensordot(dgx, weights.w_x, [[2], [0]]), tuple(d_state)


def masked(mask: Tensor | None, t: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    """Splits a gradient into the part that enters the cell and the part that passes by it."""
    if mask is None:
        return gradient, tf.zeros_like(gradient)
    inside = gradient * mask[t]
    return inside, gradient - inside


def layer(
    kind: CellKind, weights: LayerTensors, x: Tensor, state: tuple[Tensor, ...], mask: Tensor | None
) -> tuple[Tensor, ...]:
    """Runs a layer so that TensorFlow can differentiate it; see `forward`.

    Returns:
        The states after each step, (h,) or (h, c), each [T, B, H].
    """

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def run(*tensors: Tensor) -> tuple[tuple[Tensor, ...], object]:
        inner, inner_x, inner_state = LayerTensors(*tensors[:4]), tensors[4], tuple(tensors[5:])
        tape = forward(kind, inner, inner_x, inner_state, mask)

        def gradient(*upstream: Tensor) -> tuple[Tensor, ...]:
            d_weights, d_x, d_state = backward(
                kind, inner, inner_x, inner_state, mask, tape, upstream
            )
            if kind in ONE_BIAS:
                d_weights = d_weights._replace(b_h=tf.zeros_like(d_weights.b_h))
            return (*d_weights, d_x, *d_state)

        return tape.states, gradient

    return tuple(run(*weights, x, *state))


def gate_count(kind: CellKind) -> int:
    """Returns the number of gate blocks G."""
    return len(GATES[kind])
