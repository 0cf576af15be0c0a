"""Which frames the outputs of an anomaly model stand for.

An offset is counted in frames from the newest input: 1 is the next frame, 0 the newest itself, -3
the one three frames before it. Outputs are offset-major: output ``k * D + d`` is channel d at
``offsets[k]``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

NEXT_FRAME = (1,)
"""A forecast of the next frame alone."""

FARTHEST = 64
"""Largest distance of an offset, in frames."""

MOST_OFFSETS = 32
"""Most offsets of one model."""

_TIME = re.compile(r" t([+-]\d+)?$")


def lag_of(offsets: Sequence[int]) -> int:
    """Return the frames of a stream that must be over before an error is known at every offset.

    The error of a forecast is known when its frame comes, so many frames after the forecast; the
    error of a reconstruction needs a frame that is so many frames old.
    """
    return max(0, *(abs(offset) for offset in offsets))


def output_labels(channels: Sequence[str], offsets: Sequence[int]) -> tuple[str, ...]:
    """Return the names of the outputs.

    Args:
        channels: Names of the D channels.
        offsets: As in the spec. A model of the next frame alone has the names of the channels.
    """
    if tuple(offsets) == NEXT_FRAME:
        return tuple(channels)
    return tuple(f"{channel} {_time(offset)}" for offset in offsets for channel in channels)


def channel_of(label: str) -> str:
    """Return the name of the channel that an output is of."""
    return _TIME.sub("", label)


def _time(offset: int) -> str:
    return f"t{offset:+d}" if offset else "t"
