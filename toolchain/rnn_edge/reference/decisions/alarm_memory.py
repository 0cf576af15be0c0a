"""Alarms in integers: what their rule remembers, and how it decides."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rnn_edge.reference.decisions.alarms import KEEP_BITS, SCORE_BITS, AlarmNumbers
from rnn_edge.reference.decisions.recalled import require_like
from rnn_edge.reference.decisions.residuals import ResidualMemory
from rnn_edge.reference.decisions.shares import Shares
from rnn_edge.reference.decisions.whitening import Whitening
from rnn_edge.types import Array


class AlarmMemory:
    """What a rule for alarms remembers, and how it decides.

    Args:
        numbers: Of the rule.

    Attributes:
        most_label: Greatest label.
    """

    most_label = 1

    def __init__(self, numbers: AlarmNumbers) -> None:
        self._numbers = numbers
        shifts = (numbers.frame_shift, numbers.forecast_shift)
        self._residuals = ResidualMemory(numbers.offsets, numbers.channel_count, shifts)
        self._alone = Shares(numbers.channels, numbers.share_limit)
        if numbers.whitening is not None:
            self._whitening = Whitening(numbers.whitening)
            self._together = Shares(numbers.whitening.rows, numbers.share_limit)
        self._seen = self._score = self._loud = self._quiet = 0

    def settle(self) -> None:
        """Forget all but what is detected: the stream has a gap, or its state was set to zero."""
        self._residuals.forget()
        self._seen = self._score = self._loud = self._quiet = 0

    def raw(self, x: Array, y: Array, left_out: Array) -> Array:
        """Return what frames add to the score.

        Args:
            x: int64 (T, D), frames; what is compared stands last.
            y: int64 (T, R), what the model gave for them.
            left_out: bool (T, channels), those that do not count.

        Returns:
            int64 (T,), below 2^31.
        """
        numbers = self._numbers
        newest = x[:, -numbers.channel_count :]
        errors, skipped = self._residuals.update(newest, y, left_out)
        raw = np.where(skipped, 0, self._alone.of(errors)).sum(axis=1)
        if numbers.whitening is not None:
            together = self._together.of(self._whitening.of(errors)).sum(axis=1)
            raw = np.where(skipped.any(axis=1), raw, together)
        counts = self._seen + np.arange(len(x)) > numbers.warmup_frames
        self._seen = min(self._seen + len(x), numbers.warmup_frames + 1)
        return np.where(counts, raw, 0)

    def step(self, raw: int) -> tuple[int, int, int]:
        """Decide on what a frame adds to the score.

        Returns:
            The decision by itself, the label that the frame gives and the score, as in `Decided`.
        """
        numbers = self._numbers
        product = (raw - self._score) * numbers.take
        self._score += (product + (1 << (KEEP_BITS - 1))) >> KEEP_BITS
        is_loud, is_quiet = self._score > numbers.threshold, self._score <= numbers.release
        self._loud = min(self._loud + 1, numbers.least_frames) if is_loud else 0
        self._quiet = min(self._quiet + 1, numbers.release_frames) if is_quiet else 0
        is_alarm = self._loud == numbers.least_frames
        return int(raw > numbers.threshold), int(is_alarm), self._score

    def standing(self, label: int) -> tuple[int, bool]:
        """Return the score, and whether it was at its release for long enough."""
        del label
        return self._score, self._quiet == self._numbers.release_frames

    def end(self, label: int) -> None:
        """Nothing is remembered of an alarm that is over."""

    def memory(self) -> dict[str, Array]:
        """Return what is remembered of earlier frames."""
        own = {"seen": self._seen, "score": self._score, "loud": self._loud, "quiet": self._quiet}
        return {**self._residuals.memory(), **{name: np.array(each) for name, each in own.items()}}

    def recall(self, memory: Mapping[str, Array]) -> None:
        """Go on from what `memory` returned.

        Raises:
            ValueError: If it is of another rule.
        """
        require_like(memory, self.memory())
        ranges = {
            "seen": self._numbers.warmup_frames + 1,
            "score": (1 << SCORE_BITS) - 1,
            "loud": self._numbers.least_frames,
            "quiet": self._numbers.release_frames,
        }
        for name, most in ranges.items():
            if not 0 <= int(memory[name]) <= most:
                raise ValueError(f"memory of another rule: {name} is {int(memory[name])}")
        self._residuals.recall(memory)
        self._seen, self._score, self._loud, self._quiet = (int(memory[name]) for name in ranges)
