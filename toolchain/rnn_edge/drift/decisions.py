"""Decisions of two engines compared frame by frame and event by event."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from rnn_edge.drift.blocks import BlockSums
from rnn_edge.statistics import pooled_mean, related_mean, wilson_interval
from rnn_edge.types import Array
from rnn_edge.types.decisions import NOTHING, Decided
from rnn_edge.types.drift import DecisionDrift, Estimate

STRETCHES = 64


class DecisionRule(Protocol):
    """Turns outputs into decisions, frame after frame; it remembers what it smooths.

    Attributes:
        frame_kind: What a decision by frame is, in words.
        detection_kind: What a detection is.
        alarm_threshold: What the score of an alarm is compared with; None where detections are no
            alarms.
        settling_frames: For which the start of a recording is seen in the score.
    """

    frame_kind: str
    detection_kind: str
    alarm_threshold: float | None
    settling_frames: int

    def update(self, frames: Array, outputs: Array) -> Decided:
        """Decide on frames float32 (T, D) and outputs float (T, C), in real units."""


class RunningDecisions:
    """Counts how often two rules decide otherwise.

    Args:
        frame_kind: What a decision by frame is, in words.
        detection_kind: What a detection is.
    """

    def __init__(self, frame_kind: str, detection_kind: str) -> None:
        self._frames = _RunningAgreement(frame_kind)
        self._detections = _RunningAgreement(detection_kind)
        self._reference, self._engine = _RunningEvents(), _RunningEvents()
        self._score_square, self._score_maximum, self._steps = 0.0, 0.0, 0

    def add(self, first: int, expected: Decided, actual: Decided) -> None:
        """Add consecutive steps; ``first`` is the index of the first of them."""
        self._frames.add(first, expected.frames, actual.frames)
        self._detections.add(first, expected.detections, actual.detections)
        self._reference.add(expected.detections, actual.detections)
        self._engine.add(actual.detections, expected.detections)
        difference = np.abs(expected.scores - actual.scores)
        self._score_square += float(np.square(difference).sum())
        self._score_maximum = max(self._score_maximum, float(difference.max(initial=0.0)))
        self._steps += len(difference)

    def close(self) -> None:
        """End the events that are still going on; the stream is over."""
        self._reference.close()
        self._engine.close()

    def merge(self, other: RunningDecisions) -> None:
        """Add the counts of another stream that is over, as this one is."""
        self._frames.merge(other._frames)
        self._detections.merge(other._detections)
        self._reference.merge(other._reference)
        self._engine.merge(other._engine)
        self._score_square += other._score_square
        self._score_maximum = max(self._score_maximum, other._score_maximum)
        self._steps += other._steps

    def stretches(self) -> tuple[Array, Array]:
        """Return the share of other decisions in equal stretches, by frame and of detections."""
        return self._frames.stretches(), self._detections.stretches()

    def result(self) -> tuple[DecisionDrift, DecisionDrift]:
        """Return decisions by frame and detections."""
        frames, found = self._frames, self._detections
        by_frame = DecisionDrift(
            kind=frames.kind,
            agreement=frames.estimate(),
            flips=frames.flips,
            first_flip=frames.first,
        )
        detections = DecisionDrift(
            kind=found.kind,
            agreement=found.estimate(),
            flips=found.flips,
            first_flip=found.first,
            reference_events=self._reference.events,
            engine_events=self._engine.events,
            missed_events=self._reference.events - self._reference.matched,
            extra_events=self._engine.events - self._engine.matched,
            score_rms=math.sqrt(self._score_square / self._steps),
            score_maximum=self._score_maximum,
        )
        return by_frame, detections


class _RunningAgreement:
    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.flips, self.steps = 0, 0
        self.first: int | None = None
        self._merged: list[tuple[int, Estimate]] = []
        self._blocks = BlockSums()

    def add(self, first: int, expected: Array, actual: Array) -> None:
        differs = expected != actual
        at = np.flatnonzero(differs)
        if len(at) and self.first is None:
            self.first = first + int(at[0])
        self.flips += len(at)
        self.steps += len(differs)
        self._blocks.add(first, differs.astype(np.float64))

    def merge(self, other: _RunningAgreement) -> None:
        self._merged = [*self._parts(), *other._parts()]
        found = [first for first in (self.first, other.first) if first is not None]
        self.first = min(found) if found else None
        self.flips += other.flips
        self.steps += other.steps
        self._blocks.merge(other._blocks)

    def stretches(self) -> Array:
        """Return the share of other decisions in equal stretches."""
        return self._blocks.means(STRETCHES)[0]

    def estimate(self) -> Estimate:
        """Return the share of equal decisions.

        Its interval is the wider of that of the means of stretches, which knows that flips come
        together, and Wilson's, which knows that none seen is not none at all.
        """
        share = 1.0 - self.flips / self.steps
        spread = pooled_mean(self._parts())
        low, high = wilson_interval(self.steps - self.flips, self.steps)
        return Estimate(
            share,
            max(0.0, min(low, share + spread.low - spread.value)),
            min(1.0, max(high, share + spread.high - spread.value)),
        )

    def _parts(self) -> list[tuple[int, Estimate]]:
        """Return steps and share of equal decisions of each stream."""
        return self._merged or [(self.steps, related_mean(1.0 - self.stretches()))]


class _RunningEvents:
    """Counts runs of one detection, and those during which the other side ever agrees."""

    def __init__(self) -> None:
        self.events, self.matched = 0, 0
        self._open, self._open_matched = NOTHING, False

    def add(self, own: Array, other: Array) -> None:
        if not len(own):
            return
        starts = np.flatnonzero(np.diff(own, prepend=own[0] - 1))
        agree = np.maximum.reduceat(((own == other) & (own != NOTHING)).astype(np.int8), starts)
        labels, hits = own[starts], agree.astype(bool)
        if labels[0] == self._open:
            hits[0] |= self._open_matched
        else:
            self.close()
        # All but the last are over.
        real = labels[:-1] != NOTHING
        self.events += int(real.sum())
        self.matched += int((real & hits[:-1]).sum())
        self._open, self._open_matched = int(labels[-1]), bool(hits[-1])

    def close(self) -> None:
        if self._open != NOTHING:
            self.events += 1
            self.matched += int(self._open_matched)
        self._open, self._open_matched = NOTHING, False

    def merge(self, other: _RunningEvents) -> None:
        self.events += other.events
        self.matched += other.matched
