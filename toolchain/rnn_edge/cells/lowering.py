"""From a quantized model to its program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from rnn_edge.cells import gru, gru_reset_before, lstm, rnn
from rnn_edge.cells.builder import ProgramBuilder
from rnn_edge.types import Array, CellKind, QuantizedLayer, QuantizedModel, RecurrentWeights
from rnn_edge.types.program import Program
from rnn_edge.types.quantized_model import HIDDEN_EXPONENT


@dataclass(frozen=True)
class Cell:
    """One kind of cell.

    Attributes:
        states: Letters of its state tensors.
        float_step: The step in floating point.
        lower: Writes the integer step into a program.
    """

    states: tuple[str, ...]
    float_step: Callable[[RecurrentWeights, Array, tuple[Array, ...]], tuple[Array, ...]]
    lower: Callable[[QuantizedLayer, str, str, tuple[str, ...], ProgramBuilder], tuple[str, ...]]


CELLS: MappingProxyType[CellKind, Cell] = MappingProxyType(
    {
        "gru": Cell(gru.STATES, gru.float_step, gru.lower),
        "gru_reset_before": Cell(
            gru_reset_before.STATES, gru_reset_before.float_step, gru_reset_before.lower
        ),
        "lstm": Cell(lstm.STATES, lstm.float_step, lstm.lower),
        "rnn": Cell(rnn.STATES, rnn.float_step, rnn.lower),
    }
)


def lower_model(model: QuantizedModel) -> Program:
    """Return the model's time step as a program of builtin integer operators."""
    out = ProgramBuilder()
    x, h, carried = _layers(model, out)
    y, label = _head(model, h, out)
    return _program(model, out, x, y, carried, label)


def lower_layers(model: QuantizedModel) -> Program:
    """Return the recurrent layers alone; ``y`` is the last one's next h."""
    out = ProgramBuilder()
    x, h, carried = _layers(model, out)
    return _program(model, out, x, h, carried, None)


def lower_head(model: QuantizedModel) -> Program:
    """Return the head alone, from ``h``, the last layer's, to ``y``; it has no state."""
    out = ProgramBuilder()
    h = out.tensor("h", model.layers[-1].hidden, HIDDEN_EXPONENT)
    y, label = _head(model, h, out)
    return _program(model, out, h, y, {}, label)


def _program(
    model: QuantizedModel,
    out: ProgramBuilder,
    x: str,
    y: str,
    carried: dict[str, tuple[str, str]],
    label: str | None,
) -> Program:
    tensors, states = MappingProxyType(dict(out.tensors)), MappingProxyType(carried)
    return Program(model.name, tensors, tuple(out.ops), x, y, states, label)


def _layers(
    model: QuantizedModel, out: ProgramBuilder
) -> tuple[str, str, dict[str, tuple[str, str]]]:
    """Write the layers down; return the names of x, of the last h, and of the states."""
    x = out.tensor("x", model.inputs, model.input_exponent)
    sizes, exponents = model.state_sizes, model.state_exponents
    for name in sizes:
        out.tensor(f"{name}_in", sizes[name], exponents[name])
    carried: dict[str, tuple[str, str]] = {}
    signal = x
    for k, layer in enumerate(model.layers):
        cell = CELLS[layer.kind]
        names = [f"{letter}{k}" for letter in cell.states]
        entering = tuple(f"{name}_in" for name in names)
        leaving = cell.lower(layer, f"l{k}_", signal, entering, out)
        carried.update(zip(names, zip(entering, leaving, strict=True), strict=True))
        signal = leaving[0]
    return x, signal, carried


def _head(model: QuantizedModel, h: str, out: ProgramBuilder) -> tuple[str, str | None]:
    """Write the head down; return the names of y and of the label, if there is one."""
    match model.head_kind:
        case "linear":
            return out.fully_connected("y", h, model.head), None
        case "softmax":
            return out.softmax(out.fully_connected("logits", h, model.head), "y"), None
        case "argmax":
            y = out.fully_connected("y", h, model.head)
            return y, out.arg_max(y, "label")
