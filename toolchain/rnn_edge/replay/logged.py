"""What a log says against what the integer reference gives, chunk by chunk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from rnn_edge.types import Array
from rnn_edge.types.replay import ParityRow


@dataclass(frozen=True)
class Place:
    """Where in a log something happened.

    Attributes:
        step: The log's own counter.
        line: Number of the line, from 1.
    """

    step: int
    line: int


@dataclass
class LoggedOutputs:
    """Logged outputs and decisions compared with those of the integer reference.

    Attributes:
        frames: Frames with logged outputs.
        differing_frames: Those with a value that differs.
        differing: Values that differ.
        max_lsb: Largest difference in units of the last place.
        first: The first frame that differs.
        decisions: Frames with a logged decision.
        agreeing: Those that decide as the reference does.
        first_disagreement: The first one that does not.
        scores: Frames with a logged score.
        max_score: Largest difference of a score, in real units.
    """

    frames: int = 0
    differing_frames: int = 0
    differing: int = 0
    max_lsb: int = 0
    first: Place | None = None
    decisions: int = 0
    agreeing: int = 0
    first_disagreement: Place | None = None
    scores: int = 0
    max_score: float = 0.0

    def compare(self, y: Sequence[int], expected: Array, place: Place) -> None:
        """Compare outputs.

        Args:
            y: C integers as logged.
            expected: int16 (C,).
            place: Where they stand.
        """
        difference = np.abs(np.asarray(y, np.int64) - expected)
        count = int(np.count_nonzero(difference))
        self.frames += 1
        if count:
            self.differing_frames += 1
            self.differing += count
            self.max_lsb = max(self.max_lsb, int(difference.max()))
            self.first = self.first or place

    def decide(self, is_same: bool, place: Place) -> None:
        """Count a decision."""
        self.decisions += 1
        self.agreeing += is_same
        if not is_same:
            self.first_disagreement = self.first_disagreement or place

    def score(self, difference: float) -> None:
        """Count a score that is off by this much."""
        self.scores += 1
        self.max_score = max(self.max_score, difference)

    @property
    def is_equal(self) -> bool:
        """Whether nothing that was compared differs; scores are rounded and do not count."""
        return not self.differing and self.agreeing == self.decisions

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return asdict(self)


def add_rows(
    kept: dict[tuple[str, str], ParityRow], rows: Sequence[ParityRow], steps: Sequence[int]
) -> None:
    """Add the rows of a chunk to those of the chunks before.

    Args:
        kept: By engine and tensor.
        rows: Of the chunk; their first step is an index into it.
        steps: The counter of every frame of the chunk, which the first step becomes.
    """
    for row in rows:
        first = None if row.first_step is None else steps[row.first_step]
        named = replace(row, first_step=first)
        before = kept.get((row.engine, row.tensor))
        if before is not None:
            named = replace(
                named,
                steps=before.steps + row.steps,
                differing=before.differing + row.differing,
                max_lsb=max(before.max_lsb, row.max_lsb),
                first_step=first if before.first_step is None else before.first_step,
            )
        kept[row.engine, row.tensor] = named
