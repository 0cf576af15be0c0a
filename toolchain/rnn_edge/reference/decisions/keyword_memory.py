"""Keywords in integers: what their rule remembers, and how it decides."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rnn_edge.fixedpoint.softmax import softmax
from rnn_edge.reference.decisions.keywords import KeywordNumbers
from rnn_edge.reference.decisions.recalled import require_like
from rnn_edge.types import Array
from rnn_edge.types.decisions import NOTHING


class KeywordMemory:
    """What a rule for keywords remembers, and how it decides.

    Args:
        numbers: Of the rule.

    Attributes:
        most_label: Greatest label.
    """

    def __init__(self, numbers: KeywordNumbers) -> None:
        self._numbers = numbers
        known = [(k, each) for k, each in enumerate(numbers.keywords) if each is not None]
        self._outputs = np.array([k for k, _ in known], np.int64)

        def own(name: str) -> Array:
            return np.array([getattr(each, name) for _, each in known], np.int64)

        self._frames, self._threshold, self._release = map(own, ("frames", "threshold", "release"))
        self._least, self._refractory = own("least_frames"), own("refractory_frames")
        self._places = np.arange(len(known))
        self.most_label = len(numbers.keywords)
        self._loud, self._mute = np.zeros((2, len(known)), np.int64)
        self._forget()

    def _forget(self) -> None:
        numbers, known = self._numbers, self._outputs
        # Totals since the stream began, after each of the last frames and before them.
        self._totals = np.zeros((numbers.window_frames + 1, len(known)), np.int64)
        self._newest = 0
        self._sums = np.zeros(len(known), np.int64)

    def settle(self) -> None:
        """Forget what was heard, but not which keywords have to rest."""
        self._forget()
        self._loud[:] = 0

    def step(self, y: Array) -> tuple[int, int, int]:
        """Decide on the outputs of a frame, int64 (C,).

        Returns:
            The decision by itself, the label that the frame gives and its score, as in `Decided`.
        """
        numbers = self._numbers
        row = softmax(y[None], numbers.exponent)[0] if numbers.is_logits else y
        total = self._totals[self._newest] + row[self._outputs]
        self._newest = (self._newest + 1) % len(self._totals)
        self._totals[self._newest] = total
        before = (self._newest - self._frames) % len(self._totals)
        self._sums = total - self._totals[before, self._places]
        means = self._sums // self._frames
        is_loud = self._sums >= self._threshold
        self._loud = np.minimum(self._loud + 1, self._least) * is_loud
        is_heard = (self._loud == self._least) & (self._mute == 0)
        self._mute -= self._mute > 0
        if not is_heard.any():
            return int(y.argmax()), NOTHING, int(means.max(initial=0))
        best = int(np.where(is_heard, means, -1).argmax())
        return int(y.argmax()), int(self._outputs[best]) + 1, int(means[best])

    def standing(self, label: int) -> tuple[int, bool]:
        """Return a label's own score, and whether it is below its release."""
        at = self._place(label)
        total = int(self._sums[at])
        return total // int(self._frames[at]), total < int(self._release[at])

    def end(self, label: int) -> None:
        """Note that the detection of a label is over."""
        at = self._place(label)
        self._mute[at] = self._refractory[at]

    def means(self) -> Array:
        """Return the mean probability of each output over its own frames, int64 (C,) at 2^-15."""
        found = np.zeros(len(self._numbers.keywords), np.int64)
        found[self._outputs] = self._sums // self._frames
        return found

    def _place(self, label: int) -> int:
        return int(np.searchsorted(self._outputs, label - 1))

    def memory(self) -> dict[str, Array]:
        """Return what is remembered of earlier frames."""
        order = (self._newest + 1 + np.arange(len(self._totals))) % len(self._totals)
        totals = self._totals[order]
        return {"totals": totals - totals[0], "loud": self._loud.copy(), "mute": self._mute.copy()}

    def recall(self, memory: Mapping[str, Array]) -> None:
        """Go on from what `memory` returned.

        Raises:
            ValueError: If it is of another rule.
        """
        require_like(memory, self.memory())
        loud, mute = (memory[name].astype(np.int64) for name in ("loud", "mute"))
        ranges = ((loud, self._least), (mute, self._refractory))
        if not all(((value >= 0) & (value <= most)).all() for value, most in ranges):
            raise ValueError("memory of another rule: times out of their ranges")
        self._totals = memory["totals"].astype(np.int64)
        self._newest = len(self._totals) - 1
        self._loud, self._mute = loud, mute
        before = (self._newest - self._frames) % len(self._totals)
        self._sums = self._totals[self._newest] - self._totals[before, self._places]
