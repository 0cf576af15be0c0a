"""What is counted of a running stream: one thread writes, others may read."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

BUCKETS_S = (
    *(1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
    *(1.0, 2.0, 5.0),
)
"""Upper ends of the histograms' buckets."""


class Histogram:
    """Durations, counted by size."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS_S) + 1)
        self.sum_s = 0.0
        self.largest_s = 0.0

    @property
    def count(self) -> int:
        """All of them."""
        return sum(self.counts)

    def add(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(BUCKETS_S, seconds)] += 1
        self.sum_s += seconds
        if seconds > self.largest_s:
            self.largest_s = seconds

    def quantile_s(self, share: float) -> float | None:
        """Return the upper end of the bucket that holds a quantile, at most the largest."""
        count, seen = self.count, 0
        if not count:
            return None
        for end, found in zip(BUCKETS_S, self.counts, strict=False):
            seen += found
            if seen >= share * count:
                return min(end, self.largest_s)
        return self.largest_s


@dataclass(eq=False)
class Counts:
    """What was counted since the process started, and what holds now.

    Attributes:
        frames: Frames that were stepped.
        begun: Decisions that began, by label.
        resets: How often the policy set the state to zero.
        late: Frames that were decided on later than one frame after their last sample.
        gaps: Places where samples are missing.
        saves: Saved states.
        failed_saves: Saves that the system refused.
        swaps: Other models that took over.
        rollbacks: Other models that did not.
        failed_reloads: Bundles that could not be opened.
        unlogged: Frames that a full disk kept out of the log.
        step_s: Time of a step: policy, model and rule.
        latency_s: From the last sample of a frame to its decision; of paced sources.
        state_age_frames: Frames since the state was zero.
        saved_s: When the state was last saved, on the monotonic clock; None for never.
        drift_score: Of the inputs; None where they are not watched.
        drift_alarms: Features in alarm.
    """

    frames: int = 0
    begun: Counter[str] = field(default_factory=Counter)
    resets: int = 0
    late: int = 0
    gaps: int = 0
    saves: int = 0
    failed_saves: int = 0
    swaps: int = 0
    rollbacks: int = 0
    failed_reloads: int = 0
    unlogged: int = 0
    step_s: Histogram = field(default_factory=Histogram)
    latency_s: Histogram = field(default_factory=Histogram)
    state_age_frames: int = 0
    saved_s: float | None = None
    drift_score: float | None = None
    drift_alarms: int = 0
