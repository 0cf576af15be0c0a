"""Another model on the same frames: compared, then taken over or left."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from rnn_edge.errors import DataError, EngineError
from rnn_edge.live.lane import Lane, Stepped
from rnn_edge.types import Array
from rnn_edge.types.closing import Closing

Verdict = Literal["compare", "switch", "roll back"]

SHARES = ("frame_agreement", "detection_agreement")
"""Least shares of frames on which both models decide alike: by the frame, and after the rule."""

HIDDEN = "hidden_rms"
"""Largest root mean square of the difference between the hidden states."""

DEFAULT_BUDGET: Mapping[str, float] = {"frame_agreement": 0.95, "detection_agreement": 0.98}


def parse_budget(text: str) -> dict[str, float]:
    """Read ``NAME=LIMIT,NAME=LIMIT``.

    Raises:
        DataError: If a name is not known, or a limit is none.
    """
    budget: dict[str, float] = {}
    for pair in text.split(","):
        name, _, value = (part.strip() for part in pair.partition("="))
        try:
            limit = float(value)
        except ValueError:
            limit = math.nan
        if name not in (*SHARES, HIDDEN) or not 0.0 <= limit <= (1.0 if name in SHARES else 1e9):
            raise DataError(
                f"Canary budget {pair.strip()!r}; expected {SHARES[0]}=0..1, {SHARES[1]}=0..1 or "
                f"{HIDDEN}=0 or more.",
                "e.g. --canary-budget frame_agreement=0.95,detection_agreement=0.98",
            )
        budget[name] = limit
    return budget


def refuse_other_input(active: Lane, other: Lane) -> None:
    """Refuse a model that cannot step the same frames.

    Raises:
        DataError: Saying what differs.
    """
    ours, theirs = active.parts.front_end, other.parts.front_end
    for what, a, b in (
        ("channels", ours.channels, theirs.channels),
        ("sample rate", ours.sample_rate_hz, theirs.sample_rate_hz),
        ("features", ours.config, theirs.config),
    ):
        if a != b:
            raise DataError(
                f"Model {other.model.name} has other {what} than {active.model.name}: {b}; "
                f"expected {a}.",
                "end this stream and run the other bundle",
            )


@dataclass
class Comparison:
    """What was found so far.

    Attributes:
        frames: That were compared.
        frame_flips: Frames with another decision by themselves.
        detection_flips: Frames with another detection.
        hidden_square: Sum over frames of the mean square difference of the hidden states.
        missed: Detections of the model at work that began while the other had none.
        extra: The other way round.
    """

    frames: int = 0
    frame_flips: int = 0
    detection_flips: int = 0
    hidden_square: float = 0.0
    missed: int = 0
    extra: int = 0
    _before: tuple[str, str] = field(default=("", ""), repr=False)

    def add(self, ours: str, theirs: str) -> None:
        """Take the detections of a frame by their labels; empty for none."""
        self.detection_flips += ours != theirs
        before_ours, before_theirs = self._before
        self.missed += bool(ours and ours != before_ours and not theirs)
        self.extra += bool(theirs and theirs != before_theirs and not ours)
        self._before = (ours, theirs)


class Canary(Closing):
    """A model that steps the frames of another one, silently.

    Args:
        lane: The other model, at state zero; it is closed with the canary unless it takes over.
        active: The model at work.
        warmup: First frames that are not compared, while the state settles.
        frames: Frames that are compared; 0 for none: it takes over after the warm-up.
        budget: Limits by name.

    Raises:
        DataError: If the other model cannot step the same frames, or states cannot be compared.
    """

    def __init__(
        self, lane: Lane, active: Lane, warmup: int, frames: int, budget: Mapping[str, float]
    ) -> None:
        refuse_other_input(active, lane)
        self.lane = lane
        self.found = Comparison()
        self._warmup, self._frames, self._budget = warmup, frames, dict(budget)
        self._seen = 0
        self._failure = ""
        sizes = [
            {name: len(value) for name, value in each.hidden().items()} for each in (active, lane)
        ]
        self._has_states = sizes[0] == sizes[1]
        if HIDDEN in self._budget and not self._has_states:
            raise DataError(
                f"Canary budget {HIDDEN}: the states of {lane.model.name} are {sizes[1]}, those of "
                f"{active.model.name} {sizes[0]}; expected the same to compare them.",
                f"leave {HIDDEN} out of --canary-budget",
            )

    def step(self, active: Lane, theirs: Stepped, step: int, x: Array) -> Verdict:
        """Step the frame that the model at work has just stepped.

        Args:
            active: The model at work.
            theirs: What the frame led to there.
            step: Number of the frame.
            x: int16 (D,), the frame as this model has it.

        Returns:
            What is to be done now.
        """
        try:
            own = self.lane.step(x, theirs.left_out)
        except EngineError as error:
            self._failure = error.message
            return "roll back"
        self.lane.tracker.update(step, own.detection, own.score)
        self._seen += 1
        if self._seen <= self._warmup:
            return "compare"
        if self._frames:
            self._compare(active, theirs, own)
            if self._is_lost():
                return "roll back"
        if self.found.frames < self._frames:
            return "compare"
        return "roll back" if self.exceeded() else "switch"

    def measures(self) -> dict[str, float]:
        """Return what was measured, by name; empty before the first frame that was compared."""
        found = self.found
        if not found.frames:
            return {}
        measured = {
            SHARES[0]: 1.0 - found.frame_flips / found.frames,
            SHARES[1]: 1.0 - found.detection_flips / found.frames,
        }
        if self._has_states:
            measured[HIDDEN] = math.sqrt(found.hidden_square / found.frames)
        return measured

    def exceeded(self) -> list[str]:
        """Return what is outside the budget, in words."""
        measured = self.measures()
        return [
            f"{name} {measured[name]:.6g}, the budget {limit:g}"
            for name, limit in self._budget.items()
            if name in measured
            and (measured[name] < limit if name in SHARES else measured[name] > limit)
        ]

    def reason(self, verdict: Verdict) -> str:
        """Return why a verdict came about, in words."""
        if self._failure:
            return f"it failed: {self._failure}"
        if verdict == "roll back":
            outside = "; ".join(self.exceeded())
            return f"after {self.found.frames:,} frames {outside}"
        if not self._frames:
            return f"{self._warmup:,} frames beside the model before it"
        within = ", ".join(f"{name} {value:.6g}" for name, value in self.measures().items())
        return f"within its budget over {self.found.frames:,} frames: {within}"

    def close(self) -> None:
        """Close the other model; calling it twice is fine."""
        self.lane.close()

    def _compare(self, active: Lane, theirs: Stepped, own: Stepped) -> None:
        found = self.found
        found.frames += 1
        found.frame_flips += _single(active, theirs) != _single(self.lane, own)
        found.add(_detection(active, theirs), _detection(self.lane, own))
        if self._has_states:
            ours = self.lane.hidden()
            squares = [
                float(np.square(value - ours[name]).mean())
                for name, value in active.hidden().items()
            ]
            found.hidden_square += sum(squares) / len(squares)

    def _is_lost(self) -> bool:
        """Return whether the frames that are left cannot bring it back into its budget."""
        found = self.found
        flips = {SHARES[0]: found.frame_flips, SHARES[1]: found.detection_flips}
        return any(
            flips[name] > (1.0 - self._budget[name]) * self._frames
            for name in SHARES
            if name in self._budget and self._budget[name] > 0.0
        ) and bool(self.exceeded())


def _single(lane: Lane, stepped: Stepped) -> str:
    return lane.model.labels[stepped.single] if lane.is_keywords else str(stepped.single)


def _detection(lane: Lane, stepped: Stepped) -> str:
    return lane.tracker.label(stepped.detection) if stepped.detection else ""
