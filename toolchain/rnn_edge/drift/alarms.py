"""False alarms of two engines compared at one threshold, in bounded memory."""

from __future__ import annotations

import math

import numpy as np

from rnn_edge.drift.blocks import BlockSums
from rnn_edge.statistics import pooled_mean, related_mean
from rnn_edge.streams.base import ANOMALOUS, NORMAL, Chunk
from rnn_edge.types import Array
from rnn_edge.types.decisions import NOTHING, Decided
from rnn_edge.types.drift import AlarmDrift, Estimate

STRETCHES = 64

NEAR = 0.1
"""A score this part of the threshold away from it is near."""


class RunningAlarms:
    """Adds up the false alarms of a reference and of an engine, and what their scores differ by.

    Args:
        threshold: Of both.
        settling_frames: At the start of each recording, that do not count.
    """

    def __init__(self, threshold: float, settling_frames: int) -> None:
        self._threshold, self._settling = threshold, settling_frames
        self._since = 0
        """Frames since a recording began."""
        self._power, self._square = 0.0, 0.0
        self._near_square, self._near = 0.0, 0
        self._normal = 0
        self._false = [0, 0]
        self._events = [_FalseEvents(), _FalseEvents()]
        self._reference, self._more = BlockSums(), BlockSums()
        self._merged: list[tuple[int, Array, Array]] = []

    def add(self, first: int, chunk: Chunk, expected: Decided, actual: Decided) -> None:
        """Add consecutive steps of a chunk with labels; ``first`` is the index of the first."""
        difference = actual.scores - expected.scores
        self._power += float(np.square(expected.scores).sum())
        self._square += float(np.square(difference).sum())
        near = np.abs(expected.scores - self._threshold) <= NEAR * self._threshold
        self._near += int(near.sum())
        self._near_square += float(np.square(difference[near]).sum())
        labels = np.asarray(chunk.labels)
        counted = (labels == NORMAL) & self._settled(len(labels), chunk.starts)
        self._normal += int(counted.sum())
        own = [decided.detections != NOTHING for decided in (expected, actual)]
        false = [alarms & counted for alarms in own]
        for k in range(2):
            self._false[k] += int(false[k].sum())
            self._events[k].add(own[k], counted, labels == ANOMALOUS)
        reference = false[0].astype(np.float64)
        self._reference.add(first, reference)
        self._more.add(first, false[1] - reference)

    def close(self) -> None:
        """End the alarms that are still going on; the stream is over."""
        for events in self._events:
            events.close()

    def merge(self, other: RunningAlarms) -> None:
        """Add another stream that is over, as this one is."""
        self._merged = [*self._parts(), *other._parts()]
        self._power += other._power
        self._square += other._square
        self._near_square += other._near_square
        self._near += other._near
        self._normal += other._normal
        self._false = [a + b for a, b in zip(self._false, other._false, strict=True)]
        for own, its in zip(self._events, other._events, strict=True):
            own.count += its.count

    def result(self) -> AlarmDrift:
        """Return what was found."""
        reference, engine = self._false
        events = [each.count for each in self._events]
        return AlarmDrift(
            threshold=self._threshold,
            score_relative=math.sqrt(self._square / self._power) if self._power > 0.0 else 0.0,
            score_at_threshold=math.sqrt(self._near_square / self._near) / self._threshold
            if self._near
            else None,
            frames_at_threshold=self._near,
            normal_frames=self._normal,
            settling_frames=self._settling,
            reference_false=reference,
            engine_false=engine,
            change=self._change(reference, engine),
            reference_events=events[0],
            engine_events=events[1],
            event_change=_ratio(*events),
        )

    def _settled(self, steps: int, starts: Array) -> Array:
        """Return which frames of a chunk are far enough from the start of their recording."""
        index = np.arange(steps)
        began = np.full(steps, -self._since)
        began[starts] = starts
        since = index - np.maximum.accumulate(began)
        self._since = int(since[-1]) + 1 if steps else self._since
        return np.asarray(since >= self._settling)

    def _parts(self) -> list[tuple[int, Array, Array]]:
        """Return steps of each stream, its false alarms by stretch, and how many more."""
        own, more = (sums.means(STRETCHES)[0] for sums in (self._reference, self._more))
        return self._merged or [(self._reference.common, own, more)]

    def _change(self, reference: int, engine: int) -> Estimate | None:
        """Return the change with the interval of a ratio of two means.

        Source:
            Cochran, "Sampling Techniques" (1977), chapter 6: the variance of a ratio R = b/a from
            the residuals b - R*a, here of stretches of time that are related to their neighbours.
        """
        value = _ratio(reference, engine)
        if value is None:
            return None
        parts = self._parts()
        total = sum(steps for steps, _, _ in parts)
        mean = sum(steps * float(own.mean()) for steps, own, _ in parts) / total
        spread = pooled_mean(
            [(steps, related_mean(more - value * own)) for steps, own, more in parts]
        )
        below, above = spread.value - spread.low, spread.high - spread.value
        if mean <= 0.0:
            # There are none, or none before the end of the last whole stretch.
            return Estimate(value, value, value)
        return Estimate(value, value - below / mean, value + above / mean)


def _ratio(reference: int, engine: int) -> float | None:
    """Return how many more an engine has, as a share of the reference's."""
    if not reference:
        return None if engine else 0.0
    return engine / reference - 1.0


class _FalseEvents:
    """Counts unbroken runs of alarm with a counted normal frame and no anomalous one."""

    def __init__(self) -> None:
        self.count = 0
        self._is_open, self._has_normal, self._has_fault = False, False, False

    def add(self, alarm: Array, normal: Array, fault: Array) -> None:
        if not len(alarm):
            return
        starts = np.flatnonzero(np.diff(alarm, prepend=not alarm[0]))
        of_normal = np.logical_or.reduceat(normal, starts)
        of_fault = np.logical_or.reduceat(fault, starts)
        for k, start in enumerate(starts):
            if not alarm[start]:
                self.close()
                continue
            self._is_open = True
            self._has_normal |= bool(of_normal[k])
            self._has_fault |= bool(of_fault[k])

    def close(self) -> None:
        self.count += self._is_open and self._has_normal and not self._has_fault
        self._is_open, self._has_normal, self._has_fault = False, False, False
