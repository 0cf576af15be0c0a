"""When an alarm begins and ends, from what each frame's score says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class AlarmLatch:
    """An alarm that is on or off.

    It begins with the frame that is the last of ``least_frames`` on end whose scores are above the
    threshold, and it is over with the last of ``release_frames`` on end whose scores are at or
    below the release: that frame is no longer part of it.

    Attributes:
        least_frames: At least 1.
        release_frames: At least 1.
        is_on: Whether the alarm is on.
        loud: Frames on end above the threshold, up to ``least_frames``.
        quiet: Frames on end at or below the release, while the alarm is on.
    """

    least_frames: int = 1
    release_frames: int = 1
    is_on: bool = False
    loud: int = 0
    quiet: int = 0

    def step(self, *, is_above: bool, is_released: bool) -> bool:
        """Take what a frame's score says and return whether the alarm is on with this frame.

        Args:
            is_above: Whether the score is above the threshold.
            is_released: Whether it is at or below the release, which is no higher.
        """
        self.loud = min(self.loud + 1, self.least_frames) if is_above else 0
        if not self.is_on:
            self.is_on, self.quiet = self.loud == self.least_frames, 0
            return self.is_on
        self.quiet = self.quiet + 1 if is_released else 0
        if self.quiet == self.release_frames:
            self.is_on, self.quiet = False, 0
        return self.is_on

    def settle(self) -> None:
        """Forget what was counted; an alarm that is on stays so."""
        self.loud = self.quiet = 0
