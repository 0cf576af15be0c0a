"""Input drift of a running stream, in constant memory."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.input_drift.autocorrelation import correlation_times
from rnn_edge.input_drift.measures import (
    MAJOR_PSI,
    MINOR_PSI,
    holm,
    joint_frames,
    kolmogorov_p,
    psi,
    psi_by_chance,
)
from rnn_edge.input_drift.reference import InputReference, Tally, saturated_frames
from rnn_edge.types import Array

INDEPENDENT_FRAMES = 100
"""Independent frames that a window holds by default, of the slowest feature."""

WINDOW_LIMITS = (500, 5_000)
"""Default windows are no shorter and no longer than this, in frames."""

SPREAD_WINDOWS = 8
"""From so many windows on, the spread of their means says how correlated the whole log is."""

_REMEMBERED = (
    *("saturated", "alarmed", "debounced", "worst", "alarms", "first_alarm", "against"),
    *("times", "means", "squares", "within"),
)
"""What is kept for each feature."""


@dataclass(frozen=True)
class DriftRules:
    """When a feature is taken to have drifted.

    A window counts against a feature if its index is large enough and its distance from the
    calibration is no accident. An alarm begins when ``needed`` of the last ``among`` windows count
    with an index of at least ``on``, and ends when fewer than that count with at least ``off``.

    Attributes:
        window: Frames of a window; windows follow each other without a gap or an overlap.
        needed: Windows that have to agree.
        among: Windows that are remembered.
        on: Population stability index that begins an alarm.
        off: The index below which it ends.
        level: Chance of taking any feature of an undrifted window for drifted, at most.
    """

    window: int
    needed: int = 3
    among: int = 5
    on: float = MAJOR_PSI
    off: float = MINOR_PSI
    level: float = 0.01

    def __post_init__(self) -> None:
        if self.window < 2:
            raise DataError(f"Input drift: windows of {self.window} frames; expected 2 or more.")
        if not 1 <= self.needed <= self.among:
            raise DataError(
                f"Input drift: {self.needed} of {self.among} windows; expected 1 at least, and no "
                "more than are remembered."
            )
        if not 0.0 < self.off <= self.on or not 0.0 < self.level < 1.0:
            raise DataError(
                f"Input drift: an alarm from {self.on} to {self.off} at level {self.level}; "
                "expected 0 < off <= on, and a level between 0 and 1."
            )

    @classmethod
    def fitting(cls, reference: InputReference, window: int | None = None) -> DriftRules:
        """Return the default rules for a reference, with a window that is long enough for it."""
        if window is None:
            wanted = math.ceil(INDEPENDENT_FRAMES * float(reference.times.max()) / 100.0) * 100
            window = min(max(wanted, WINDOW_LIMITS[0]), WINDOW_LIMITS[1])
        return cls(window)


@dataclass(frozen=True, eq=False)
class WindowDrift:
    """One window against the calibration.

    Attributes:
        first: Index of its first frame in the stream.
        frames: Its length.
        psi: float64 (D,), population stability index.
        distance: float64 (D,), Kolmogorov-Smirnov distance.
        p: float64 (D,), its probability by chance, adjusted for autocorrelation and for D tests.
        independent: float64 (D,), independent frames in the window.
        alarms: Features in alarm after it.
    """

    first: int
    frames: int
    psi: Array
    distance: Array
    p: Array
    independent: Array
    alarms: tuple[str, ...]


@dataclass(frozen=True)
class FeatureDrift:
    """One feature over the whole stream.

    Attributes:
        name: Of the feature.
        psi: Index over all frames.
        psi_by_chance: What it would be on average without drift.
        distance: Kolmogorov-Smirnov distance over all frames.
        p: Its probability by chance, adjusted.
        independent: Independent frames in the stream.
        windows: Whole windows that count against it, with an index of at least `DriftRules.on`.
        worst: Largest debounced index: that many windows close together had at least this.
        alarms: How often an alarm began.
        first_alarm: Index of the last frame of the window that began the first one, or None.
        is_alarmed: Whether the last one lasts.
        saturated: Share of frames at the ends of int16.
        outside: Share of frames beyond all values of the calibration.
        is_drifted: Whether there was an alarm, or all frames together are too far away.
    """

    name: str
    psi: float
    psi_by_chance: float
    distance: float
    p: float
    independent: float
    windows: int
    worst: float
    alarms: int
    first_alarm: int | None
    is_alarmed: bool
    saturated: float
    outside: float
    is_drifted: bool


class InputDrift:
    """Compares a stream with the calibration, window by window and as a whole.

    What is kept is one window of frames, and counts: the length of the stream does not matter.

    Args:
        reference: The calibration.
        rules: When to alarm; None for those that fit the reference.
    """

    def __init__(self, reference: InputReference, rules: DriftRules | None = None) -> None:
        self.reference = reference
        self.rules = rules or DriftRules.fitting(reference)
        features = len(reference.names)
        self.frames = 0
        self.windows = 0
        self._pending = np.empty((self.rules.window, features), np.int16)
        self._filled = 0
        self._total: Tally | None = None
        self._saturated = np.zeros(features, np.int64)
        self._recent: deque[Array] = deque(maxlen=self.rules.among)
        self._alarmed = np.zeros(features, np.bool_)
        self._debounced = np.zeros(features)
        self._worst = np.zeros(features)
        self._alarms = np.zeros(features, np.int64)
        self._first_alarm = np.full(features, -1, np.int64)
        self._against = np.zeros(features, np.int64)
        # Of the ranks: sums over windows, to know how correlated the stream is.
        self._times = np.zeros(features)
        self._means = np.zeros(features)
        self._squares = np.zeros(features)
        self._within = np.zeros(features)
        expected = [reference.shares(reference.tally, d) for d in range(features)]
        self._expected: tuple[Array, ...] = tuple(expected)

    @property
    def score(self) -> float:
        """The largest debounced index of any feature, 0 until enough windows are there.

        `DriftRules.needed` of the last `DriftRules.among` windows had at least this index, and
        were no accident: compare it with `MINOR_PSI` and `MAJOR_PSI`.
        """
        return float(self._debounced.max(initial=0.0))

    @property
    def alarms(self) -> tuple[str, ...]:
        """Names of the features that are in alarm now."""
        return tuple(
            name for name, on in zip(self.reference.names, self._alarmed, strict=True) if on
        )

    def update(self, x: Array) -> tuple[WindowDrift, ...]:
        """Take the next frames.

        Args:
            x: int16 (T, D), at the scale of the reference.

        Returns:
            The windows that they completed.

        Raises:
            DataError: If the frames have another shape or type.
        """
        wanted = len(self.reference.names)
        if x.dtype != np.int16 or x.ndim != 2 or x.shape[1] != wanted:
            raise DataError(
                f"Input drift: frames {x.dtype} {x.shape}; expected int16 (T, {wanted})."
            )
        found: list[WindowDrift] = []
        start = 0
        while start < len(x):
            part = x[start : start + self.rules.window - self._filled]
            self._pending[self._filled : self._filled + len(part)] = part
            self._filled += len(part)
            start += len(part)
            self.frames += len(part)
            if self._filled == self.rules.window:
                found.append(self._window())
                self._filled = 0
        return tuple(found)

    def features(self) -> tuple[FeatureDrift, ...]:
        """Return what is known of every feature, over all frames so far.

        Raises:
            DataError: If there were none.
        """
        if not self.frames:
            raise DataError("Input drift: the stream has no frame; expected at least one.")
        reference = self.reference
        total, saturated = self._total, self._saturated
        rest = self._pending[: self._filled]
        if len(rest):
            counted = reference.count(rest)
            total = counted if total is None else total + counted
            saturated = saturated + saturated_frames(rest)
        assert total is not None
        times = np.maximum(reference.times, self._stream_times())
        index, chance, distance, p, independent = self._compared(total, times)
        outside = (total.below[0] + total.frames - total.at_most[-1]) / total.frames
        far = (index >= self.rules.on) & (p < self.rules.level)
        return tuple(
            FeatureDrift(
                name=name,
                psi=float(index[d]),
                psi_by_chance=float(chance[d]),
                distance=float(distance[d]),
                p=float(p[d]),
                independent=float(independent[d]),
                windows=int(self._against[d]),
                worst=float(self._worst[d]),
                alarms=int(self._alarms[d]),
                first_alarm=None if self._first_alarm[d] < 0 else int(self._first_alarm[d]),
                is_alarmed=bool(self._alarmed[d]),
                saturated=float(saturated[d] / total.frames),
                outside=float(outside[d]),
                is_drifted=bool(self._alarms[d] or far[d]),
            )
            for d, name in enumerate(reference.names)
        )

    def memory(self) -> dict[str, Array]:
        """Return all that is known of the stream so far, in arrays of a size that stays."""
        features = len(self.reference.names)
        recent = np.stack(self._recent) if self._recent else np.empty((0, features))
        found = {name: getattr(self, f"_{name}").copy() for name in _REMEMBERED}
        found |= {"pending": self._pending[: self._filled].copy(), "recent": recent}
        if self._total is not None:
            found |= {"below": self._total.below, "at_most": self._total.at_most}
        return found | {"frames": np.array(self.frames), "windows": np.array(self.windows)}

    def recall(self, memory: Mapping[str, Array]) -> None:
        """Go on from what `memory` returned.

        Raises:
            ValueError: If it is of another reference or of other rules; nothing changes then.
        """
        features = len(self.reference.names)
        shapes = dict.fromkeys(_REMEMBERED, (features,))
        if missing := [n for n in (*shapes, "pending", "recent", "frames") if n not in memory]:
            raise ValueError(f"memory of input drift: {', '.join(missing)} is missing")
        pending, recent = memory["pending"], memory["recent"]
        frames, windows = int(memory["frames"]), int(memory["windows"])
        if (
            any(memory[name].shape != shape for name, shape in shapes.items())
            or pending.shape[1:] != (features,)
            or recent.shape[1:] != (features,)
            or frames != windows * self.rules.window + len(pending)
            or len(recent) != min(windows, self.rules.among)
        ):
            raise ValueError("memory of input drift: of another reference, or of other rules")
        for name in shapes:
            setattr(self, f"_{name}", np.array(memory[name], getattr(self, f"_{name}").dtype))
        self._filled = len(pending)
        self._pending[: self._filled] = pending
        self._recent = deque(np.array(recent), maxlen=self.rules.among)
        self._total = None
        if windows:
            counted = windows * self.rules.window
            self._total = Tally(np.array(memory["below"]), np.array(memory["at_most"]), counted)
        self.frames, self.windows = frames, windows

    def _window(self) -> WindowDrift:
        """Judge the window that is complete."""
        x, rules = self._pending, self.rules
        tally = self.reference.count(x)
        self._total = tally if self._total is None else self._total + tally
        self._saturated += saturated_frames(x)
        times = np.maximum(self.reference.times, self._window_times(x))
        index, _, distance, p, independent = self._compared(tally, times)
        confirmed = np.where(p < rules.level, index, 0.0)
        self._against += confirmed >= rules.on
        self._recent.append(confirmed)
        if len(self._recent) >= rules.needed:
            self._debounced = np.sort(np.stack(self._recent), axis=0)[-rules.needed]
        self._worst = np.maximum(self._worst, self._debounced)
        self.windows += 1
        began = ~self._alarmed & (self._debounced >= rules.on)
        self._alarms += began
        self._first_alarm[began & (self._first_alarm < 0)] = self.frames - 1
        self._alarmed = (self._alarmed & (self._debounced >= rules.off)) | began
        first = self.frames - rules.window
        return WindowDrift(first, rules.window, index, distance, p, independent, self.alarms)

    def _window_times(self, x: Array) -> Array:
        """Return how correlated a window is, and keep what says it of the stream."""
        features = len(self.reference.names)
        ranks = self.reference.ranks(x)
        # A feature that does not move at all has no correlation of its own: it is judged by that
        # of the calibration, or a dead sensor would never have a frame to be judged by.
        mean = ranks.mean(axis=0)
        times = np.asarray(correlation_times([ranks], mean).reshape(2, features).max(axis=0))
        u = ranks[:, :features]
        self._times += times
        self._means += u.mean(axis=0)
        self._squares += u.mean(axis=0) ** 2
        self._within += u.var(axis=0)
        return times

    def _stream_times(self) -> Array:
        """Return how correlated the stream is: within its windows, and from window to window."""
        count = self.windows
        if not count:
            if not self._filled:
                return np.ones(len(self.reference.names))
            ranks = self.reference.ranks(self._pending[: self._filled])
            times = correlation_times([ranks], ranks.mean(axis=0))
            return np.asarray(times.reshape(2, -1).max(axis=0))
        times = self._times / count
        if count < SPREAD_WINDOWS:
            return times
        # Batch means: windows of independent frames have means that differ by the variance of a
        # frame over their length. Source: Geyer 1992.
        spread = np.maximum(self._squares / count - (self._means / count) ** 2, 0.0)
        spread *= count / (count - 1)
        varied = self._within / count + spread
        batch = np.where(varied > 0.0, self.rules.window * spread / np.maximum(varied, 1e-12), 1.0)
        return np.asarray(np.maximum(times, batch))

    def _compared(self, tally: Tally, times: Array) -> tuple[Array, Array, Array, Array, Array]:
        """Return index, index by chance, distance, adjusted p and independent frames, each (D,)."""
        reference = self.reference
        independent = np.maximum(tally.frames / times, 1.0)
        joint = joint_frames(independent, np.maximum(reference.frames / reference.times, 1.0))
        distance = np.maximum(
            np.abs(tally.below / tally.frames - reference.tally.below / reference.frames),
            np.abs(tally.at_most / tally.frames - reference.tally.at_most / reference.frames),
        ).max(axis=0)
        index, chance = np.empty(len(times)), np.empty(len(times))
        for d, expected in enumerate(self._expected):
            index[d] = psi(expected, reference.shares(tally, d), float(joint[d]))
            chance[d] = psi_by_chance(len(expected), float(joint[d]))
        return index, chance, distance, holm(kolmogorov_p(distance, joint)), independent
