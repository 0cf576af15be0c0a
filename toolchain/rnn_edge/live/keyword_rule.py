"""The rule for keywords of a device, on a stream that is listened to here."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rnn_edge.fixedpoint import INT16_MAX, INT16_MIN
from rnn_edge.reference.decisions import PROBABILITY_EXPONENT, IntegerRule, KeywordNumbers
from rnn_edge.types import Array


class LiveKeywords:
    """Decides in the integers of a device, so that both hear the same.

    Args:
        numbers: Of the rule.
    """

    frame_kind = "label with the largest output"
    detection_kind = "keyword, with the limits of the bundle"

    def __init__(self, numbers: KeywordNumbers) -> None:
        self.numbers = numbers
        self._rule = IntegerRule(numbers)

    def step(self, frame: Array, output: Array) -> tuple[int, int, float]:
        """Decide on one frame.

        Args:
            frame: Does not matter.
            output: float (C,), in real units; what a floating-point engine gave is rounded.

        Returns:
            The decision by itself, what is detected at present, and the score of the frame.
        """
        units = np.rint(output.astype(np.float64) * 2.0**-self.numbers.exponent)
        y = np.clip(units, INT16_MIN, INT16_MAX).astype(np.int16)
        single, _, score = self._rule.step(frame, y)
        # What began and ended is told by what is detected now; nobody reads the list.
        self._rule.changes.clear()
        return single, self._rule.active, score * 2.0**PROBABILITY_EXPONENT

    def means(self) -> Array:
        """Return the mean probability of each output over its own frames, float64 (C,)."""
        return self._rule.means() * 2.0**PROBABILITY_EXPONENT

    def memory(self) -> dict[str, Array]:
        """Return what is remembered of earlier frames."""
        return self._rule.memory()

    def recall(self, memory: Mapping[str, Array]) -> None:
        """Go on from what `memory` returned.

        Raises:
            ValueError: If it is of another rule.
        """
        self._rule.recall(memory)
