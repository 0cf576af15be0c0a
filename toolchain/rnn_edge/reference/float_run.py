"""The floating-point model in numpy."""

from __future__ import annotations

import numpy as np

from rnn_edge.cells import CELLS
from rnn_edge.cells.activations import softmax
from rnn_edge.types import Array, FloatModel, Trace


def _without_false_alarms() -> np.errstate:
    """Return what keeps numpy from warning of invalid operations.

    In the product of one small float32 row and a matrix, OpenBLAS 0.3.31 (numpy 2.4.6, kernels for
    AVX-512) now and then raises that flag for lanes of its registers that it does not use, with
    finite numbers and the right product. Measured: about one process in fifteen, frames of 5
    values and 18 rows of weights. A NaN still shows in the result.
    """
    return np.errstate(invalid="ignore")


class FloatReference:
    """Runs a `FloatModel` over B streams at once, state carried from call to call.

    Args:
        model: The model.
        streams: B.
    """

    def __init__(self, model: FloatModel, streams: int = 1) -> None:
        self._model = model
        self._streams = streams
        self.state: dict[str, Array] = {}
        self.reset()

    def reset(self) -> None:
        """Set every state to zero."""
        self.state = {
            f"{letter}{k}": np.zeros((self._streams, layer.hidden), np.float32)
            for k, layer in enumerate(self._model.layers)
            for letter in CELLS[layer.kind].states
        }

    def step(self, x: Array) -> Array:
        """Advance by one frame: x float32 (B, D); returns y float32 (B, C)."""
        self.advance(x)
        return self.output()

    def advance(self, x: Array) -> None:
        """Advance by one frame, without the head: x float32 (B, D)."""
        signal = x
        for k, layer in enumerate(self._model.layers):
            cell = CELLS[layer.kind]
            names = [f"{letter}{k}" for letter in cell.states]
            entering = tuple(self.state[name] for name in names)
            with _without_false_alarms():
                leaving = cell.float_step(layer, signal, entering)
            self.state.update(zip(names, leaving, strict=True))
            signal = leaving[0]

    def output(self) -> Array:
        """Return y float32 (B, C) of the state as it is."""
        h = self.state[f"h{len(self._model.layers) - 1}"]
        with _without_false_alarms():
            logits = np.asarray(h @ self._model.head.w.T + self._model.head.b)
        return softmax(logits) if self._model.head_kind == "softmax" else logits

    def run(self, x: Array) -> Trace:
        """Advance by T frames: x float32 (B, T, D); returns the trace (B, T, ...)."""
        frames = np.asarray(x, np.float32)
        steps = frames.shape[1]
        outputs = np.empty((self._streams, steps, self._model.outputs), np.float32)
        states = {
            name: np.empty((self._streams, steps, value.shape[1]), np.float32)
            for name, value in self.state.items()
        }
        for t in range(steps):
            outputs[:, t] = self.step(frames[:, t])
            for name, value in self.state.items():
                states[name][:, t] = value
        return Trace(outputs, states)
