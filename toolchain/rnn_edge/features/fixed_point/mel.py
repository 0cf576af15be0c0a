"""Band energies of a spectrum, with one product for each bin."""

from __future__ import annotations

import numpy as np

from rnn_edge.features.fixed_point.tables import NO_BIN, WEIGHT_BITS, FrontEndTables
from rnn_edge.types import Array


def band_energies(real: Array, imaginary: Array, tables: FrontEndTables) -> Array:
    """Return the energies of all bands, the floor included.

    A bin between the peaks of two bands belongs to the upper one with its weight and to the lower
    one with the rest: the sums of energies and of weighted energies of a segment give both.

    Args:
        real: int64 (bins, frames).
        imaginary: int64 (bins, frames).
        tables: The constants.

    Returns:
        uint64 (bands, frames), above 0 and below 2^64.
    """
    power = (real * real + imaginary * imaginary).astype(np.uint64)
    first, count = tables.first_bin, len(tables.weights)
    used = power[first : first + count]
    ends = np.concatenate([[0], np.cumsum(tables.segments.astype(np.int64))])
    whole = _between(used, ends) << np.uint64(WEIGHT_BITS)
    rising = _between(used * tables.weights.astype(np.uint64)[:, None], ends)
    energy = rising[:-1] + (whole - rising)[1:] + np.uint64(tables.floor)
    for band in np.flatnonzero(tables.lone_bins != NO_BIN):
        energy[band] += power[tables.lone_bins[band]] << np.uint64(WEIGHT_BITS)
    return np.asarray(energy)


def _between(values: Array, ends: Array) -> Array:
    """Return the sums of rows between neighbouring ends, modulo 2^64 as every part of them."""
    zero = np.zeros((1, values.shape[1]), np.uint64)
    total = np.concatenate([zero, np.cumsum(values, axis=0, dtype=np.uint64)])[ends]
    return np.asarray(total[1:] - total[:-1])
