"""Other models: opened in the background, tried beside the one at work, taken over or left."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rnn_edge.errors import RnnEdgeError
from rnn_edge.live.canary import DEFAULT_BUDGET, Canary, Verdict
from rnn_edge.live.counts import Counts
from rnn_edge.live.lane import Lane
from rnn_edge.live.told import Teller

_WAIT_S = 0.2

OpenLane = Callable[[], Lane]


@dataclass(frozen=True)
class TrialOptions:
    """How other models are tried.

    Attributes:
        warmup: Frames that a model steps beside the one it will follow, before it does.
        canary_frames: Frames over which a canary is compared.
        canary_budget: Limits of a canary by name.
    """

    warmup: int = 250
    canary_frames: int = 10_000
    canary_budget: Mapping[str, float] = field(default_factory=lambda: DEFAULT_BUDGET)


class Trials:
    """Lets one other model at a time follow the one at work.

    Args:
        options: How they are tried.
        counts: What is counted.
        tell: Told what goes on.
        send: Takes events.
    """

    def __init__(
        self,
        options: TrialOptions,
        counts: Counts,
        tell: Teller,
        send: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self.canary: Canary | None = None
        """The model that steps beside the one at work, or None."""
        self._options, self._counts, self._tell, self._send = options, counts, tell, send
        self._opening: _Opening | None = None

    @property
    def is_trying(self) -> bool:
        """Whether another model is being opened, or steps beside the one at work."""
        return self._opening is not None or self.canary is not None

    def offer(self, open_lane: OpenLane, *, is_canary: bool) -> None:
        """Open another model in the background; `look` finds it when it is ready."""
        self._opening = _Opening(open_lane, is_canary)
        self._opening.start()

    def look(self, active: Lane, step: int) -> None:
        """Try the model that was opened, if it is ready.

        Args:
            active: The model at work.
            step: Number of the next frame.
        """
        opening = self._opening
        if opening is None or opening.is_alive():
            return
        self._opening = None
        if opening.lane is None:
            self._counts.failed_reloads += 1
            self._tell.once(f"The other model cannot be opened, {opening.failure}")
            return
        self.consider(opening.lane, active, step, is_canary=opening.is_canary)

    def consider(self, lane: Lane, active: Lane, step: int, *, is_canary: bool) -> None:
        """Let a model step beside the one at work.

        Args:
            lane: The other model, at state zero; it is closed unless it takes over.
            active: The model at work.
            step: Number of the next frame.
            is_canary: Whether it has to keep to the budget first.
        """
        options = self._options
        if lane.digest == active.digest:
            lane.close()
            self._tell.once(f"The other model is the one at work, {lane.digest[:12]}...")
            return
        frames = options.canary_frames if is_canary else 0
        budget = options.canary_budget if is_canary else {}
        try:
            self.canary = Canary(lane, active, options.warmup, frames, budget)
        except RnnEdgeError as error:
            lane.close()
            self._counts.failed_reloads += 1
            self._tell.once(f"The other model is not tried, {error}")
            return
        self._send({"event": "trial", "step": step, "digest": lane.digest, "frames": frames})

    def conclude(self, active: Lane, verdict: Verdict, step: int) -> Lane:
        """End the trial; return the model that works from now on, the other one is closed.

        Args:
            active: The model at work.
            verdict: Of the canary; not "compare".
            step: Number of the next frame.
        """
        canary, self.canary = self.canary, None
        assert canary is not None
        facts = {
            "step": step,
            "from": active.digest,
            "to": canary.lane.digest,
            "reason": canary.reason(verdict),
            **canary.measures(),
        }
        if verdict == "roll back":
            self._counts.rollbacks += 1
            self._send({"event": "rollback", **facts})
            canary.close()
            return active
        self._counts.swaps += 1
        self._send({"event": "swap", **facts})
        self._hand_over(active, canary.lane, step)
        active.close()
        return canary.lane

    def close(self) -> None:
        """Close whatever was opened."""
        if self._opening is not None:
            self._opening.abandon()
        if self.canary is not None:
            self.canary.close()

    def _hand_over(self, before: Lane, after: Lane, step: int) -> None:
        """Let what both detect go on as one detection; what only one does ends or begins here."""
        ours, theirs = before.tracker.active, after.tracker.active
        is_same = (
            ours is not None
            and theirs is not None
            and before.tracker.label(ours.detection) == after.tracker.label(theirs.detection)
        )
        if is_same and ours is not None and theirs is not None:
            theirs.step, theirs.peak = ours.step, max(ours.peak, theirs.peak)
            return
        for event in before.tracker.finish(step):
            self._send(event)
        after.tracker.active = None


class _Opening(threading.Thread):
    """Opens a model while another is at work."""

    def __init__(self, open_lane: OpenLane, is_canary: bool) -> None:
        super().__init__(name="opening", daemon=True)
        self.is_canary = is_canary
        self.lane: Lane | None = None
        self.failure: Exception | None = None
        self._open = open_lane

    def run(self) -> None:
        """Open it."""
        try:
            self.lane = self._open()
        except (RnnEdgeError, OSError, ValueError, MemoryError) as error:
            self.failure = error

    def abandon(self) -> None:
        """Close what was opened and is not wanted any more."""
        self.join(_WAIT_S)
        if self.lane is not None:
            self.lane.close()
