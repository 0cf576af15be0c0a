"""The float step and its derivative along a direction, in double precision."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rnn_edge.reference import FloatReference
from rnn_edge.types import Array, FloatModel

STEP = 1e-6
"""Length of the finite difference: central, so that its own error is of the order of its square,
and far above the 1e-16 of double precision."""


class TangentStep:
    """A float trajectory of B streams and the derivative of every step along it.

    The derivative is a central finite difference of the step itself, (F(s + h v) - F(s - h v)) /
    2 h with ``h |v| = 1e-6``, so that it holds for every cell without a second text of it.

    Args:
        model: The float model.
        streams: B.
    """

    def __init__(self, model: FloatModel, streams: int) -> None:
        self._streams = streams
        self._engine = FloatReference(model, 3 * streams)
        self.names = tuple(self._engine.state)
        self._sizes = [value.shape[1] for value in self._engine.state.values()]
        self.size = sum(self._sizes)
        self.state = np.zeros((streams, self.size))
        self.output = np.zeros((streams, model.outputs))

    def advance(self, x: Array, direction: Array) -> Array:
        """Advance by one frame and return what the step makes of a small change of the state.

        Args:
            x: float (B, D).
            direction: float64 (B, S) over all states in order; zero rows stay zero.

        Returns:
            The directional derivative times the direction's length, float64 (B, S).
        """
        length = np.linalg.norm(direction, axis=1, keepdims=True)
        unit = np.divide(direction, length, out=np.zeros_like(direction), where=length > 0.0)
        moved = np.concatenate(
            [self.state, self.state + STEP * unit, self.state - STEP * unit], axis=0
        )
        self._engine.state = self.split(moved)
        y = self._engine.step(np.tile(np.asarray(x, np.float64), (3, 1)))
        after = self.join(self._engine.state)
        self.state, above, below = np.split(after, 3, axis=0)
        self.output = y[: self._streams]
        return np.asarray((above - below) * (length / (2.0 * STEP)))

    def split(self, joined: Array) -> dict[str, Array]:
        """Return states by name out of (N, S)."""
        parts = np.split(joined, np.cumsum(self._sizes)[:-1], axis=1)
        return dict(zip(self.names, parts, strict=True))

    def join(self, states: Mapping[str, Array]) -> Array:
        """Return states (N, S) in order."""
        return np.concatenate([states[name] for name in self.names], axis=1)
