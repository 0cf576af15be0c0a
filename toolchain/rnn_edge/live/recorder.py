"""What a run looked like, for its report: curves and counts in bounded memory.

Samples are those of the source, as they came but for what is far out of a channel's range; time
is counted in samples of the source.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import rnn_edge
from rnn_edge.features.fixed_point import IntegerWindowConfig
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.logmel import LogMelConfig
from rnn_edge.live.closest import ClosestLook
from rnn_edge.live.envelope import Envelope
from rnn_edge.live.events import ALARM
from rnn_edge.live.keyword_rule import LiveKeywords
from rnn_edge.live.labelled import LabelledAlarms
from rnn_edge.live.lane import Lane, Stepped
from rnn_edge.live.source import Piece
from rnn_edge.live.stream import Stream
from rnn_edge.statistics import poisson_interval
from rnn_edge.streams.base import ANOMALOUS, NORMAL, UNLABELLED
from rnn_edge.types import Array
from rnn_edge.types.decisions import NOTHING

FORMAT = "rnn-edge run 1"

MOST_DECISIONS = 1000
"""Decisions that are listed one by one, and as many other events."""

_UNITS_S = {"hour": 3600.0, "day": 86_400.0}
_FLUSHED = 256
_KEPT_DIGITS = 6
_TIMES = ("step_p50_us", "step_p99_us")
"""Counts that another run of the same samples does not have again."""


def drawn_limits(front_end: FrontEnd) -> tuple[Array, Array] | None:
    """Return between which values samples are drawn, float64 (channels,) each.

    What is farther than one width of a channel's range from where its front end clips it would
    leave a line of everything else. None for a front end without ranges.
    """
    config = front_end.config
    if not isinstance(config, IntegerWindowConfig):
        return None
    low, high = np.array(config.low, np.float64), np.array(config.high, np.float64)
    width, scale = high - low, 2.0 ** np.array(config.exponents, np.float64)
    return (low - width) * scale, (high + width) * scale


class RunRecorder:
    """Watches a stream; one for each run."""

    def __init__(self) -> None:
        self._stream: Stream | None = None
        self._decisions: list[dict[str, Any]] = []
        self._left_out = 0
        self._changes: list[dict[str, Any]] = []
        self._drawn: tuple[Array, Array] | None = None
        self._labels: deque[tuple[int, Array]] = deque()
        self._frames: list[tuple[float, ...]] = []
        self._judged = LabelledAlarms()
        self._first: int | None = None
        self._facts: dict[str, Any] = {}

    @property
    def has_frames(self) -> bool:
        """Whether there is anything to report."""
        return self._stream is not None and self._stream.counts.frames > 0

    def begin(self, stream: Stream) -> None:
        """Watch a stream that is about to begin."""
        self._stream = stream
        lane = stream.lane
        front_end, rule = lane.parts.front_end, lane.parts.rule
        is_sound = isinstance(front_end.config, LogMelConfig)
        self._channels = ("sound",) if is_sound else tuple(front_end.channels)
        if isinstance(rule, LiveKeywords):
            heard = [k for k, each in enumerate(rule.numbers.keywords) if each is not None]
            self._outputs = heard
            names = [lane.model.labels[k] for k in heard]
            limits = [rule.numbers.keywords[k] for k in heard]
            thresholds = [
                None if each is None else each.threshold / (each.frames * 32768.0)
                for each in limits
            ]
        else:
            self._outputs = []
            names, thresholds = ["score"], [rule.alarm_threshold]
        self._labels_of = names if self._outputs else [ALARM]
        self._facts = {
            "bundle": lane.model.name,
            "task": lane.model.task,
            "model_digest": lane.digest,
            "engine": lane.kind.name,
            "source": stream.source_name,
            "sample_rate_hz": front_end.sample_rate_hz,
            "frame_rate_hz": front_end.frame_rate_hz,
            "reset_policy": lane.parts.policy.words(),
            "scores": names,
            "thresholds": thresholds,
        }
        hop, window = front_end.config.hop_samples, front_end.config.window_samples
        self._newest = min(hop, window)
        self._samples = Envelope(len(self._channels))
        self._drawn = drawn_limits(front_end)
        # Scores, what is detected, and what is known of the frame.
        self._scores = Envelope(len(names) + len(self._labels_of) + 1)
        self._closest = ClosestLook(hop, window) if not self._outputs else None
        stream.on_samples = self._piece
        stream.on_frame = self._frame

    def send(self, event: Mapping[str, Any]) -> None:
        """Take an event of the stream."""
        plain = dict(event)
        if event["event"] == "end":
            if len(self._decisions) < MOST_DECISIONS:
                self._decisions.append(plain)
            else:
                self._left_out += 1
        elif event["event"] != "begin" and len(self._changes) < MOST_DECISIONS:
            self._changes.append(plain)

    def close(self) -> None:
        """Nothing waits here."""

    def result(self) -> dict[str, Any]:
        """Return content of ``run.json``; there must be frames."""
        stream = self._stream
        assert stream is not None
        self._flush()
        counts = {k: v for k, v in stream.summary().items() if k not in _TIMES}
        seconds = counts["frames"] / self._facts["frame_rate_hz"]
        begun = sum(counts["decisions"].values())
        active = stream.lane.tracker.active
        return {
            "format": FORMAT,
            "rnn_edge": rnn_edge.__version__,
            **self._facts,
            "frames": counts["frames"],
            "seconds": seconds,
            "counts": counts,
            "decisions": {
                "begun": begun,
                "rate": _rate(begun, seconds, "hour" if self._outputs else "day"),
                "listed": self._decisions,
                "left_out": self._left_out,
                "goes_on": None
                if active is None
                else {"label": stream.lane.tracker.label(active.detection), "began": active.step},
            },
            "changes": self._changes,
            "labels": self._judged.to_json(self._facts["frame_rate_hz"]),
            "curves": self._curves(self._samples, self._scores),
            "closest": self._looked_at(),
        }

    def _curves(self, samples: Envelope, frames: Envelope) -> dict[str, Any]:
        """Return everything that is drawn over time, as plain values."""
        facts, low, high = self._facts, frames.low(), frames.high()
        count = len(facts["scores"])
        known = high[:, -1]
        detected = map(_flags, high[:, count:-1].T > 0.0)
        return {
            "samples": _curves(
                self._channels, samples, facts["sample_rate_hz"], samples.low(), samples.high()
            ),
            "scores": _curves(
                facts["scores"], frames, facts["frame_rate_hz"], low[:, :count], high[:, :count]
            ),
            "detected": dict(zip(self._labels_of, detected, strict=True)),
            # Which stretches hold an anomalous frame; None where nothing is labelled.
            "anomalous": None if np.isnan(known).all() else _flags(known > 0.0),
        }

    def _looked_at(self) -> dict[str, Any] | None:
        """Return the frames about the largest score, where the curves join several of them."""
        found = None if self._closest is None else self._closest.result()
        if found is None or self._scores.length == 1:
            return None
        samples, frames = Envelope(len(self._channels)), Envelope(found.frames.shape[1])
        samples.add(found.samples)
        frames.add(found.frames)
        return {"first": found.first, "curves": self._curves(samples, frames)}

    def _piece(self, piece: Piece) -> None:
        """Take samples that are about to be stepped."""
        samples = np.asarray(piece.samples, np.float64)
        samples = samples.reshape(len(samples), -1)
        if self._drawn is not None:
            samples = np.clip(samples, *self._drawn)
        self._samples.add(samples)
        if self._closest is not None:
            self._closest.add_samples(piece.position, samples)
        if piece.labels is not None:
            self._labels.append((piece.position, piece.labels))

    def _frame(self, step: int, stepped: Stepped) -> None:
        """Take a frame."""
        stream = self._stream
        assert stream is not None
        label, found = self._label(stream.frame_end), stepped.detection
        self._judged.add(is_alarm=found != NOTHING, label=label)
        known = np.nan if label == UNLABELLED else float(label == ANOMALOUS)
        on = [float(found == output + 1) for output in self._outputs or (0,)]
        kept = (*self._values(stream.lane, stepped), *on, known)
        self._frames.append(kept)
        if self._closest is not None:
            self._closest.add(step, stream.frame_end, stepped.score, kept)
        if len(self._frames) == _FLUSHED:
            self._flush()

    def _values(self, lane: Lane, stepped: Stepped) -> tuple[float, ...]:
        rule = lane.parts.rule
        if isinstance(rule, LiveKeywords):
            means = rule.means()
            return tuple(float(means[k]) for k in self._outputs)
        return (stepped.score,)

    def _label(self, end: int) -> int:
        """Return what is known of the newest hop of the frame that ends before a sample."""
        first, found = end - self._newest, []
        while self._labels and self._labels[0][0] + len(self._labels[0][1]) <= first:
            self._labels.popleft()
        for position, labels in self._labels:
            if position >= end:
                break
            found.append(labels[max(0, first - position) : end - position])
        known = np.concatenate(found) if found else np.zeros(0, np.int8)
        if (known == ANOMALOUS).any():
            return ANOMALOUS
        return NORMAL if len(known) and (known == NORMAL).all() else UNLABELLED

    def _flush(self) -> None:
        if self._frames:
            self._scores.add(np.array(self._frames))
            self._frames.clear()


def _curves(
    names: Sequence[str], held: Envelope, rate_hz: float, low: Array, high: Array
) -> dict[str, Any]:
    """Return the stretches of curves as plain values."""
    return {
        "names": list(names),
        "stretch_s": held.length / rate_hz,
        "samples": held.samples,
        "low": [_rounded(column) for column in low.T],
        "high": [_rounded(column) for column in high.T],
    }


def _rounded(values: Array) -> list[float | None]:
    return [float(f"{v:.{_KEPT_DIGITS}g}") if np.isfinite(v) else None for v in values]


def _flags(marks: Array) -> list[int]:
    return [int(mark) for mark in marks]


def _rate(count: int, seconds: float, per: str) -> dict[str, Any]:
    """Return events per hour or day and their interval."""
    units = seconds / _UNITS_S[per]
    low, high = poisson_interval(count)
    return {"per": per, "value": count / units, "low": low / units, "high": high / units}
