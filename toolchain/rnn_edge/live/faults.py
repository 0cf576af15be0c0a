"""Where faults of sensors begin and end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnn_edge.features.fixed_point.sensor_flags import CAUSES, FAULT
from rnn_edge.types import Array

FAULT_BEGIN, FAULT_END = "fault", "fault-end"
"""Events; an alarm is none of them, and neither is one of these an alarm."""


class FaultTracker:
    """Follows the faults of a stream's sensors.

    Args:
        channels: Their names.
    """

    def __init__(self, channels: Sequence[str]) -> None:
        self._channels = tuple(channels)
        self.active: dict[str, int] = {}
        """Channels in fault, by name, and the frame on which each fault began."""
        self.count = 0
        """Faults that began."""

    def update(self, step: int, flags: Array) -> list[dict[str, Any]]:
        """Return the events of a frame.

        Args:
            step: Number of the frame.
            flags: uint8 (channels,).
        """
        found = flags & FAULT
        if not self.active and not found.any():
            return []
        events: list[dict[str, Any]] = []
        for name, bits in zip(self._channels, found.tolist(), strict=True):
            if bits and name not in self.active:
                self.active[name] = step
                self.count += 1
                causes = [words for bit, words in CAUSES.items() if bits & bit]
                events.append(
                    {
                        "event": FAULT_BEGIN,
                        "label": name,
                        "step": step,
                        "cause": ", ".join(causes),
                    }
                )
            elif not bits and name in self.active:
                began = self.active.pop(name)
                events.append(
                    {
                        "event": FAULT_END,
                        "label": name,
                        "step": step,
                        "began": began,
                        "frames": step - began,
                    }
                )
        return events

    def memory(self) -> dict[str, Array]:
        """Return the faults that go on: for each channel its first frame, or -1."""
        if not self.active:
            return {}
        return {"faults": np.array([self.active.get(n, -1) for n in self._channels], np.int64)}

    def recall(self, memory: Mapping[str, Array]) -> None:
        """Go on from what `memory` returned."""
        began = memory.get("faults", np.zeros(0, np.int64)).tolist()
        self.active = {
            name: first for name, first in zip(self._channels, began, strict=False) if first >= 0
        }
