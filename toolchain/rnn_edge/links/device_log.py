"""From the log of a device to a log for replays (docs/logs.md); what is missing is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rnn_edge.links.application import NUMBERS, About, LogRecord, Rule
from rnn_edge.links.client import LinkClient
from rnn_edge.links.messages import LogFlag
from rnn_edge.logs.writer import LogWriter
from rnn_edge.reference.decisions import FIRST_FAULT
from rnn_edge.types.offsets import channel_of

ALARM = "alarm"
_FIELDS = {
    LogFlag.RESTORED: "restored",
    LogFlag.STATE_SET: "state_set",
    LogFlag.DROPPED: "frames_dropped",
    LogFlag.FAULTY: "sensor_fault",
}
"""What a frame of the log says besides, where it is so."""


@dataclass(frozen=True)
class Fetched:
    """What one fetch brought.

    Attributes:
        frames: That were written.
        lost: Steps before them that the device had forgotten already.
    """

    frames: int
    lost: int


class DeviceLog:
    """Copies the log of a device into a file, as often as it is told to.

    What is missing leaves a gap in the steps of the file, as a reader expects it: steps that the
    device overwrote before they were fetched, as many; another session, and a state that a host
    had set, at least one. A frame says ``detected`` and ``detection_score`` where the device
    decided, ``restored``, ``state_set``, ``frames_dropped`` or ``sensor_fault`` where its record
    does.

    Args:
        writer: Of the file.
        labels: Names of the model's outputs.
    """

    def __init__(self, writer: LogWriter, labels: Sequence[str]) -> None:
        self._writer = writer
        self._labels = labels
        self._next = 0
        self._shift = 0
        self._is_begun = False
        self.lost = self.frames = 0

    def begin(self, steps: int = 0) -> None:
        """Take the steps of a session from here on; again after each session that was lost.

        Args:
            steps: That the device has taken since it started; less of them for older ones.
        """
        # In between there may have been others, and which state they left is not known.
        self._shift += self._next - steps + (1 if self._is_begun else 0)
        self._next = steps
        self._is_begun = True

    def fetch(self, client: LinkClient, about: About) -> Fetched:
        """Write what the device has logged since the last time.

        Args:
            client: Speaks to the device, in a session.
            about: What the device said.

        Raises:
            LinkError: If the device has no log or does not answer; `fetch` goes on where it was.
            DataError: If the file cannot be written.
        """
        frames = lost = 0
        for record in client.log(self._next % NUMBERS):
            ahead = (record.step - self._next) % NUMBERS
            if ahead >= NUMBERS // 2:
                # Of before the session, as far as it is to be told.
                continue
            lost += ahead
            self._next += ahead + 1
            self._write(record, about)
            frames += 1
        self.frames += frames
        self.lost += lost
        return Fetched(frames, lost)

    def _write(self, record: LogRecord, about: About) -> None:
        if LogFlag.STATE_SET in record.flags:
            self._shift += 1
        further: dict[str, Any] = {
            name: True for flag, name in _FIELDS.items() if flag in record.flags
        }
        if LogFlag.DECIDED in record.flags:
            further["detection_score"] = record.score * 2.0**about.score_exponent
            if record.label:
                further["detected"] = detected_name(about.rule, self._labels, record.label)
        self._writer.write(
            record.x,
            record.y,
            # The device's numbers go round; those of a file do not.
            step=self._next - 1 + self._shift,
            reset=LogFlag.RESET in record.flags,
            **further,
        )


def detected_name(rule: Rule, labels: Sequence[str], label: int) -> str:
    """Return what a detection is called.

    Args:
        rule: How the device decides.
        labels: Of the outputs.
        label: 1 + output, or 1 for an alarm; 2 + channel for the fault of its sensor.
    """
    if rule is Rule.ALARM and label >= FIRST_FAULT:
        channel = label - FIRST_FAULT
        name = channel_of(labels[channel]) if channel < len(labels) else f"channel {channel}"
        return f"sensor fault: {name}"
    if rule is Rule.ALARM:
        return ALARM
    return labels[label - 1] if 0 < label <= len(labels) else f"output {label - 1}"
