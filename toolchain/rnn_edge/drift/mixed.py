"""A model's step with each quantizer on or off.

A tensor is int16 where its own quantizer is on, and a real number in float64 where it is off. An
operator whose operands and result are all int16 is the integer reference's, bit for bit. Any other
computes in real numbers, and its result is then rounded and saturated once if its quantizer is on.
With every quantizer on this is `IntegerReference`, with every one off `FloatReference`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import cast

import numpy as np

from rnn_edge import fixedpoint
from rnn_edge.cells import lower_model
from rnn_edge.cells.activations import sigmoid, softmax
from rnn_edge.drift.mixed_quantizers import (
    HEAD_TABLE,
    HEAD_WEIGHTS,
    INPUT,
    quantizers,
    require_quantizers,
    rounding_of,
    weights_of,
)
from rnn_edge.drift.mixed_variant import (
    Grid,
    Variant,
    interpolated,
    kernel_table,
    looked_up,
    round_to,
    rounded_rows,
)
from rnn_edge.errors import ModelError
from rnn_edge.fixedpoint.softmax import softmax as integer_softmax
from rnn_edge.quantize import quantize_input
from rnn_edge.types import Array, FloatModel, QuantizedModel
from rnn_edge.types.program import ArgMax, Binary, FullyConnected, Op, Softmax, Split, Unary

Values = dict[str, Array]
_Run = Callable[[Values], None]

_INTEGER = {
    "add": fixedpoint.add,
    "subtract": fixedpoint.subtract,
    "multiply": fixedpoint.multiply,
}
_REAL = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply}


class MixedReference:
    """Runs a pair of models over B streams at once, with some quantizers on.

    Args:
        float_model: Gives the real weights.
        model: Gives the integer weights, every scale and the order of operators.
        on: Names of the quantizers that are on, see `quantizers`; None for all.
        streams: B.
        variant: What quantizers do that is not in the model.

    Raises:
        ModelError: If a name is unknown, or the models are not of one shape.
    """

    def __init__(
        self,
        float_model: FloatModel,
        model: QuantizedModel,
        on: Collection[str] | None = None,
        streams: int = 1,
        variant: Variant | None = None,
    ) -> None:
        require_pair(float_model, model)
        self._float_model, self._model, self._streams = float_model, model, streams
        self._variant = Variant() if variant is None else variant
        every = {each.name for each in quantizers(model)}
        self._on = every if on is None else set(on)
        require_quantizers(model, self._on | self._variant.names)
        self._program = lower_model(model)
        self._exponent = {name: t.exponent for name, t in self._program.tensors.items()}
        self._is_integer = self._find_integers()
        self._steps = [self._compile(op) for op in self._program.ops]
        self._values: Values = {}
        self._state: Values = {}
        self.reset()

    def reset(self, state: Mapping[str, Array] | None = None) -> None:
        """Set every state to zero, or to the given real (B, H) values by name."""
        self._state = {}
        for name, size in self._model.state_sizes.items():
            shape = (self._streams, size)
            given = np.zeros(shape) if state is None else np.asarray(state[name], np.float64)
            entering, _ = self._program.states[name]
            self._state[name] = self._placed(entering, given.reshape(shape).copy())

    @property
    def state(self) -> Values:
        """Every state by name in real units, float64 (B, H)."""
        return {
            name: self.real(leaving, self._state[name])
            for name, (_, leaving) in self._program.states.items()
        }

    def value(self, tensor: str) -> Array:
        """Return a tensor of the last step in real units, float64 (B, size)."""
        return self.real(tensor, self._values[tensor])

    def real(self, tensor: str, values: Array) -> Array:
        """Return values of a tensor in real units, float64."""
        if self._is_integer[tensor]:
            return np.asarray(values * 2.0 ** self._exponent[tensor])
        return values

    def step(self, x: Array) -> Array:
        """Advance by one frame: x float (B, D) in real units; returns y float64 (B, C)."""
        values: Values = {self._program.x: self._input(np.asarray(x, np.float64))}
        for name, (entering, _) in self._program.states.items():
            values[entering] = self._state[name]
        for run in self._steps:
            run(values)
        self._state = {name: values[out] for name, (_, out) in self._program.states.items()}
        self._values = values
        return self.value(self._program.y)

    def _is_on(self, *names: str) -> bool:
        return any(name in self._on for name in names)

    def _grid(self, *names: str) -> Grid | None:
        """Return the format that replaces int16 in a tensor, if one does."""
        return next((self._variant.grids[n] for n in names if n in self._variant.grids), None)

    def _roundings(self, op: Op) -> list[str]:
        return [each.name for each in rounding_of(self._program, op)]

    def _find_integers(self) -> dict[str, bool]:
        """Return which tensors are int16."""

        def is_integer(*names: str) -> bool:
            on = [name for name in names if self._is_on(name)]
            return bool(on) and self._grid(*on) is None

        found = {self._program.x: is_integer(INPUT)}
        for op in self._program.ops:
            if not isinstance(op, Split | ArgMax):
                found[op.out] = is_integer(*self._roundings(op))
        for entering, leaving in self._program.states.values():
            found[entering] = found[leaving]
        for op in self._program.ops:
            if isinstance(op, Split):
                found.update(dict.fromkeys(op.outs, found[op.x]))
        return found

    def _input(self, x: Array) -> Array:
        if self._is_integer[self._program.x]:
            return quantize_input(x, self._exponent[self._program.x])
        return self._rounded(self._program.x, x, [INPUT])

    def _rounded(self, tensor: str, values: Array, names: list[str]) -> Array:
        """Return real values as the tensor holds them, given the quantizers that make it."""
        on = [name for name in names if self._is_on(name)]
        grid = self._grid(*on)
        if grid is not None:
            return grid.place(values, self._exponent[tensor])
        return self._placed(tensor, values)

    def _placed(self, tensor: str, values: Array) -> Array:
        if self._is_integer[tensor]:
            return round_to(values, self._exponent[tensor]).astype(np.int16)
        return values

    def _compile(self, op: Op) -> _Run:
        """Bind an operator to its scales and quantizers once, so that a step only computes."""
        match op:
            case FullyConnected():
                return self._matrix(op)
            case Split(x, outs):

                def run_split(values: Values) -> None:
                    values.update(zip(outs, np.split(values[x], len(outs), axis=-1), strict=True))

                return run_split
            case Binary():
                return self._binary(op)
            case Unary("quantize"):
                return self._requantize(op)
            case Unary():
                return self._table(op)
            case Softmax(x, out):
                return self._softmax(x, out)
            case ArgMax(x, out):

                def run_arg_max(values: Values) -> None:
                    values[out] = np.argmax(values[x], axis=-1)

                return run_arg_max

    def _are_integers(self, *tensors: str) -> bool:
        return all(self._is_integer[name] for name in tensors)

    def _matrix(self, op: FullyConnected) -> _Run:
        names = [each.name for each in weights_of(self._model, op)]
        roundings = self._roundings(op)
        is_model = all(
            self._is_on(name) and name not in self._variant.weight_bits for name in names
        )
        x, out = op.x, op.out
        if is_model and self._are_integers(x, out):
            integers = op.matrix.weight.astype(np.float64)
            factors = fixedpoint.row_multipliers(
                op.matrix.weight_scale, op.matrix.input_exponent, op.matrix.output_exponent
            )

            def run_integer(values: Values) -> None:
                values[out] = fixedpoint.fully_connected(
                    values[x], integers, op.matrix.bias, *factors
                )

            return run_integer
        weight, bias = self._real_matrix(op, names)
        turned = np.ascontiguousarray(weight.T)

        def run_real(values: Values) -> None:
            values[out] = self._rounded(out, self.real(x, values[x]) @ turned + bias, roundings)

        return run_real

    def _real_matrix(self, op: FullyConnected, names: list[str]) -> tuple[Array, Array]:
        """Return weight and bias in real units, each block of rows as its quantizer leaves it."""
        scale = op.matrix.weight_scale.astype(np.float64)
        weight = op.matrix.weight * scale[:, None]
        bias = op.matrix.bias * (scale * 2.0**op.matrix.input_exponent)
        exact_weight, exact_bias = self._float_rows(op)
        for name, rows in zip(names, np.split(np.arange(op.matrix.rows), len(names)), strict=True):
            bits = self._variant.weight_bits.get(name)
            if not self._is_on(name):
                weight[rows], bias[rows] = exact_weight[rows], exact_bias[rows]
            elif bits is not None:
                weight[rows] = rounded_rows(exact_weight[rows], bits)
                bias[rows] = exact_bias[rows]
        return weight, bias

    def _float_rows(self, op: FullyConnected) -> tuple[Array, Array]:
        """Return the float model's weight and bias for the rows of an operator, float64."""
        source = weights_of(self._model, op)[0]
        if source.name == HEAD_WEIGHTS:
            weight, bias = self._float_model.head.w, self._float_model.head.b
        else:
            layer = self._float_model.layers[cast(int, source.layer)]
            of_x = source.matrix == "x"
            weight, bias = (layer.w_x, layer.b_x) if of_x else (layer.w_h, layer.b_h)
        rows = slice(op.first_row, op.first_row + op.matrix.rows)
        return weight[rows].astype(np.float64), bias[rows].astype(np.float64)

    def _binary(self, op: Binary) -> _Run:
        a, b, out = op.a, op.b, op.out
        if self._are_integers(a, b, out):
            integer = _INTEGER[op.kind]
            scales = self._exponent

            def run_integer(values: Values) -> None:
                values[out] = integer(values[a], scales[a], values[b], scales[b], scales[out])

            return run_integer
        exact, roundings = _REAL[op.kind], self._roundings(op)

        def run_real(values: Values) -> None:
            result = exact(self.real(a, values[a]), self.real(b, values[b]))
            values[out] = self._rounded(out, result, roundings)

        return run_real

    def _requantize(self, op: Unary) -> _Run:
        x, out, roundings = op.x, op.out, self._roundings(op)
        if self._are_integers(x, out):
            scales = self._exponent

            def run_integer(values: Values) -> None:
                values[out] = fixedpoint.requantize(values[x], scales[x], scales[out])

            return run_integer

        def run_real(values: Values) -> None:
            values[out] = self._rounded(out, self.real(x, values[x]), roundings)

        return run_real

    def _table(self, op: Unary) -> _Run:
        x, out, exponent = op.x, op.out, self._exponent
        name, *carried = self._roundings(op)
        exact = sigmoid if op.kind == "logistic" else np.tanh
        if not self._is_on(name):

            def run_exact(values: Values) -> None:
                values[out] = self._rounded(out, exact(self.real(x, values[x])), carried)

            return run_exact
        table = self._variant.tables.get(name)
        table = kernel_table(op.kind) if table is None else table
        is_plain, roundings = self._is_integer[out], [name, *carried]

        def run_table(values: Values) -> None:
            given = values[x]
            found = (
                looked_up(table, given)
                if self._is_integer[x]
                else interpolated(table, given, exponent[x], exact)
            )
            values[out] = (
                found if is_plain else self._rounded(out, found * 2.0 ** exponent[out], roundings)
            )

        return run_table

    def _softmax(self, x: str, out: str) -> _Run:
        exponent = self._exponent[x]
        if self._are_integers(x, out):

            def run_integer(values: Values) -> None:
                values[out] = integer_softmax(values[x], exponent)

            return run_integer

        def run_real(values: Values) -> None:
            values[out] = self._rounded(out, softmax(self.real(x, values[x])), [HEAD_TABLE])

        return run_real


def require_pair(float_model: FloatModel, model: QuantizedModel) -> None:
    """Refuse two models that are not the same one in different numbers.

    Raises:
        ModelError: If kinds, sizes or heads differ.
    """

    def shape(of: FloatModel | QuantizedModel) -> list[object]:
        layers = [f"{layer.kind}({layer.hidden})" for layer in of.layers]
        return [of.inputs, *layers, of.outputs, of.head_kind]

    if shape(float_model) != shape(model):
        raise ModelError(
            f"Models {float_model.name} and {model.name}: {shape(float_model)} and "
            f"{shape(model)}; expected one shape."
        )
