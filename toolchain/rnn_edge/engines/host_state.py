"""Engines whose state is held on the host and goes through every step explicitly."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import numpy as np

from rnn_edge.engines.base import Engine
from rnn_edge.engines.layout import StreamLayout
from rnn_edge.types import Array, QuantizedModel, Trace


class HostStateEngine(Engine):
    """Holds the state; a subclass computes one step of it.

    Args:
        layout: The model's interface.
    """

    def __init__(self, layout: StreamLayout) -> None:
        self._layout = layout
        self._state = layout.state(None)

    @property
    def model(self) -> QuantizedModel | None:
        """The model that integer states belong to; None for states in floating point."""
        return self._layout.model

    @abstractmethod
    def _advance(self, x: Array, state: dict[str, Array]) -> tuple[Array, dict[str, Array]]:
        """Return the output (C,) and the next state, from a checked frame (D,) and a state."""

    def reset(self, state: Mapping[str, Array] | None = None) -> None:
        """Set the state to zero, or to the given vectors by name.

        Raises:
            EngineError: If a name, dtype or length is not the model's.
        """
        self._state = self._layout.state(state)

    def step(self, x: Array) -> Array:
        """Advance by one frame x (D,) and return the output (C,)."""
        y, self._state = self._advance(self._layout.frame(x), self._state)
        return y

    def state(self) -> dict[str, Array]:
        """Return a copy of the state by name, vectors (H,)."""
        return {name: value.copy() for name, value in self._state.items()}

    def run(self, x: Array) -> Trace:
        """Advance by T frames x (T, D); return outputs (T, C) and states (T, H) after each."""
        layout = self._layout
        frames = layout.frames(x)
        outputs = np.empty((len(frames), layout.outputs), layout.dtype)
        states = {
            name: np.empty((len(frames), size), layout.dtype)
            for name, size in layout.states.items()
        }
        rows = list(states.items())
        state, advance = self._state, self._advance
        for t, frame in enumerate(frames):
            outputs[t], state = advance(frame, state)
            for name, row in rows:
                row[t] = state[name]
        self._state = state
        return Trace(outputs, states)
