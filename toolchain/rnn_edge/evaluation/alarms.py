"""From scores to alarms, as a device raises them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_edge.reference.alarm_latch import AlarmLatch
from rnn_edge.types import Array


@dataclass(frozen=True)
class AlarmLogic:
    """When scores are alarms; without more than a threshold, wherever they are above it.

    Attributes:
        threshold: An alarm begins with scores above it.
        release: It ends at or below this part of the threshold, 0..1.
        least_frames: On end above the threshold, with which it begins.
        release_frames: On end at or below the release, with which it ends.
    """

    threshold: float
    release: float = 1.0
    least_frames: int = 1
    release_frames: int = 1

    def latch(self) -> AlarmLatch:
        """Return an alarm that is off."""
        return AlarmLatch(self.least_frames, self.release_frames)

    def alarms(self, scores: Array) -> Array:
        """Return at which frames of a stream the alarm is on, bool (T,).

        Args:
            scores: float64 (T,), from the start of the stream.
        """
        latch = self.latch()
        above = (scores > self.threshold).tolist()
        released = (scores <= self.threshold * self.release).tolist()
        pairs = zip(above, released, strict=True)
        return np.array([latch.step(is_above=a, is_released=r) for a, r in pairs], np.bool_)
