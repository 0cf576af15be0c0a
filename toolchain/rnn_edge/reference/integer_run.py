"""The integer model in numpy: the reference that every other engine must equal."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from rnn_edge import fixedpoint
from rnn_edge.cells import lower_layers, lower_model
from rnn_edge.fixedpoint.softmax import softmax
from rnn_edge.types import Array, QuantizedModel, Trace
from rnn_edge.types.program import ArgMax, Binary, FullyConnected, Op, Softmax, Split, Unary

_BINARY = {
    "add": fixedpoint.add,
    "subtract": fixedpoint.subtract,
    "multiply": fixedpoint.multiply,
}
_UNARY: dict[str, Callable[[Array, int], Array]] = {
    "logistic": fixedpoint.logistic,
    "tanh": fixedpoint.tanh,
}


class IntegerReference:
    """Runs a `QuantizedModel` over B streams at once, state carried from call to call.

    Args:
        model: The model.
        streams: B.
    """

    def __init__(self, model: QuantizedModel, streams: int = 1) -> None:
        self._model = model
        self._streams = streams
        self._program = lower_model(model)
        steps = [self._compile(op) for op in self._program.ops]
        count = len(lower_layers(model).ops)
        self._layers, self._head = steps[:count], steps[count:]
        self.state: dict[str, Array] = {}
        self.values: dict[str, Array] = {}
        """Every tensor of the last step by name, int16 (B, size); empty before the first."""
        self.reset()

    def reset(self, state: Mapping[str, Array] | None = None) -> None:
        """Set every state to zero, or to the given int16 (B, H) values by name."""
        self.state = {
            name: np.zeros((self._streams, size), np.int16)
            for name, size in self._model.state_sizes.items()
        }
        for name, value in (state or {}).items():
            self.state[name] = np.array(value, np.int16).reshape(self.state[name].shape)

    def step(self, x: Array) -> Array:
        """Advance by one frame: x int16 (B, D); returns y int16 (B, C)."""
        self.advance(x)
        return self.output()

    def advance(self, x: Array) -> None:
        """Advance by one frame, without the head: x int16 (B, D)."""
        values: dict[str, Array] = {self._program.x: np.asarray(x)}
        for name, (entering, _) in self._program.states.items():
            values[entering] = self.state[name]
        for run in self._layers:
            run(values)
        self.state = {name: values[leaving] for name, (_, leaving) in self._program.states.items()}
        self.values = values

    def output(self) -> Array:
        """Return y int16 (B, C) of the state as it is."""
        last = f"h{len(self._model.layers) - 1}"
        self.values[self._program.states[last][1]] = self.state[last]
        for run in self._head:
            run(self.values)
        return self.values[self._program.y]

    def run(self, x: Array) -> Trace:
        """Advance by T frames: x int16 (B, T, D); returns the trace (B, T, ...)."""
        steps = x.shape[1]
        outputs = np.empty((self._streams, steps, self._model.outputs), np.int16)
        states = {
            name: np.empty((self._streams, steps, size), np.int16)
            for name, size in self._model.state_sizes.items()
        }
        for t in range(steps):
            outputs[:, t] = self.step(x[:, t])
            for name, value in self.state.items():
                states[name][:, t] = value
        return Trace(outputs, states)

    def _compile(self, op: Op) -> Callable[[dict[str, Array]], None]:
        """Bind an operator to its scales once, so that a step only computes."""
        scale = {name: tensor.exponent for name, tensor in self._program.tensors.items()}
        match op:
            case FullyConnected(_, x, matrix, out):
                weight = matrix.weight.astype(np.float64)
                multiplier, shift = fixedpoint.row_multipliers(
                    matrix.weight_scale, matrix.input_exponent, matrix.output_exponent
                )

                def run_matrix(values: dict[str, Array]) -> None:
                    values[out] = fixedpoint.fully_connected(
                        values[x], weight, matrix.bias, multiplier, shift
                    )

                return run_matrix
            case Split(x, outs):

                def run_split(values: dict[str, Array]) -> None:
                    whole = values[x]
                    size = whole.shape[-1] // len(outs)
                    for k, out in enumerate(outs):
                        values[out] = whole[..., k * size : (k + 1) * size]

                return run_split
            case Binary(kind, a, b, out):
                function = _BINARY[kind]

                def run_binary(values: dict[str, Array]) -> None:
                    values[out] = function(values[a], scale[a], values[b], scale[b], scale[out])

                return run_binary
            case Unary("quantize", x, out):

                def run_quantize(values: dict[str, Array]) -> None:
                    values[out] = fixedpoint.requantize(values[x], scale[x], scale[out])

                return run_quantize
            case Softmax(x, out):

                def run_softmax(values: dict[str, Array]) -> None:
                    values[out] = softmax(values[x], scale[x])

                return run_softmax
            case ArgMax(x, out):

                def run_arg_max(values: dict[str, Array]) -> None:
                    values[out] = np.argmax(values[x], axis=-1)

                return run_arg_max
            case Unary(kind, x, out):
                table = _UNARY[kind]

                def run_unary(values: dict[str, Array]) -> None:
                    values[out] = table(values[x], scale[x])

                return run_unary
