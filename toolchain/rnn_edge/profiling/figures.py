"""From measured times to figures with their intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rnn_edge.statistics import bootstrap_interval
from rnn_edge.types import Array
from rnn_edge.types.drift import Estimate

QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
DRAWS = 200
"""Of the bootstrap, over whole rounds: the steps of a round are not independent."""
BINS_PER_DECADE = 40
US, MS = 1e6, 1e3

Rounds = Sequence[Array]
"""Seconds of every step, float64 (N,), by round."""


@dataclass(frozen=True)
class Times:
    """A distribution of times.

    Attributes:
        p50: Median.
        p95: 95th percentile.
        p99: 99th percentile.
        maximum: The longest of all; what is not repeated has no interval.
        mean: Of all.
        jitter: From the median to the 99th percentile.
    """

    p50: Estimate
    p95: Estimate
    p99: Estimate
    maximum: float
    mean: Estimate
    jitter: Estimate

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def times_of(rounds: Rounds, unit: float) -> Times:
    """Return the distribution of times over rounds.

    Args:
        rounds: Seconds; at least one round.
        unit: How many of the unit are a second.
    """
    scaled = [np.asarray(part) * unit for part in rounds]

    def estimate(statistic: Callable[[Array], float]) -> Estimate:
        return estimated(scaled, statistic)

    return Times(
        **{name: estimate(_quantile(share)) for name, share in QUANTILES.items()},
        maximum=float(max(part.max() for part in scaled)),
        mean=estimate(lambda values: float(values.mean())),
        jitter=estimate(lambda values: float(np.subtract(*np.quantile(values, [0.99, 0.5])))),
    )


def estimated(parts: Rounds, statistic: Callable[[Array], float]) -> Estimate:
    """Return a statistic of all values, and its 95 % interval over resampled parts.

    Args:
        parts: Values by group; one group has no interval: both ends are the value.
        statistic: Of pooled values.
    """
    value = statistic(np.concatenate(parts))
    if len(parts) < 2:
        return Estimate(value, value, value)
    low, high = bootstrap_interval(
        len(parts), lambda drawn: statistic(np.concatenate([parts[k] for k in drawn])), DRAWS
    )
    return Estimate(value, min(low, value), max(high, value))


def rate_of(steps: Sequence[int], elapsed_s: Sequence[float]) -> Estimate:
    """Return steps per second over rounds of so many steps and seconds."""
    counts, seconds = np.asarray(steps, np.float64), np.asarray(elapsed_s)
    value = float(counts.sum() / seconds.sum())
    if len(counts) < 2:
        return Estimate(value, value, value)
    low, high = bootstrap_interval(
        len(counts), lambda drawn: float(counts[drawn].sum() / seconds[drawn].sum()), DRAWS
    )
    return Estimate(value, min(low, value), max(high, value))


def per_second(rounds: Rounds, frame_rate_hz: float) -> list[Array] | None:
    """Return seconds of computing for every second of the stream, by round.

    Args:
        rounds: Seconds of every step.
        frame_rate_hz: Steps in a second of the stream.

    Returns:
        None where a second of the stream is not a whole number of steps that a round holds.
    """
    width = round(frame_rate_hz)
    if width < 1 or abs(width - frame_rate_hz) > 1e-9 * frame_rate_hz:
        return None
    if min(len(part) for part in rounds) < width:
        return None
    return [part[: len(part) // width * width].reshape(-1, width).sum(axis=1) for part in rounds]


@dataclass(frozen=True)
class Histogram:
    """Shares of times in equal steps of their logarithm.

    Attributes:
        edges_us: Edges of the bins in microseconds, one more than there are bins.
        counts: Steps in each.
    """

    edges_us: tuple[float, ...]
    counts: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"edges_us": list(self.edges_us), "counts": list(self.counts)}


def histogram_of(rounds: Rounds) -> Histogram:
    """Return how the times of all rounds are distributed."""
    values = np.maximum(np.concatenate(rounds) * US, 1e-3)
    low = math.floor(math.log10(values.min()) * BINS_PER_DECADE)
    high = math.floor(math.log10(values.max()) * BINS_PER_DECADE) + 1
    edges = 10.0 ** (np.arange(low, high + 1) / BINS_PER_DECADE)
    # The ends are rounded: no value may fall out.
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    return Histogram(tuple(map(float, edges)), tuple(map(int, counts)))


def models_per_core(rate: Estimate, frame_rate_hz: float) -> int:
    """Return how many streams one core keeps up with, by the low end of what it does a second."""
    return math.floor(rate.low / frame_rate_hz)


def _quantile(share: float) -> Callable[[Array], float]:
    return lambda values: float(np.quantile(values, share))
