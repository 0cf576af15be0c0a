"""Alarms held against the labels of a recording, frame by frame."""

from __future__ import annotations

from typing import Any

from rnn_edge.statistics import poisson_interval
from rnn_edge.streams.base import ANOMALOUS, NORMAL, UNLABELLED

_DAY_S = 86_400.0


class LabelledAlarms:
    """Counts, as `rnn_edge.evaluation.anomaly.anomaly_metrics` does of whole recordings.

    An event is an unbroken run of anomalous frames, found if there is an alarm on any of them. A
    false alarm is an unbroken run of alarm with a normal frame and without an anomalous one.
    """

    def __init__(self) -> None:
        self._normal, self._anomalous, self._false, self._right = 0, 0, 0, 0
        self._events, self._found, self._false_runs = 0, 0, 0
        self._in_event, self._is_found = False, False
        self._in_alarm, self._has_normal, self._has_fault = False, False, False

    def add(self, *, is_alarm: bool, label: int) -> None:
        """Add a frame.

        Args:
            is_alarm: Whether an alarm is on.
            label: `UNLABELLED`, `NORMAL` or `ANOMALOUS`.
        """
        if label != UNLABELLED:
            is_fault = label == ANOMALOUS
            self._normal += not is_fault
            self._anomalous += is_fault
            self._false += is_alarm and not is_fault
            self._right += is_alarm and is_fault
        if label == ANOMALOUS:
            self._in_event = True
            self._is_found |= is_alarm
        else:
            self._end_event()
        if is_alarm:
            self._in_alarm = True
            self._has_normal |= label == NORMAL
            self._has_fault |= label == ANOMALOUS
        else:
            self._end_alarm()

    def to_json(self, frame_rate_hz: float) -> dict[str, Any] | None:
        """Return the counts, or None where no frame is labelled; what goes on is ended by it."""
        self._end_event()
        self._end_alarm()
        if not self._normal + self._anomalous:
            return None
        found: dict[str, Any] = {
            "normal_frames": self._normal,
            "anomalous_frames": self._anomalous,
            "false_frames": self._false,
            "right_frames": self._right,
            "events": self._events,
            "events_found": self._found,
            "false_alarms": self._false_runs,
            "false_alarms_rate": None,
        }
        if self._normal:
            days = self._normal / frame_rate_hz / _DAY_S
            low, high = poisson_interval(self._false_runs)
            found["false_alarms_rate"] = {
                "per": "day",
                "value": self._false_runs / days,
                "low": low / days,
                "high": high / days,
            }
        return found

    def _end_event(self) -> None:
        if self._in_event:
            self._events += 1
            self._found += self._is_found
        self._in_event, self._is_found = False, False

    def _end_alarm(self) -> None:
        if self._in_alarm:
            self._false_runs += self._has_normal and not self._has_fault
        self._in_alarm, self._has_normal, self._has_fault = False, False, False
