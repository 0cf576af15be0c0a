"""From a quantized model to its program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from rnn_edge.cells import gru, gru_reset_before, lstm, rnn
from rnn_edge.cells.builder import ProgramBuilder
from rnn_edge.types import Array, CellKind, QuantizedLayer, QuantizedModel, RecurrentWeights
from rnn_edge.types.program import Program


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
    y, label = _head(model, signal, out)
    return Program(
        model.name,
        MappingProxyType(dict(out.tensors)),
        tuple(out.ops),
        x,
        y,
        MappingProxyType(carried),
        label,
    )


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
