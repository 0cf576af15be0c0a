"""The step counter of a log: what is missing, double, late, or starts over."""

from __future__ import annotations

from typing import Any, Literal

SHOWN = 10
"""Gaps that are listed; all are counted."""

Place = Literal["next", "after a gap", "restart", "duplicate", "late"]


class StepBook:
    """Follows the counter in constant memory."""

    def __init__(self) -> None:
        self.frames = self.resets = self.restarts = self.duplicates = self.late = 0
        self.gaps = self.missing = self.longest_gap = 0
        self._shown: list[dict[str, int]] = []
        self._last: int | None = None

    def place(self, step: int, *, is_reset: bool, is_broken: bool = False) -> Place:
        """Return where a frame belongs, and count it.

        Args:
            step: Its counter.
            is_reset: Whether the state was zero before it.
            is_broken: Whether the line before could not be read: it may have held the reset.

        Returns:
            "restart": the counter went back where the state was started from zero, as it does
            after a loss of power, or where the line that may have said so is broken. "duplicate"
            and "late" frames were stepped by nobody, or at another place: they are no part of the
            stream.
        """
        last = self._last
        if last is not None and step == last:
            self.duplicates += 1
            return "duplicate"
        if last is not None and step < last and not is_reset and not is_broken:
            self.late += 1
            return "late"
        self._last = step
        self.frames += 1
        self.resets += is_reset
        if last is None or step == last + 1:
            return "next"
        if step < last:
            self.restarts += 1
            return "restart"
        lost = step - last - 1
        self.gaps += 1
        self.missing += lost
        self.longest_gap = max(self.longest_gap, lost)
        if len(self._shown) < SHOWN:
            self._shown.append({"after": last, "missing": lost})
        return "after a gap"

    def to_json(self) -> dict[str, Any]:
        """Return the counts."""
        return {
            "frames": self.frames,
            "resets": self.resets,
            "restarts": self.restarts,
            "duplicates": self.duplicates,
            "out_of_order": self.late,
            "gaps": {
                "count": self.gaps,
                "missing": self.missing,
                "longest": self.longest_gap,
                "first": list(self._shown),
            },
        }
