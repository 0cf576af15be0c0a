"""Where the values of a signal stand while operators of an ONNX graph move its axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_edge.types import Array


@dataclass(frozen=True)
class Sizes:
    """Lengths for which a graph is followed: steps T and streams B."""

    steps: int
    streams: int


@dataclass(frozen=True, eq=False)
class Signal:
    """The frames, or what a layer made of them.

    Attributes:
        places: int64, in the shape that the value has in the graph; each element is the place
            ``(t*B + b)*width + k`` of the number that stands there. Before the first layer it is
            the place in the graph's input.
        width: Numbers of one frame.
        stage: How many operators have computed something since the input.
        lost: Why it can no longer be read, as the end of a sentence; empty while it can.
    """

    places: Array
    width: int
    stage: int
    lost: str = ""


@dataclass(frozen=True)
class State:
    """A recurrent state beside the signal.

    Attributes:
        is_start: Whether it comes from an input of the graph, which is zero at the start.
    """

    is_start: bool


def of_layer(sizes: Sizes, width: int) -> Array:
    """Return the places of a layer's outputs, int64 (T, B, width)."""
    count = sizes.steps * sizes.streams * width
    return np.arange(count, dtype=np.int64).reshape(sizes.steps, sizes.streams, width)


def of_last_step(places: Array, sizes: Sizes, width: int) -> Array:
    """Return those of the places that belong to the last step, in their order, int64 (N,)."""
    flat = places.ravel()
    last: Array = flat[flat // (sizes.streams * width) == sizes.steps - 1]
    return last


def rows_of(signal: Signal) -> Array | None:
    """Return the frame ``t*B + b`` of each row, int64 of the shape without its last axis.

    Returns:
        None if the last axis is not one frame's numbers, all of them, in order.
    """
    places = signal.places
    if places.ndim == 0 or places.shape[-1] != signal.width:
        return None
    rows: Array = places[..., 0] // signal.width
    own = rows[..., None] * signal.width + np.arange(signal.width)
    return rows if np.array_equal(own, places) else None


def is_sequence(signal: Signal, sizes: Sizes) -> bool:
    """Return whether a signal is [T, B, width] or [B, T, width], or of the last step [B, width].

    T and B may be one axis; axes of length 1 may stand anywhere.
    """
    if signal.width == 1:
        signal = Signal(signal.places[..., None], 1, signal.stage)
    rows = rows_of(signal)
    if rows is None:
        return False
    lengths = [length for length in rows.shape if length != 1]
    order = np.arange(sizes.steps * sizes.streams).reshape(sizes.steps, sizes.streams)
    for wanted in (order, order.T, order[-1]):
        shapes = ([length for length in wanted.shape if length != 1], [wanted.size])
        if np.array_equal(rows.ravel(), wanted.ravel()) and (
            lengths in shapes or (not lengths and wanted.size == 1)
        ):
            return True
    return False


def is_frames(places: Array, shape: Sequence[int]) -> bool:
    """Return whether values are the graph's input with whole axes moved, and nothing else.

    Args:
        places: int64 (T, B, D), places in the input.
        shape: Shape of the input. Time and streams must each be one of its axes; the features may
            be several that follow each other.
    """
    if places.ndim != 3 or places.size != math.prod(shape) or not places.size:
        return False
    strides = [math.prod(shape[k + 1 :]) for k in range(len(shape))]
    axes = list(zip(shape, strides, strict=True))
    groups = [
        (math.prod(shape[i : j + 1]), strides[j])
        for i in range(len(shape))
        for j in range(i, len(shape))
    ]
    expected = np.zeros((), np.int64)
    for axis, known in enumerate((axes, axes, groups)):
        length = places.shape[axis]
        index: list[Any] = [0, 0, 0]
        index[axis] = min(1, length - 1)
        stride = int(places[tuple(index)] - places[0, 0, 0])
        if length > 1 and (length, stride) not in known:
            return False
        steps = np.arange(length, dtype=np.int64) * stride
        expected = expected + steps.reshape([length if k == axis else 1 for k in range(3)])
    return np.array_equal(places, expected)
