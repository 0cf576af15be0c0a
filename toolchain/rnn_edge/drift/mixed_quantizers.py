"""The quantizers of a model by name: everything in a step that rounds, one by one."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Literal

from rnn_edge.cells import lower_model
from rnn_edge.errors import ModelError
from rnn_edge.registry import known
from rnn_edge.types import GATES, QuantizedModel
from rnn_edge.types.program import (
    ArgMax,
    Binary,
    FullyConnected,
    Op,
    Program,
    Softmax,
    Split,
    Unary,
)

QuantizerKind = Literal["input", "weights", "sums", "table", "products", "state", "head"]

INPUT = "input"
HEAD_WEIGHTS = "head weights"
HEAD_SUMS = "head sums"
HEAD_TABLE = "head softmax"

_IN_LAYER = re.compile(r"l(\d+)_(\w+)")


@dataclass(frozen=True)
class Quantizer:
    """One place where a step rounds.

    Attributes:
        name: "input"; "weights l0.h.z", the int8 rows of one gate in one matrix, with their bias;
            "sums l0", matrix products and pre-activations at 2^-11; "candidate l0", what goes into
            the TANH of a candidate, at 2^-13 and cut off at 4; "table l0.z", a gate's table with
            the rounding of its result to 2^-15; "products l0", element-wise products and
            differences inside a GRU; "state h0" and "state c0", what is carried; "head weights",
            "head sums" and "head softmax".
        kind: The first word of the name; a candidate is one of the sums.
        layer: Index of the layer; None for input and head.
        matrix: "x" or "h" of weights, otherwise None.
        gate: Gate of weights and tables, otherwise None; "tanh_c" is the second table of an LSTM's
            cell.
    """

    name: str
    kind: QuantizerKind
    layer: int | None = None
    matrix: str | None = None
    gate: str | None = None

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return asdict(self)


def quantizers(model: QuantizedModel) -> tuple[Quantizer, ...]:
    """Return the quantizers of a model, from its input to its output."""
    program = lower_model(model)
    found = {INPUT: Quantizer(INPUT, "input")}
    for op in program.ops:
        for each in (*weights_of(model, op), *rounding_of(program, op)):
            found.setdefault(each.name, each)
    return tuple(found.values())


def require_quantizers(model: QuantizedModel, names: set[str]) -> None:
    """Refuse names that are no quantizer of the model.

    Raises:
        ModelError: Naming the known ones.
    """
    have = [each.name for each in quantizers(model)]
    unknown = sorted(names - set(have))
    if unknown:
        raise ModelError(f"Quantizer {unknown[0]!r} of {model.name}; known are {known(have)}.")


def weights_of(model: QuantizedModel, op: Op) -> tuple[Quantizer, ...]:
    """Return the quantizers of an operator's weights, one for each block of rows in order."""
    if not isinstance(op, FullyConnected):
        return ()
    inside = _IN_LAYER.fullmatch(op.name)
    if inside is None:
        return (Quantizer(HEAD_WEIGHTS, "head"),)
    k = int(inside[1])
    layer = model.layers[k]
    # Only the product with the input is called gx; every other one is with a state.
    matrix = "x" if inside[2] == "gx" else "h"
    first = op.first_row // layer.hidden
    gates = GATES[layer.kind][first : first + op.matrix.rows // layer.hidden]
    return tuple(
        Quantizer(f"weights l{k}.{matrix}.{gate}", "weights", k, matrix, gate) for gate in gates
    )


def rounding_of(program: Program, op: Op) -> tuple[Quantizer, ...]:
    """Return the quantizers of an operator's result: a table that makes a state has two."""
    if isinstance(op, Split | ArgMax):
        return ()
    if isinstance(op, Softmax):
        return (Quantizer(HEAD_TABLE, "head"),)
    state = {leaving: name for name, (_, leaving) in program.states.items()}.get(op.out)
    carried = () if state is None else (Quantizer(f"state {state}", "state", int(state[1:])),)
    is_table = isinstance(op, Unary) and op.kind != "quantize"
    if is_table and state is not None:
        k = int(state[1:])
        return (_table(k, "n"), *carried)
    if carried:
        return carried
    inside = _IN_LAYER.fullmatch(op.out)
    if inside is None:
        return (Quantizer(HEAD_SUMS, "head"),)
    return (_inside(op, int(inside[1]), inside[2]),)


def _inside(op: Op, k: int, tensor: str) -> Quantizer:
    """Return the quantizer of a tensor inside a layer."""
    match op:
        case Unary("quantize"):
            return _table(k, "tanh_c") if tensor == "c_fine" else _candidate(k)
        case Unary():
            return _table(k, tensor)
        case Binary() if tensor in ("fc", "ig"):
            # Both terms of the cell are rounded to its scale, so that their sum is exact.
            return Quantizer(f"state c{k}", "state", k)
        case Binary("multiply" | "subtract"):
            return Quantizer(f"products l{k}", "products", k)
        case Binary("add") if tensor == "a_n":
            return _candidate(k)
        case _:
            return Quantizer(f"sums l{k}", "sums", k)


def _candidate(k: int) -> Quantizer:
    return Quantizer(f"candidate l{k}", "sums", k)


def _table(k: int, gate: str) -> Quantizer:
    return Quantizer(f"table l{k}.{gate}", "table", k, gate=gate)
