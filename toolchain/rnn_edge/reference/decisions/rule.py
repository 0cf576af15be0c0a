"""Decides on the frames of a stream in integers, and tells what begins and what ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from rnn_edge.reference.decisions.alarm_memory import AlarmMemory
from rnn_edge.reference.decisions.alarms import AlarmNumbers
from rnn_edge.reference.decisions.keyword_memory import KeywordMemory
from rnn_edge.reference.decisions.keywords import KeywordNumbers
from rnn_edge.types import Array
from rnn_edge.types.decisions import NOTHING, Decided

Numbers = KeywordNumbers | AlarmNumbers

FIRST_FAULT = 2
"""The label of the fault of channel d's sensor is this and d."""
_BLOCK = 4096


@dataclass(frozen=True)
class Change:
    """What began or ended with a frame.

    Attributes:
        step: The frame's number since the rule began.
        has_begun: Or else ended.
        label: 1 + output, or 1 for an alarm; 2 + channel for the fault of a sensor.
        score: At the rule's scale.
    """

    step: int
    has_begun: bool
    label: int
    score: int


class IntegerRule:
    """Decides on the frames and outputs of a stream as a device does.

    Args:
        numbers: Of the rule.
    """

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers
        self.changes: list[Change] = []
        self._rule: KeywordMemory | AlarmMemory
        channels = 0
        if isinstance(numbers, KeywordNumbers):
            self._rule = KeywordMemory(numbers)
        else:
            self._rule = AlarmMemory(numbers)
            channels = numbers.channel_count
        self._active = NOTHING
        self._faulty = np.zeros(channels, bool)
        self._steps = 0

    @property
    def active(self) -> int:
        """What is detected at present."""
        return self._active

    @property
    def faulty(self) -> Array:
        """The channels whose sensors are faulty at present, bool (channels,)."""
        return self._faulty.copy()

    def update(
        self,
        frames: Array,
        outputs: Array,
        left_out: Array | None = None,
        faulty: Array | None = None,
    ) -> Decided:
        """Decide on frames.

        Args:
            frames: int16 (T, D).
            outputs: int16 (T, C), what the model gave for them.
            left_out: bool (T, channels), those that do not count for an alarm; None for none.
            faulty: bool (T, channels), those whose sensors are faulty; None for none.
        """
        found: list[tuple[int, int, int]] = []
        for start in range(0, len(frames), _BLOCK):
            part = slice(start, start + _BLOCK)
            x, y = frames[part].astype(np.int64), outputs[part].astype(np.int64)
            masks = [self._mask(mask, part, len(x)) for mask in (left_out, faulty)]
            found += self._block(x, y, *masks)
        singles, labels, scores = np.array(found, np.int64).reshape(-1, 3).T
        return Decided(singles, labels, scores)

    def step(
        self,
        frame: Array,
        output: Array,
        left_out: Array | None = None,
        faulty: Array | None = None,
    ) -> tuple[int, int, int]:
        """Decide on a frame int16 (D,) and what the model gave for it, int16 (C,).

        Returns:
            The decision by itself, the label that the frame gives and its score, as in `Decided`.
        """
        masks = [np.zeros_like(self._faulty) if m is None else m for m in (left_out, faulty)]
        x, y = frame.astype(np.int64)[None], output.astype(np.int64)[None]
        return self._block(x, y, *(mask[None] for mask in masks))[0]

    def settle(self) -> None:
        """Forget the frames before, but not what is detected: there is a gap, or a zero state.

        An alarm warms up anew. What is detected ends by its release, as ever.
        """
        self._rule.settle()

    def means(self) -> Array:
        """Return the mean probability of each output over its own frames, int64 (C,) at 2^-15.

        Raises:
            TypeError: If the rule is not of keywords.
        """
        if not isinstance(self._rule, KeywordMemory):
            raise TypeError("an alarm has no probabilities")
        return self._rule.means()

    def memory(self) -> dict[str, Array]:
        """Return what is remembered of earlier frames, and what is detected."""
        own = {"active": np.array(self._active)}
        if isinstance(self._rule, AlarmMemory):
            own["faulty"] = self._faulty.copy()
        return {**self._rule.memory(), **own}

    def recall(self, memory: Mapping[str, Array]) -> None:
        """Go on from what `memory` returned.

        Raises:
            ValueError: If it is of another rule.
        """
        active, faulty = memory.get("active"), memory.get("faulty", self._faulty)
        if active is None or active.shape != () or not 0 <= int(active) <= self._rule.most_label:
            raise ValueError("memory of another rule: active")
        if faulty.shape != self._faulty.shape:
            raise ValueError("memory of another rule: faulty")
        self._rule.recall(memory)
        self._active, self._faulty = int(active), faulty.astype(bool)

    def _mask(self, mask: Array | None, part: slice, count: int) -> Array:
        return np.zeros((count, len(self._faulty)), bool) if mask is None else mask[part]

    def _block(
        self, x: Array, y: Array, left_out: Array, faulty: Array
    ) -> list[tuple[int, int, int]]:
        found = []
        is_any_faulty = (faulty.any() or self._faulty.any()) if len(self._faulty) else False
        for at, single in enumerate(self._singles(x, y, left_out)):
            found.append(single)
            self._follow(single[1], single[2])
            if is_any_faulty:
                self._follow_faults(faulty[at], single[2])
            self._steps += 1
        return found

    def _singles(self, x: Array, y: Array, left_out: Array) -> Iterator[tuple[int, int, int]]:
        """Decide frame by frame; what follows a decision is done before the next one."""
        if isinstance(self._rule, KeywordMemory):
            yield from map(self._rule.step, y)
        else:
            yield from map(self._rule.step, self._rule.raw(x, y, left_out).tolist())

    def _follow(self, label: int, score: int) -> None:
        if self._active not in (NOTHING, label):
            own, is_released = self._rule.standing(self._active)
            if label != NOTHING or is_released:
                self.changes.append(Change(self._steps, False, self._active, own))
                self._rule.end(self._active)
                self._active = NOTHING
        if self._active == NOTHING and label != NOTHING:
            self.changes.append(Change(self._steps, True, label, score))
            self._active = label

    def _follow_faults(self, faulty: Array, score: int) -> None:
        for channel in np.flatnonzero(faulty != self._faulty):
            label = FIRST_FAULT + int(channel)
            self.changes.append(Change(self._steps, bool(faulty[channel]), label, score))
        self._faulty = faulty.copy()
