"""Weights as blocks of 4 rows by 4 columns, which each target orders for its inner loop."""

from __future__ import annotations

import numpy as np

from rnn_edge.types import Array

SIDE = 4
"""Rows and columns of a block."""


def padded(count: int) -> int:
    """Return how many rows or columns the blocks of so many have."""
    return -(-count // SIDE) * SIDE


def block_weights(rows: int, columns: int, gates: int) -> int:
    """Return how many weights the blocks of a matrix with so many rows in all gates have."""
    return gates * padded(rows // gates) * padded(columns)


def in_strips(weight: Array, gates: int) -> Array:
    """Return a matrix by strips of four rows, padded with zeros: int8 (strips, 4, columns).

    Args:
        weight: int8 (N, K); the rows of a gate follow each other.
        gates: How many gates the rows are of; divides N.
    """
    n, columns = weight.shape
    rows = n // gates
    whole = np.zeros((gates, padded(rows), padded(columns)), np.int8)
    whole[:, :rows, :columns] = weight.reshape(gates, rows, columns)
    return whole.reshape(-1, SIDE, padded(columns))


def in_blocks(weight: Array, gates: int) -> Array:
    """Return a matrix in blocks, padded with zeros: int8 (strips, blocks of a strip, 4, 4).

    Args:
        weight: int8 (N, K); the rows of a gate follow each other.
        gates: How many gates the rows are of; divides N.
    """
    strips = in_strips(weight, gates)
    return strips.reshape(len(strips), SIDE, -1, SIDE).transpose(0, 2, 1, 3)


def block_text(name: str, blocks: Array, comment: str, *, is_widened: bool = False) -> str:
    """Return the definition of weights in blocks, and the assertion that none is missing.

    The text has the weights of a block row by row. ``RNN_EDGE_BLOCK`` or ``RNN_EDGE_WORDS`` of
    ``rnn_edge_packing.h`` gives them the order, when the C is compiled.

    Args:
        name: Identifier.
        blocks: int8 (..., 4, 4), -127..127, in their order.
        comment: What it holds.
        is_widened: Whether each weight is an int16 in the C.
    """
    lines = [
        f"    {'RNN_EDGE_WORDS' if is_widened else 'RNN_EDGE_BLOCK'}({', '.join(map(str, block))}),"
        for block in blocks.reshape(-1, SIDE * SIDE).tolist()
    ]
    return "\n".join(
        [
            f"/* {comment} */",
            f"static const _Alignas(RNN_EDGE_BLOCK_ALIGNMENT) "
            f"{'int16_t' if is_widened else 'uint8_t'} {name}[] = {{",
            *lines,
            "};",
            f"_Static_assert(sizeof {name} == {blocks.size * (2 if is_widened else 1)},",
            f'               "{name} is incomplete");',
            "",
        ]
    )
