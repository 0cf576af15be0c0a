"""Runs one of the numpy references as an engine."""

from __future__ import annotations

from typing import Protocol

from rnn_edge.engines.host_state import HostStateEngine
from rnn_edge.engines.layout import StreamLayout
from rnn_edge.types import Array, Trace


class Reference(Protocol):
    """What the references have in common; B is 1 here."""

    state: dict[str, Array]

    def step(self, x: Array) -> Array:
        """Advance by one frame (B, D)."""

    def advance(self, x: Array) -> None:
        """Advance by one frame (B, D) without the head."""

    def output(self) -> Array:
        """Return the output (B, C) of the state as it is."""

    def run(self, x: Array) -> Trace:
        """Advance by T frames (B, T, D)."""


class ReferenceEngine(HostStateEngine):
    """Steps a reference with one stream.

    Args:
        layout: The model's interface.
        reference: Made for one stream.
    """

    def __init__(self, layout: StreamLayout, reference: Reference) -> None:
        super().__init__(layout)
        self._reference = reference

    def _enter(self, state: dict[str, Array]) -> None:
        self._reference.state = {name: value[None] for name, value in state.items()}

    def _leave(self) -> dict[str, Array]:
        return {name: value[0] for name, value in self._reference.state.items()}

    def _advance(self, x: Array, state: dict[str, Array]) -> tuple[Array, dict[str, Array]]:
        self._enter(state)
        y = self._reference.step(x[None])[0]
        return y, self._leave()

    def run_last(self, x: Array) -> Array:
        """Advance by T frames x (T, D); return the output (C,) after the last."""
        frames = self._layout.frames(x)
        self._enter(self._state)
        for frame in frames:
            self._reference.advance(frame[None])
        self._state = self._leave()
        y: Array = self._reference.output()[0]
        return y

    def run(self, x: Array) -> Trace:
        """Advance by T frames x (T, D); return outputs (T, C) and states (T, H) after each."""
        self._enter(self._state)
        trace = self._reference.run(self._layout.frames(x)[None])
        self._state = self._leave()
        return Trace(trace.outputs[0], {name: rows[0] for name, rows in trace.states.items()})
