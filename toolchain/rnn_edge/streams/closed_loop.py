"""How far a quantized model drifts over many windows at once, each engine on its own state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_edge.errors import ModelError
from rnn_edge.quantize import quantize_input
from rnn_edge.reference import FloatReference, IntegerReference
from rnn_edge.types import Array, FloatModel, QuantizedModel
from rnn_edge.types.quantized_model import HIDDEN_EXPONENT


@dataclass(frozen=True, eq=False)
class ModelPair:
    """A model in floating point and as integers.

    Attributes:
        float_model: What drift is measured from.
        model: What drifts.
    """

    float_model: FloatModel
    model: QuantizedModel

    def __post_init__(self) -> None:
        exact, quantized = _shape(self.float_model), _shape(self.model)
        if exact != quantized:
            raise ModelError(
                f"Models {self.float_model.name} and {self.model.name} have inputs and layers "
                f"{exact} and {quantized}; expected the same."
            )


def _shape(model: FloatModel | QuantizedModel) -> tuple[object, ...]:
    return model.inputs, *((layer.kind, layer.hidden) for layer in model.layers)


class WindowMeter:
    """Measures the drift over windows, each from several states.

    A window is worth little if it needs one certain state to begin in: in a stream it comes after
    something else every time. The float model runs in double precision, so that a window is worth
    the same in any batch.

    Args:
        models: The pair.
        before: float32 (S, T, D), what both engines have run before a window, from a zero state:
            S ways to come to it.
    """

    def __init__(self, models: ModelPair, before: Array) -> None:
        self._models, self._starts = models, len(before)
        self._hidden = [name for name in models.model.state_sizes if name.startswith("h")]
        exact, quantized = self._engines(self._starts)
        integers = quantize_input(before, models.model.input_exponent)
        for t in range(before.shape[1]):
            exact.advance(before[:, t].astype(np.float64))
            quantized.advance(integers[:, t])
        self._exact, self._quantized = exact.state, quantized.state

    def measure(self, windows: Array) -> Array:
        """Return the RMS error of all hidden states over each window, float64 (B,).

        It is the mean of the S errors.

        Args:
            windows: float32 (B, L, D).
        """
        lanes = len(windows) * self._starts
        exact, quantized = self._engines(lanes)
        exact.state = _tiled(self._exact, len(windows))
        quantized.reset(_tiled(self._quantized, len(windows)))
        x = np.repeat(windows, self._starts, axis=0)
        integers = quantize_input(x, self._models.model.input_exponent)
        total, count = np.zeros(lanes), 0
        for t in range(x.shape[1]):
            exact.advance(x[:, t].astype(np.float64))
            quantized.advance(integers[:, t])
            for name in self._hidden:
                error = quantized.state[name] * 2.0**HIDDEN_EXPONENT - exact.state[name]
                total += np.square(error).sum(axis=1)
                count += error.shape[1]
        return np.asarray(np.sqrt(total / count).reshape(-1, self._starts).mean(axis=1))

    def _engines(self, lanes: int) -> tuple[FloatReference, IntegerReference]:
        exact = FloatReference(self._models.float_model, lanes)
        exact.state = {name: value.astype(np.float64) for name, value in exact.state.items()}
        return exact, IntegerReference(self._models.model, lanes)


def _tiled(state: dict[str, Array], count: int) -> dict[str, Array]:
    return {name: np.tile(value, (count, 1)) for name, value in state.items()}
