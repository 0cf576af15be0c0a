"""The transform of real samples: half as many complex ones, four at a time, in 32 bits.

Sizes are such that nothing overflows and nothing has to be looked for: a windowed sample is below
2^(30 - input_shift), a stage of four doubles a magnitude at most, and all stages together divide
by the number of complex samples.

Source: Cooley and Tukey, Mathematics of Computation 19 (1965); the split of a real transform as in
Sorensen et al., IEEE Trans. ASSP 35 (1987).
"""

from __future__ import annotations

import numpy as np

from rnn_edge.features.fixed_point.products import product
from rnn_edge.features.fixed_point.tables import SPECTRUM_BITS, FrontEndTables
from rnn_edge.types import Array


def spectrum(windows: Array, tables: FrontEndTables) -> tuple[Array, Array]:
    """Return the bins 0 to fft_size / 2.

    Args:
        windows: int16 (window_samples, frames), samples under each window.
        tables: The constants.

    Returns:
        Real and imaginary part, int64 (fft_size / 2 + 1, frames), the latter up to its sign.
    """
    shaped = (windows.astype(np.int64) * tables.window.astype(np.int64)[:, None]) >> (
        tables.input_shift
    )
    half = len(tables.order)
    real, imaginary = np.zeros((2, half, windows.shape[1]), np.int64)
    places = tables.order[: len(windows) // 2].astype(np.int64)
    real[places], imaginary[places] = shaped[0::2], shaped[1::2]
    real, imaginary = _complex_transform(real, imaginary, tables.twiddles.astype(np.int64))
    return _split(real, imaginary, tables.turns.astype(np.int64))


def _complex_transform(real: Array, imaginary: Array, twiddles: Array) -> tuple[Array, Array]:
    half, frames = real.shape
    span = 1
    if (half.bit_length() - 1) % 2:
        real, imaginary = _pairs(real), _pairs(imaginary)
        span = 2
    while span < half:
        # Bit-reversed order: residues 0, 2, 1, 3 of a quarter stand one after the other.
        shape = (half // (4 * span), 4, span, frames)
        r, i = real.reshape(shape), imaginary.reshape(shape)
        parts = [(r[:, 0] >> 1, i[:, 0] >> 1)]
        for place, residue in ((1, 2), (2, 1), (3, 3)):
            turn = twiddles[np.arange(span) * residue * (half // (4 * span))][:, :, None]
            parts.append(_turned(r[:, place], i[:, place], turn))
        (ar, ai), (cr, ci), (br, bi), (dr, di) = parts
        t0r, t0i, t1r, t1i = ar + cr, ai + ci, ar - cr, ai - ci
        t2r, t2i, t3r, t3i = br + dr, bi + di, br - dr, bi - di
        real = np.stack([t0r + t2r, t1r + t3i, t0r - t2r, t1r - t3i], axis=1)
        imaginary = np.stack([t0i + t2i, t1i - t3r, t0i - t2i, t1i + t3r], axis=1)
        real, imaginary = real.reshape(half, frames), imaginary.reshape(half, frames)
        span *= 4
    return real, imaginary


def _pairs(values: Array) -> Array:
    return np.stack([values[0::2] + values[1::2], values[0::2] - values[1::2]], axis=1).reshape(
        values.shape
    )


def _turned(real: Array, imaginary: Array, turn: Array) -> tuple[Array, Array]:
    """Return half the product with a twiddle; a turn by nothing is an exact halving."""
    cos, sin = turn[:, 0], turn[:, 1]
    r = product(real, cos) - product(imaginary, sin)
    i = product(real, sin) + product(imaginary, cos)
    r[:, 0], i[:, 0] = real[:, 0] >> 1, imaginary[:, 0] >> 1
    return r, i


def _split(real: Array, imaginary: Array, turns: Array) -> tuple[Array, Array]:
    half, frames = real.shape
    bits = SPECTRUM_BITS + 2
    found_r, found_i = np.zeros((2, half + 1, frames), np.int64)
    found_r[0] = (real[0] + imaginary[0]) >> (bits - 1)
    found_r[half] = (real[0] - imaginary[0]) >> (bits - 1)
    k = np.arange(1, half // 2 + 1)
    ar, ai, br, bi = real[k], imaginary[k], real[half - k], imaginary[half - k]
    cos, sin = turns[k, 0][:, None], turns[k, 1][:, None]
    sum_r, sum_i = ar + br, ai - bi
    turned_r, turned_i = ai + bi, br - ar
    y_r = product(turned_r, cos) - product(turned_i, sin)
    y_i = product(turned_r, sin) + product(turned_i, cos)
    found_r[half - k], found_i[half - k] = (sum_r - 2 * y_r) >> bits, (sum_i - 2 * y_i) >> bits
    found_r[k], found_i[k] = (sum_r + 2 * y_r) >> bits, (sum_i + 2 * y_i) >> bits
    return found_r, found_i
