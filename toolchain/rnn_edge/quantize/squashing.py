"""Which tensors only matter through a function that is flat where their format ends."""

from __future__ import annotations

from rnn_edge.types.program import (
    ArgMax,
    Binary,
    FullyConnected,
    Program,
    Softmax,
    Split,
    Unary,
)


def squashing_functions(program: Program, name: str) -> tuple[str, ...]:
    """Return the tables (logistic, tanh) through which alone a tensor is used, in their order.

    Args:
        program: One step.
        name: A tensor.

    Returns:
        Empty if a value of the tensor also goes another way: into an operator that is not a
        table, out of the model or into the next step.
    """
    if name == program.y or name in {leaving for _, leaving in program.states.values()}:
        return ()
    found: dict[str, None] = {}
    for op in program.ops:
        match op:
            case Unary(kind, x, _) if x == name and kind != "quantize":
                further: tuple[str, ...] = (kind,)
            case Unary(_, x, out) if x == name:
                further = squashing_functions(program, out)
            case Split(x, outs) if x == name:
                each = [squashing_functions(program, out) for out in outs]
                further = tuple(kind for kinds in each for kind in kinds) if all(each) else ()
            case Binary(_, a, b, _) if name in (a, b):
                return ()
            case FullyConnected(x=x) | Softmax(x=x) | ArgMax(x=x) if x == name:
                return ()
            case _:
                continue
        if not further:
            return ()
        found.update(dict.fromkeys(further))
    return tuple(found)
