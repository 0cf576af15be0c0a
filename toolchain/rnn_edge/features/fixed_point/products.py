"""The one product that the transform is made of."""

from __future__ import annotations

import numpy as np

from rnn_edge.types import Array

PRODUCT_BITS = 16


def product(value: Array, factor: Array | int) -> Array:
    """Return ``floor(value * factor / 2^16)``.

    A processor has it as one instruction, or computes it exactly from the two halves of the value.

    Args:
        value: int64, in the range of int32.
        factor: int16 or integers in its range.
    """
    return np.asarray(np.right_shift(value * factor, PRODUCT_BITS))
