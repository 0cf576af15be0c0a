"""Correlations of recordings, and those of normal scores that lead to them.

A feature is made of a normal score through its quantiles, which bends correlations: two features
whose scores correlate by 0.9 correlate by less. What correlation the scores need is found by
integrating over the bivariate normal distribution.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnn_edge.streams.marginals import REACH, Marginals
from rnn_edge.types import Array

NODES = 121
"""Of the integration, along each of two independent scores."""

ANGLES = 49
"""Correlations tried: the sines of angles evenly spaced from -90 to 90 degrees."""

MAX_CORRELATION = 0.9999
"""Of two scores: what never changes otherwise would leave nothing to draw."""

ROWS = 8192
"""Frames of the data that are in memory at once, in double precision."""

SMALLEST_EIGENVALUE = 1e-4
"""Of the correlations of scores, so that they are those of some process."""

PROJECTIONS = 25
"""Onto the positive definite matrices and those of a stationary process in turn."""


def lagged_correlations(sequences: Sequence[Array], lags: int) -> tuple[Array, int]:
    """Return correlations at lags 0 to ``lags``, and at how many places the last one was seen.

    Args:
        sequences: (T_k, D) each; no pair of frames is taken from two of them.
        lags: The longest.

    Returns:
        float64 (lags + 1, D, D): element (k, i, j) is the correlation of feature i with feature j
        k frames later; 0 where one of them never changes.
    """
    frames = np.concatenate(sequences)
    mean = frames.mean(axis=0, dtype=np.float64)
    deviation = frames.std(axis=0, dtype=np.float64)
    scale = np.where(deviation > 0.0, deviation, np.inf)
    ends = np.cumsum([len(s) for s in sequences])
    found = np.zeros((lags + 1, len(mean), len(mean)))
    count = 0
    for lag in range(lags + 1):
        later = np.concatenate(
            [np.arange(end - len(s) + lag, end) for s, end in zip(sequences, ends, strict=True)]
        )
        count = len(later)
        for k in range(0, count, ROWS):
            now = later[k : k + ROWS]
            before = (frames[now - lag] - mean) / scale
            found[lag] += before.T @ ((frames[now] - mean) / scale)
        found[lag] /= max(count, 1)
    return found, count


def score_correlations(wanted: Array, marginals: Marginals) -> Array:
    """Return the correlations of normal scores whose values correlate as wanted.

    Args:
        wanted: float64 (P + 1, D, D), of values, by lag.
        marginals: How values follow from scores.

    Returns:
        float64 (P + 1, D, D): those of a stationary process. What no process with these marginals
        can have is replaced by what is nearest.

    Source: Cario and Nelson, Modeling and generating random vectors with arbitrary marginal
        distributions and correlation matrix (NORTA), 1997.
    """
    angles = np.linspace(-np.pi / 2.0, np.pi / 2.0, ANGLES)
    curves = np.maximum.accumulate(_value_correlations(np.sin(angles), marginals), axis=0)
    found = np.empty_like(wanted)
    for _, i, j in np.ndindex(1, *wanted.shape[1:]):
        found[:, i, j] = np.sin(np.interp(wanted[:, i, j], curves[:, i, j], angles))
    return _stationary(np.clip(found, -MAX_CORRELATION, MAX_CORRELATION))


def toeplitz(lagged: Array) -> Array:
    """Return the correlations of consecutive frames, newest first, (P * D, P * D).

    Args:
        lagged: (P, D, D), from lag 0.
    """
    count = len(lagged)
    rows = [
        np.concatenate([lagged[i - j] if i >= j else lagged[j - i].T for j in range(count)], axis=1)
        for i in range(count)
    ]
    return np.concatenate(rows)


def _value_correlations(correlations: Array, marginals: Marginals) -> Array:
    """Return the correlation of each pair of features at each correlation of scores, (N, D, D)."""
    nodes = np.linspace(-REACH, REACH, NODES)
    density = np.exp(-0.5 * np.square(nodes))
    weight = np.outer(density, density).ravel() / density.sum() ** 2
    first = np.repeat(nodes, NODES)[:, None]
    second = np.tile(nodes, NODES)[:, None]
    left = _standardised(marginals, first, weight)
    weighted = left * weight[:, None]
    found = np.empty((len(correlations), left.shape[1], left.shape[1]))
    for k, rho in enumerate(correlations):
        mixed = rho * first + np.sqrt(max(0.0, 1.0 - rho * rho)) * second
        found[k] = weighted.T @ _standardised(marginals, mixed, weight)
    return found


def _standardised(marginals: Marginals, scores: Array, weight: Array) -> Array:
    """Return values (N, D) of one score per row, with mean 0 and deviation 1."""
    inputs = len(marginals.table)
    values = marginals.values(np.repeat(scores, inputs, axis=1)).astype(np.float64)
    values -= weight @ values
    deviation = np.sqrt(weight @ np.square(values))
    return values / np.where(deviation > 0.0, deviation, np.inf)


def _stationary(lagged: Array) -> Array:
    """Return the correlations of a stationary process near the given ones, (P + 1, D, D)."""
    found = _unit(lagged)
    for _ in range(PROJECTIONS):
        values, vectors = np.linalg.eigh(toeplitz(found))
        if values[0] >= SMALLEST_EIGENVALUE:
            return found
        raised = (vectors * np.maximum(values, 2.0 * SMALLEST_EIGENVALUE)) @ vectors.T
        found = _unit(_averaged(raised, len(lagged)))
    # What is left is taken from all of them: then the smallest eigenvalue is large enough.
    lowest = float(np.linalg.eigvalsh(toeplitz(found))[0])
    if lowest < SMALLEST_EIGENVALUE:
        found = _unit(found * ((1.0 - SMALLEST_EIGENVALUE) / (1.0 - lowest)))
    return found


def _unit(lagged: Array) -> Array:
    """Return a copy in which every feature correlates with itself by 1, and lag 0 both ways."""
    found = np.array(lagged)
    found[0] = (found[0] + found[0].T) / 2.0
    np.fill_diagonal(found[0], 1.0)
    return found


def _averaged(matrix: Array, count: int) -> Array:
    """Return the mean block of each lag of a matrix of blocks."""
    size = len(matrix) // count
    blocks = matrix.reshape(count, size, count, size).transpose(0, 2, 1, 3)
    return np.stack(
        [np.mean([blocks[j + lag, j] for j in range(count - lag)], axis=0) for lag in range(count)]
    )
