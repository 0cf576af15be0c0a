"""Reset policies over B streams at once, in integers and in real units.

The integer form is a second text of what `firmware_templates/common/rnn_edge_reset.c` does, and has
its bits; definitions are in `docs/reset.md`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from rnn_edge.types import Array
from rnn_edge.types.resets import ResetPolicy


class StreamResets(ABC):
    """What a policy does to B streams before each step.

    Args:
        policy: The policy.
        streams: B.

    Attributes:
        counters: int64 (B,); of "every" the frames since the last reset, of "quiet" the quiet
            frames in a row, as far as they matter, of "decay" the frames modulo 2^shift.
    """

    def __init__(self, policy: ResetPolicy, streams: int) -> None:
        self._policy = policy
        self.counters = np.zeros(streams, np.int64)

    def prepare(self, state: dict[str, Array], x: Array) -> Array:
        """Change the states in place, before the step that takes the frames x.

        Args:
            state: (B, H) by name.
            x: (B, D).

        Returns:
            bool (B,): whose state was set to zero.
        """
        zeroed = self._due(x)
        if self._policy.kind == "decay":
            for value in state.values():
                value[...] = self._decayed(value)
            self.counters = (self.counters + 1) % 2**self._policy.shift
        if zeroed.any():
            for value in state.values():
                value[zeroed] = 0
        return zeroed

    def _due(self, x: Array) -> Array:
        limit = self._policy.frames
        if self._policy.kind == "every":
            is_due = self.counters >= limit
            self.counters = np.where(is_due, 1, self.counters + 1)
            return np.asarray(is_due)
        if self._policy.kind == "quiet":
            before = self.counters
            # It stays at the limit for as long as it is quiet: a stretch resets once.
            self.counters = np.where(self._quiet(x), np.minimum(before + 1, limit), 0)
            return np.asarray((self.counters == limit) & (before < limit))
        return np.zeros(len(self.counters), np.bool_)

    @abstractmethod
    def _quiet(self, x: Array) -> Array:
        """Return which frames (B, D) are quiet, bool (B,)."""

    @abstractmethod
    def _decayed(self, value: Array) -> Array:
        """Return a state (B, H) that has lost its share."""


class IntegerResets(StreamResets):
    """Of the integer model: frames and states are int16.

    Args:
        policy: The policy.
        streams: B.
        inputs: Features D of a frame.
        input_exponent: Scale exponent of the frames.
    """

    def __init__(self, policy: ResetPolicy, streams: int, inputs: int, input_exponent: int) -> None:
        super().__init__(policy, streams)
        self._threshold = policy.threshold(inputs, input_exponent)
        # Digits of a counter read backwards: over all counters every remainder comes once.
        bits = policy.shift
        self._offsets = np.array([int(f"{k:0{bits}b}"[::-1], 2) for k in range(2**bits)], np.int64)

    def _quiet(self, x: Array) -> Array:
        wide = np.asarray(x, np.int64)
        sizes = wide if self._policy.measure == "mean" else np.abs(wide)
        return np.asarray(sizes.sum(axis=1) <= self._threshold)

    def _decayed(self, value: Array) -> Array:
        size = np.abs(value.astype(np.int64))
        loss = (size + self._offsets[self.counters][:, None]) // 2**self._policy.shift
        return np.asarray(np.sign(value) * (size - loss)).astype(np.int16)


class FloatResets(StreamResets):
    """Of the float model: frames and states are in real units."""

    def _quiet(self, x: Array) -> Array:
        wide = np.asarray(x, np.float64)
        sizes = wide if self._policy.measure == "mean" else np.abs(wide)
        return np.asarray(sizes.mean(axis=1) <= self._policy.level)

    def _decayed(self, value: Array) -> Array:
        return np.asarray(value - value * value.dtype.type(2.0**-self._policy.shift))
