"""A Gaussian vector autoregression: made of its correlations, drawn from without end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnn_edge.streams.correlations import toeplitz
from rnn_edge.types import Array

MAX_RADIUS = 0.9999
"""Largest spectral radius: what happened is forgotten over some 10,000 frames."""

ATTEMPTS = 50
"""At lowering the radius; of order 1 the first one does."""

LANES, SPAN = 64, 64
"""A block is drawn as so many lanes side by side, each so many frames long."""


@dataclass(frozen=True, eq=False)
class Autoregression:
    """``z[t] = sum_k z[t-k] @ A_k + noise``, with frames as rows.

    Attributes:
        coefficients: float64 (P * D, D): A_1 to A_P, one below the other.
        noise: float64 (D, D), a factor F of the covariance F.T @ F of what is added.
        start: float64 (P * D, P * D), the same of the stationary distribution of P frames, newest
            first.
        fitted_radius: Spectral radius before it was limited.
        radius: Spectral radius.
    """

    coefficients: Array
    noise: Array
    start: Array
    fitted_radius: float
    radius: float

    @classmethod
    def of_correlations(cls, lagged: Array) -> Autoregression:
        """Return the process with these correlations at lags 0 to P.

        A radius over `MAX_RADIUS` is lowered to it: the correlations at lag k are multiplied by
        the k-th power of what it takes, which leaves those at lag 0 as they are.

        Args:
            lagged: float64 (P + 1, D, D), from `score_correlations`.

        Source: Lütkepohl, New Introduction to Multiple Time Series Analysis, sections 2.1.1
            (companion form) and 2.1.4 (Yule-Walker equations).
        """
        order, inputs = len(lagged) - 1, lagged.shape[1]
        lags = np.arange(order + 1)[:, None, None]
        coefficients = _yule_walker(lagged)
        fitted = radius = _radius(coefficients)
        for _ in range(ATTEMPTS):
            if radius <= MAX_RADIUS * (1.0 + 1e-9):
                break
            lagged = lagged * (MAX_RADIUS / radius) ** lags
            coefficients = _yule_walker(lagged)
            radius = _radius(coefficients)
        cross = lagged[1:].reshape(order * inputs, inputs)
        return cls(
            coefficients,
            _factor(lagged[0] - coefficients.T @ cross),
            _factor(toeplitz(lagged[:order])),
            fitted,
            radius,
        )

    def draw(self, seed: int) -> Iterator[Array]:
        """Yield blocks of normal scores without end, float64 (LANES * SPAN, D), deviation 1."""
        generator = np.random.Generator(np.random.PCG64(seed))
        inputs = len(self.noise)
        over_span = np.linalg.matrix_power(_transition(self.coefficients), SPAN)
        state = generator.standard_normal(len(self.start)) @ self.start
        while True:
            noise = generator.standard_normal((LANES * SPAN, inputs)) @ self.noise
            # Step by step in memory: each step reads one run of it.
            steps = np.ascontiguousarray(noise.reshape(LANES, SPAN, inputs).transpose(1, 0, 2))
            ends = self._advance(np.zeros((LANES, len(state))), steps, None)
            # A lane starts where the one before it ends: its own end, and what is left of its
            # start.
            starts = np.empty_like(ends)
            for k in range(LANES):
                starts[k] = state
                state = state @ over_span + ends[k]
            block = np.empty((LANES, SPAN, inputs))
            self._advance(starts, steps, block)
            yield block.reshape(-1, inputs)

    def _advance(self, states: Array, noise: Array, block: Array | None) -> Array:
        """Run SPAN steps from states (LANES, P * D) and return where they lead."""
        inputs = noise.shape[2]
        for t in range(SPAN):
            newest = states @ self.coefficients + noise[t]
            if block is not None:
                block[:, t] = newest
            older = states[:, : states.shape[1] - inputs]
            states = np.concatenate([newest, older], axis=1) if older.size else newest
        return states


def _yule_walker(lagged: Array) -> Array:
    """Return A_1 to A_P, one below the other, of the process with these correlations."""
    # What k frames back has to do with now is lag k as it stands.
    cross = lagged[1:].reshape(-1, lagged.shape[1])
    return np.asarray(np.linalg.solve(toeplitz(lagged[:-1]), cross))


def _transition(coefficients: Array) -> Array:
    """Return the matrix R with ``state[t] = state[t-1] @ R + noise``, newest frame first."""
    size, inputs = coefficients.shape
    matrix = np.zeros((size, size))
    matrix[:, :inputs] = coefficients
    matrix[: size - inputs, inputs:] = np.eye(size - inputs)
    return matrix


def _radius(coefficients: Array) -> float:
    return float(np.abs(np.linalg.eigvals(_transition(coefficients))).max())


def _factor(covariance: Array) -> Array:
    """Return F with ``F.T @ F`` the covariance; what rounding made negative is 0."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2.0)
    return np.asarray(np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T)
