"""How well a rate is known of which events were counted."""

from __future__ import annotations

import math
from collections.abc import Callable


def poisson_interval(count: int) -> tuple[float, float]:
    """Return the 95 % interval of the expected number of independent events.

    Args:
        count: Events that were seen, at least 0.

    Source: Garwood, "Fiducial limits for the Poisson distribution" (1936): the numbers of which so
        many events or more, and so many or fewer, are seen in 2.5 % of all cases.
    """
    low = 0.0 if count == 0 else _where(lambda mean: 1.0 - _up_to(count - 1, mean) >= 0.025, count)
    return low, _where(lambda mean: _up_to(count, mean) <= 0.025, count)


def _up_to(count: int, mean: float) -> float:
    """Return the probability of so many events or fewer."""
    if mean == 0.0:
        return 1.0
    logs = (k * math.log(mean) - mean - math.lgamma(k + 1.0) for k in range(count + 1))
    return math.fsum(math.exp(log) for log in logs)


def _where(is_beyond: Callable[[float], bool], count: int) -> float:
    """Return the number from which on something is so."""
    low, high = 0.0, count + 6.0 * math.sqrt(count + 1.0) + 10.0
    for _ in range(80):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if is_beyond(middle) else (middle, high)
    return high
