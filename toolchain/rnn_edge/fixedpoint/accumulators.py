"""Proofs about the sums of a matrix product, in integers of any size."""

from __future__ import annotations

import numpy as np

from rnn_edge.fixedpoint.scales import row_multipliers
from rnn_edge.types import QuantizedMatrix
from rnn_edge.types.accumulators import AccumulatorBound

LARGEST_INPUT = 1 << 15
"""Magnitude of the smallest int16.

Hidden states count with the whole of int16 too: a cell may never reach -32768, but a state that is
restored can hold it.
"""


def row_bounds(matrix: QuantizedMatrix) -> tuple[int, ...]:
    """Return for each row a bound on |partial sum| over all int16 inputs and orders of summation.

    By the triangle inequality any subset of the products, with or without the bias, stays within
    the sum of the magnitudes.

    Args:
        matrix: The matrix; weights -127..127, any int64 bias.
    """
    weight = np.abs(matrix.weight.astype(np.int64)).sum(axis=1)
    return tuple(
        reach * LARGEST_INPUT + abs(bias)
        for reach, bias in zip(weight.tolist(), matrix.bias.tolist(), strict=True)
    )


def rescaled_bounds(matrix: QuantizedMatrix) -> tuple[int, ...]:
    """Return for each row a bound on |result before it is saturated|, in units of the output.

    Args:
        matrix: As in `row_bounds`.

    Raises:
        ModelError: If a multiplier is outside the range that the kernels can do.
    """
    multiplier, shift = row_multipliers(
        matrix.weight_scale, matrix.input_exponent, matrix.output_exponent
    )
    return tuple(
        (bound * factor + (1 << (bits - 1))) >> bits
        for bound, factor, bits in zip(
            row_bounds(matrix), multiplier.tolist(), shift.tolist(), strict=True
        )
    )


def accumulator_bound(name: str, matrix: QuantizedMatrix) -> AccumulatorBound:
    """Return the largest bound over the rows of a matrix.

    Args:
        name: Name of the matrix.
        matrix: The matrix, of at least one row.
    """
    bounds = row_bounds(matrix)
    largest = max(bounds)
    return AccumulatorBound(name, len(bounds), bounds.index(largest), largest)
