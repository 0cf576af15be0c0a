"""A first layer whose units hear a stretch of neighbouring inputs each, with shared weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnn_edge.errors import ModelError
from rnn_edge.types.arrays import Array
from rnn_edge.types.float_model import GATES, CellKind

NOWHERE = -1
"""A place of no weight: a zero."""


@dataclass(frozen=True)
class LocalLayer:
    """Every stretch has the same units with the same weights, and a state of its own.

    Attributes:
        kind: The cell.
        units: Of a stretch.
        width: Inputs of a stretch.
        step: Inputs from the beginning of a stretch to that of the next.
    """

    kind: CellKind
    units: int
    width: int
    step: int

    def stretches(self, inputs: int) -> int:
        """Return how many stretches there are.

        Args:
            inputs: Input features D.

        Raises:
            ModelError: If the last stretch does not end with the last input.
        """
        further = inputs - self.width
        if further < 0 or further % self.step:
            raise ModelError(
                f"Local layer: stretches of {self.width} inputs, {self.step} apart, do not end with"
                f" the last of {inputs} inputs; expected {inputs} = {self.width} + a multiple of "
                f"{self.step}.",
                "set model.local_width or model.local_step to others",
            )
        return further // self.step + 1

    def hidden(self, inputs: int) -> int:
        """Return the units of all stretches together."""
        return self.stretches(inputs) * self.units

    def places(self, inputs: int) -> tuple[Array, Array, Array, Array]:
        """Return which shared weight stands where, `NOWHERE` for none.

        Args:
            inputs: Input features D.

        Returns:
            int32, shaped as w_x, w_h, b_x and b_h of `RecurrentWeights`. Rows are those of a gate,
            in it those of a stretch, and in it those of its units. Weights are numbered from 0
            on, each array's by themselves: by gate, unit, and input or state of the stretch.

        Raises:
            ModelError: If the stretches do not fit the inputs.
        """
        stretches, units, gates = self.stretches(inputs), self.units, len(GATES[self.kind])
        w_x = np.full((gates, stretches, units, inputs), NOWHERE, np.int32)
        w_h = np.full((gates, stretches, units, stretches, units), NOWHERE, np.int32)
        bias = np.empty((gates, stretches, units), np.int32)
        for s in range(stretches):
            first = s * self.step
            w_x[:, s, :, first : first + self.width] = _numbered(gates, units, self.width)
            w_h[:, s, :, s] = _numbered(gates, units, units)
            bias[:, s] = _numbered(gates, units)
        rows = gates * stretches * units
        flat = bias.reshape(rows)
        return w_x.reshape(rows, inputs), w_h.reshape(rows, stretches * units), flat, flat


def _numbered(*shape: int) -> Array:
    return np.arange(np.prod(shape), dtype=np.int32).reshape(shape)


def widths(locals_: Sequence[LocalLayer], inputs: int) -> tuple[int, ...]:
    """Return the inputs of each of several local layers, and last the units that these end with.

    Args:
        locals_: From input to output.
        inputs: Input features D.

    Raises:
        ModelError: If the stretches of one do not fit its inputs.
    """
    found = [inputs]
    for layer in locals_:
        found.append(layer.hidden(found[-1]))
    return tuple(found)
