"""Where detections begin and end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rnn_edge.types.decisions import NOTHING

ALARM = "alarm"
"""Label of an anomaly."""


@dataclass
class Active:
    """A detection that goes on.

    Attributes:
        detection: As in `Decided`.
        step: Frame on which it began.
        peak: Largest score so far.
    """

    detection: int
    step: int
    peak: float


class EventTracker:
    """Follows the detections of a stream.

    Args:
        labels: Names of the outputs of a keyword model; empty of an anomaly model.
    """

    def __init__(self, labels: tuple[str, ...]) -> None:
        self._labels = labels
        self.active: Active | None = None

    def label(self, detection: int) -> str:
        """Return what a detection is called."""
        return self._labels[detection - 1] if self._labels else ALARM

    def update(self, step: int, detection: int, score: float) -> list[dict[str, Any]]:
        """Return the events of a frame: none, one that begins or ends, or both.

        Args:
            step: Number of the frame.
            detection: Of the rule; `NOTHING` for none.
            score: Of the rule.
        """
        active = self.active
        if active is not None and active.detection == detection:
            active.peak = max(active.peak, score)
            return []
        events = self.finish(step)
        if detection != NOTHING:
            self.active = Active(detection, step, score)
            label = self.label(detection)
            events.append({"event": "begin", "label": label, "step": step, "score": score})
        return events

    def finish(self, step: int) -> list[dict[str, Any]]:
        """End what goes on, if anything, before a frame."""
        active, self.active = self.active, None
        if active is None:
            return []
        event = {
            "event": "end",
            "label": self.label(active.detection),
            "step": step,
            "began": active.step,
            "frames": step - active.step,
            "score": active.peak,
        }
        return [event]
