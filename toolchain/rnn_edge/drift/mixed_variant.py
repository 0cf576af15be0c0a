"""What quantizers do in a variant of a model, beside what the model says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from rnn_edge.errors import ModelError
from rnn_edge.fixedpoint import logistic, round_scale_up, tanh
from rnn_edge.types import Array
from rnn_edge.types.quantized_model import (
    CANDIDATE_EXPONENT,
    GATE_EXPONENT,
    HIDDEN_EXPONENT,
)

INT16_INPUTS = np.arange(-32768, 32768)


@dataclass(frozen=True)
class Grid:
    """A format in place of int16 at a tensor's own scale.

    Attributes:
        shift: Added to the exponent of the scale; 8 with 8 bits is an int8 of the same range,
            -1 with 16 bits halves scale and range.
        bits: Width, 2 to 32.
    """

    shift: int
    bits: int = 16

    def __post_init__(self) -> None:
        if not 2 <= self.bits <= 32:
            raise ModelError(f"Bits of a grid: {self.bits}; expected 2 to 32.")

    def place(self, values: Array, exponent: int) -> Array:
        """Return real values rounded to this grid, float64 in real units.

        Args:
            values: float64.
            exponent: Of the scale that the model gives the tensor.
        """
        return round_to(values, exponent + self.shift, self.bits) * 2.0 ** (exponent + self.shift)


@dataclass(frozen=True, eq=False)
class Variant:
    """Changes to what quantizers do where they are on; none of them is a setting of a build.

    Attributes:
        grids: Another format by name of a quantizer of activations.
        weight_bits: Width of the weights, rounded anew from the float model, by name of a
            quantizer of weights.
        tables: Another table by name of its quantizer: int16 (65536,), the value at 2^-15 of every
            int16 input from -32768 on.
    """

    grids: Mapping[str, Grid] = field(default_factory=dict)
    weight_bits: Mapping[str, int] = field(default_factory=dict)
    tables: Mapping[str, Array] = field(default_factory=dict)

    @property
    def names(self) -> set[str]:
        """Quantizers that are changed."""
        return {*self.grids, *self.weight_bits, *self.tables}


def round_to(values: Array, exponent: int, bits: int = 16) -> Array:
    """Return real values in units of 2**exponent, to nearest and saturated, float64."""
    limit = 2.0 ** (bits - 1)
    scaled = np.floor(values * 2.0**-exponent + 0.5)
    return np.asarray(np.clip(scaled, -limit, limit - 1.0))


def rounded_rows(weight: Array, bits: int) -> Array:
    """Return rows rounded to the given width, each at its own scale, float64 in real units.

    Args:
        weight: float (N, K).
        bits: 2 to 16.

    Raises:
        ModelError: For another width.
    """
    if not 2 <= bits <= 16:
        raise ModelError(f"Bits of weights: {bits}; expected 2 to 16.")
    exact = np.asarray(weight, np.float64)
    largest = np.abs(exact).max(axis=1)
    scale = round_scale_up(largest / (2.0 ** (bits - 1) - 1.0)).astype(np.float64)[:, None]
    return np.asarray(np.rint(exact / scale) * scale)


@cache
def kernel_table(kind: str) -> Array:
    """Return the table of LOGISTIC or TANH over all int16 inputs, int16 (65536,), read-only."""
    if kind == "logistic":
        table = logistic(INT16_INPUTS, GATE_EXPONENT)
    else:
        table = tanh(INT16_INPUTS, CANDIDATE_EXPONENT)
    table.setflags(write=False)
    return table


def looked_up(table: Array, x: Array) -> Array:
    """Return the table's values at int16 inputs, int16."""
    return np.asarray(table[x.astype(np.int64) + 32768])


def interpolated(
    table: Array, values: Array, exponent: int, exact: Callable[[Array], Array]
) -> Array:
    """Return the table's values at real inputs, int16.

    Between two int16 inputs the table is continued linearly, and beyond its ends with the slope
    of the exact function: what is measured of a table alone is the table, and neither the rounding
    nor the saturation of its input.

    Args:
        table: int16 (65536,).
        values: float64, in real units.
        exponent: Of the scale of the table's input.
        exact: What the table stands for.
    """
    scale = 2.0**exponent
    inside = np.clip(values, -32768.0 * scale, 32767.0 * scale)
    position = inside / scale + 32768.0
    index = np.minimum(position.astype(np.int64), 65534)
    low = table[index].astype(np.float64)
    high = table[index + 1].astype(np.float64)
    beyond = (exact(values) - exact(inside)) * 2.0**-HIDDEN_EXPONENT
    found = np.floor(low + (position - index) * (high - low) + beyond + 0.5)
    return np.asarray(np.clip(found, -32768, 32767).astype(np.int16))
