"""The constants of the integer front end, as the C has them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_edge.features.fixed_point.config import IntegerLogMelConfig
from rnn_edge.features.melbank import hz_to_mel, mel_bank, mel_to_hz
from rnn_edge.types import Array

WEIGHT_BITS = 15
"""Mel weights are 0 to 2^15."""

SPECTRUM_BITS = 5
"""A bin is the transform of samples times window, divided by its size and by 2^this."""

NO_BIN = 0xFFFF


@dataclass(frozen=True, eq=False)
class FrontEndTables:
    """Numbers that depend on the configuration alone.

    Attributes:
        window: int16 (window_samples,), at scale 2^-15.
        input_shift: Right shift of a windowed sample, so that no stage overflows.
        order: uint16 (fft_size / 2,), place of a complex sample in bit-reversed order.
        twiddles: int16 (3 * fft_size / 8, 2), cos and -sin of 2 pi j / (fft_size / 2), 2^-15.
        turns: int16 (fft_size / 4 + 1, 2), cos and -sin of 2 pi k / fft_size, 2^-15.
        first_bin: Bin that the first segment begins with.
        segments: uint16 (bands + 1,), bins between the edges of neighbouring peaks.
        weights: uint16 (bins,), rise within its segment of each bin of the segments, 2^-15.
        lone_bins: uint16 (bands,), bin of a band that is narrower than one, or `NO_BIN`.
        floor: Added to every band energy.
        offset: Of log2 of an energy to log2 of the power in float, at scale 2^-16.
    """

    window: Array
    input_shift: int
    order: Array
    twiddles: Array
    turns: Array
    first_bin: int
    segments: Array
    weights: Array
    lone_bins: Array
    floor: int
    offset: int


def front_end_tables(config: IntegerLogMelConfig) -> FrontEndTables:
    """Return the constants of a configuration."""
    size = config.fft_size
    half, bits = size // 2, size.bit_length() - 2
    n = np.arange(config.window_samples)
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * n / config.window_samples)
    # What a band energy of one means in power: samples 2^-15, window 2^-15, transform / size,
    # bins 2^-5 and weights 2^-15.
    unit = float(size) ** 2 * 2.0 ** (2 * SPECTRUM_BITS - 60 - WEIGHT_BITS) / np.sum(window**2)
    first_bin, segments, weights = _segments(config)
    return FrontEndTables(
        window=_q15(window),
        input_shift=(bits + 1) // 2,
        order=_bit_reversed(bits),
        twiddles=_turns(3 * half // 4, half),
        turns=_turns(half // 2 + 1, size),
        first_bin=first_bin,
        segments=segments,
        weights=weights,
        lone_bins=_lone_bins(config, segments),
        floor=max(1, round(config.power_floor / unit)),
        offset=round(float(np.log2(unit)) * 65536.0),
    )


def _q15(values: Array) -> Array:
    return np.clip(np.rint(values * 32768.0), -32768, 32767).astype(np.int16)


def _turns(count: int, size: int) -> Array:
    angle = 2.0 * np.pi * np.arange(count) / size
    return _q15(np.stack([np.cos(angle), -np.sin(angle)], axis=1))


def _bit_reversed(bits: int) -> Array:
    order = np.zeros(1, np.int64)
    for _ in range(bits):
        order = np.concatenate([2 * order, 2 * order + 1])
    return order.astype(np.uint16)


def _segments(config: IntegerLogMelConfig) -> tuple[int, Array, Array]:
    """Return the first bin, bins per segment and the rise of every bin within its segment.

    Segment s lies between the edges s and s + 1, where band s rises and band s - 1 falls: the two
    weights of a bin sum to one.
    """
    limits = hz_to_mel(np.array([config.low_hz, config.high_hz], np.float64))
    edges = mel_to_hz(np.linspace(limits[0], limits[1], config.bands + 2))
    centres = np.arange(config.fft_size // 2 + 1) * (config.sample_rate_hz / config.fft_size)
    place = np.searchsorted(edges, centres, side="right") - 1
    used = np.flatnonzero((place >= 0) & (place <= config.bands))
    segment = place[used]
    rise = (centres[used] - edges[segment]) / (edges[segment + 1] - edges[segment])
    counts = np.bincount(segment, minlength=config.bands + 1)
    first = int(used[0]) if len(used) else 0
    weights = np.rint(rise * 2.0**WEIGHT_BITS).astype(np.uint16)
    return first, counts.astype(np.uint16), weights


def _lone_bins(config: IntegerLogMelConfig, segments: Array) -> Array:
    """Return the bins of bands that none lies within, as the float bank has them."""
    bank = mel_bank(
        config.bands, config.fft_size, config.sample_rate_hz, config.low_hz, config.high_hz
    )
    dense = bank.dense(config.fft_size // 2 + 1)
    within = segments[:-1].astype(np.int64) + segments[1:]
    found = np.full(config.bands, NO_BIN, np.uint16)
    for band, row in enumerate(dense):
        if within[band] == 0:
            found[band] = np.argmax(row)
    return found
