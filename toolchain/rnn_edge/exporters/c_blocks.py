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


def block_text(
    name: str, weight: Array, gates: int, comment: str, *, is_widened: bool = False
) -> str:
    """Return the definition of a matrix in blocks, and the assertion that none is missing.

    The text has the weights of a block row by row. ``RNN_EDGE_BLOCK`` or ``RNN_EDGE_WORDS`` of
    ``rnn_edge_packing.h`` gives them the order, when the C is compiled.

    Args:
        name: Identifier.
        weight: int8 (N, K), -127..127; the rows of a gate follow each other.
        gates: How many gates the rows are of; divides N.
        comment: What it holds.
        is_widened: Whether each weight is an int16 in the C.
    """
    n, columns = weight.shape
    rows = n // gates
    whole = np.zeros((gates, padded(rows), padded(columns)), np.int8)
    whole[:, :rows, :columns] = weight.reshape(gates, rows, columns)
    blocks = whole.reshape(gates, padded(rows) // SIDE, SIDE, padded(columns) // SIDE, SIDE)
    lines = [
        f"    {'RNN_EDGE_WORDS' if is_widened else 'RNN_EDGE_BLOCK'}({', '.join(map(str, block))}),"
        for block in blocks.transpose(0, 1, 3, 2, 4).reshape(-1, SIDE * SIDE).tolist()
    ]
    return "\n".join(
        [
            f"/* {comment} */",
            f"static const _Alignas(RNN_EDGE_BLOCK_ALIGNMENT) "
            f"{'int16_t' if is_widened else 'uint8_t'} {name}[] = {{",
            *lines,
            "};",
            f"_Static_assert(sizeof {name} == {whole.size * (2 if is_widened else 1)},",
            f'               "{name} is incomplete");',
            "",
        ]
    )
