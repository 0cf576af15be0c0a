"""The main loop: samples become frames, frames decisions, decisions events."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from rnn_edge.engines.c_sensor import CSensor
from rnn_edge.features.fixed_point import IntegerWindowConfig, IntegerWindows
from rnn_edge.live.counts import Counts
from rnn_edge.live.faults import FAULT_BEGIN, FAULT_END, FaultTracker
from rnn_edge.live.feed import Feed
from rnn_edge.live.lane import Lane, Stepped
from rnn_edge.live.log_folder import LogFolder
from rnn_edge.live.metrics import Reading
from rnn_edge.live.printed import Lines
from rnn_edge.live.queue import SampleQueue
from rnn_edge.live.saved import LiveState, write_state
from rnn_edge.live.source import Piece, RecordedSource, Source
from rnn_edge.live.told import Teller
from rnn_edge.live.trials import OpenLane, TrialOptions, Trials
from rnn_edge.streams.base import UNLABELLED
from rnn_edge.types import Array

_WAIT_S = 0.2
_LEAST_WAITING = 256
"""Samples that may wait in any case: slow rows come in bursts, from a broker for one."""

_TOLD = ("begin", "end", "swap", "rollback", FAULT_BEGIN, FAULT_END)
"""Events that go to others: decisions, which model makes them, and sensors that fail."""


class Outlet(Protocol):
    """Where events go."""

    def send(self, event: Mapping[str, Any]) -> None:
        """Take an event; never wait for anybody but a reader of standard output."""

    def close(self) -> None:
        """Hand over what waits, within bounds."""


@dataclass(frozen=True)
class StreamOptions:
    """How a stream runs.

    Attributes:
        state: File that the state is kept in, or None.
        save_every_s: Time between two saves.
        buffer_s: Samples that may wait, in seconds.
        trials: How other models are tried.
        steps: Frames after which the stream ends; None for as many as there are.
    """

    state: Path | None = None
    save_every_s: float = 10.0
    buffer_s: float = 5.0
    trials: TrialOptions = field(default_factory=TrialOptions)
    steps: int | None = None


class Stream:
    """A source, the model that listens to it, and who is told.

    Args:
        lane: The model; closed with the stream.
        source: Where samples come from.
        outlets: Where events go.
        log: Where frames are logged, or None.
        options: How it runs.
        counts: What is counted.
        tell: Told what goes on.
    """

    def __init__(
        self,
        lane: Lane,
        source: Source,
        outlets: Sequence[Outlet],
        log: LogFolder | None,
        options: StreamOptions,
        counts: Counts,
        tell: Teller,
    ) -> None:
        self.lane, self.counts = lane, counts
        self.step = 0
        """Number of the next frame."""
        self._source, self._outlets, self._log = source, outlets, log
        self._options, self._tell = options, tell
        front_end = lane.parts.front_end
        self._front = lane.parts.samples
        self._hop = front_end.config.hop_samples
        self._window = front_end.config.window_samples
        self._faults: FaultTracker | None = None
        self._hold = 0
        if isinstance(front_end.config, IntegerWindowConfig):
            self._faults = FaultTracker(front_end.channels)
            self._hold = front_end.config.hold_samples
        self._sample_rate_hz = front_end.sample_rate_hz
        self._frame_rate_hz = front_end.frame_rate_hz
        self._queue = SampleQueue(
            round(max(self._hop, _LEAST_WAITING, options.buffer_s * self._sample_rate_hz))
        )
        self._feed = Feed(source, self._queue)
        self._base = 0
        """Sample that the first frame since the last gap began with."""
        self._since = 0
        """Frames since then."""
        self._next_position: int | None = None
        self.on_turn: Callable[[], None] = lambda: None
        """Called between two pieces, several times a second."""
        self.on_frame: Callable[[int, Stepped], None] = lambda step, stepped: None
        """Called with the number of each frame and what it led to, behind its events."""
        self.on_samples: Callable[[Piece], None] = lambda piece: None
        """Called with the samples of a piece that are wanted, before their frames."""
        self._is_asked_to_stop = False
        self._trials = Trials(options.trials, counts, tell, self._send)
        self._first_step = 0

    @property
    def is_trying(self) -> bool:
        """Whether another model is being opened, or steps beside the one at work."""
        return self._trials.is_trying

    @property
    def source_name(self) -> str:
        """What messages call the source."""
        return self._source.name

    @property
    def frame_end(self) -> int:
        """Position of the sample behind the frame that is being told."""
        return self._base + self._since * self._hop + self._window

    def ask_to_stop(self) -> None:
        """End soon: what waits is stepped, unless the source can be rewound to it."""
        self._is_asked_to_stop = True

    def offer(self, open_lane: OpenLane, *, is_canary: bool) -> None:
        """Open another model in the background, and let it follow the one at work.

        Args:
            open_lane: Opens it.
            is_canary: Whether it has to keep to a budget first.
        """
        self._trials.offer(open_lane, is_canary=is_canary)

    def consider(self, lane: Lane, *, is_canary: bool) -> None:
        """Let another model step beside the one at work, and follow it.

        Args:
            lane: At state zero; the stream closes it.
            is_canary: Whether it has to keep to the budget first.
        """
        self._trials.consider(lane, self.lane, self.step, is_canary=is_canary)

    def reading(self) -> Reading:
        """Return what holds now, for the metrics."""
        further: dict[str, int] = {}
        reader = getattr(self._source, "reader", None)
        if reader is not None:
            further |= {
                "bad_lines": reader.bad,
                "held_values": reader.held,
                "missing_rows": reader.missing,
            }
        for outlet in self._outlets:
            for name in ("done", "failed", "killed", "dropped", "published"):
                if hasattr(outlet, name):
                    key = f"{type(outlet).__name__.lower()}_{name}"
                    further[_OUTLETS.get(key, key)] = getattr(outlet, name)
        return Reading(
            self.lane.model.name,
            self.lane.digest,
            self.lane.kind.name,
            self._frame_rate_hz,
            self._queue.dropped // self._hop,
            self._queue.waiting / self._sample_rate_hz,
            further,
        )

    # The loop.

    def begin(self, saved: LiveState | None) -> None:
        """Go on from a saved state, or from zero.

        Raises:
            SavedStateError: If the state is of another model.
        """
        where = "zero"
        if saved is not None:
            lost = self.lane.restore(saved)
            try:
                remembered = dict(saved.front)
                if self._faults is not None:
                    self._faults.recall(
                        {n: remembered.pop(n) for n in ("faults",) if n in remembered}
                    )
                self._front.recall(remembered)
            except ValueError as error:
                lost.append(str(error))
            self.step = saved.step
            where = f"step {saved.step}"
            if lost:
                self._tell.once(f"Saved stream: not taken up: {'; '.join(lost)}.")
            source = self._source
            if isinstance(source, RecordedSource) and saved.source == source.identity:
                self._base = saved.position
                source.begin_at(saved.position)
            elif isinstance(source, RecordedSource) and saved.source:
                self._tell.once("Saved stream: it is of another source; this one begins anew.")
        if self._log is not None:
            self._begin_log()
        self._first_step = self.step
        parts = self.lane.parts
        self._send(
            {
                "event": "started",
                "digest": self.lane.digest,
                "engine": self.lane.kind.name,
                "source": self._source.name,
                "state": where,
                "step": self.step,
                "position": self._base,
                "reset_policy": parts.policy.words(),
                "frame_rate_hz": self._frame_rate_hz,
            }
        )
        if parts.reference is None:
            self._tell.once(f"Input drift is not watched: {parts.why_unwatched}")

    def run(self) -> None:
        """Step until the source ends or somebody asks to stop; the state is then saved.

        Raises:
            RnnEdgeError: If the source or the engine fails; what was stepped is saved then, too.
        """
        self._feed.start()
        next_save_s = time.monotonic() + self._options.save_every_s
        try:
            while not self._is_done():
                piece = self._queue.take(_WAIT_S)
                self.on_turn()
                self._trials.look(self.lane, self.step)
                if piece is not None:
                    self._take(piece)
                if time.monotonic() >= next_save_s:
                    self._save()
                    next_save_s = time.monotonic() + self._options.save_every_s
            self._drain()
        finally:
            self._feed.stop()
            self._finish()
        failure = self._queue.failure
        if failure is not None:
            raise failure

    def _is_done(self) -> bool:
        return self._is_asked_to_stop or self._has_stepped_all() or self._queue.is_over

    def _has_stepped_all(self) -> bool:
        wanted = self._options.steps
        return wanted is not None and self.step - self._first_step >= wanted

    def _drain(self) -> None:
        """Step what waits, if it cannot be had again."""
        if not self._is_asked_to_stop or isinstance(self._source, RecordedSource):
            return
        self._feed.stop()
        while (piece := self._queue.take(0.0)) is not None:
            self._take(piece)

    def _finish(self) -> None:
        """Save, say what was done, and close."""
        if self._options.state is None:
            for event in self.lane.tracker.finish(self.step):
                self._send(event)
        else:
            self._save()
        self._send({"event": "stopped", "step": self.step, **self.summary()})
        if self._log is not None:
            self._log.close()
        for outlet in self._outlets:
            outlet.close()
        self._trials.close()
        self.lane.close()

    def summary(self) -> dict[str, Any]:
        """Return the counts as plain values."""
        counts, reading = self.counts, self.reading()
        return {
            "frames": counts.frames,
            "decisions": dict(sorted(counts.begun.items())),
            "resets": counts.resets,
            "dropped_frames": reading.dropped_frames,
            "late_frames": counts.late,
            "gaps": counts.gaps,
            **({} if self._faults is None else {"sensor_faults": self._faults.count}),
            "saves": counts.saves,
            **reading.further,
            "step_p50_us": _microseconds(counts.step_s.quantile_s(0.5)),
            "step_p99_us": _microseconds(counts.step_s.quantile_s(0.99)),
            "input_drift_score": counts.drift_score,
        }

    def _take(self, piece: Piece) -> None:
        """Step the frames that a piece completes."""
        piece = self._with_missing(piece)
        if self._next_position is None:
            self._base = piece.position
        elif piece.is_after_gap or piece.position != self._next_position:
            # No frame holds samples from both sides of a gap; the state goes on, but for that of
            # a machine, which may have been started again.
            self._front.reset()
            if self._faults is not None:
                self._restart()
            self._base, self._since = piece.position, 0
            self.counts.gaps += 1
            missing = piece.position - self._next_position
            self._tell(
                "gaps",
                f"Gap before step {self.step:,}"
                + (f": {missing:,} samples are missing." if missing > 0 else "."),
            )
        self._next_position = piece.position + len(piece.samples)
        samples = self._wanted(piece)
        if len(samples):
            labels = None if piece.labels is None else piece.labels[: len(samples)]
            self.on_samples(replace(piece, samples=samples, labels=labels))
        raw = self._front.push(samples)
        if len(raw):
            self._step_frames(raw, piece.arrival_s)

    def _with_missing(self, piece: Piece) -> Piece:
        """Return a piece of sensor rows with the few that are missing before it, as missing."""
        before = self._next_position
        if before is None or piece.is_after_gap or not 0 < piece.position - before <= self._hold:
            return piece
        absent = np.full((piece.position - before, piece.samples.shape[1]), np.nan)
        samples = np.concatenate([absent, piece.samples])
        labels = None
        if piece.labels is not None:
            labels = np.concatenate([np.full(len(absent), UNLABELLED, np.int8), piece.labels])
        return replace(piece, samples=samples, position=before, labels=labels)

    def _restart(self) -> None:
        """Begin anew behind a gap, with all models."""
        self.lane.restart()
        if self._trials.canary is not None:
            self._trials.canary.lane.restart()

    def _skipped(self) -> tuple[Array | None, Array | None]:
        """Return the flags of the newest frames and which features count nothing, or None."""
        if not isinstance(self._front, IntegerWindows | CSensor):
            return None, None
        flags = self._front.flags
        return flags, self.lane.parts.front_end.skipped_features(flags)

    def _wanted(self, piece: Piece) -> Array:
        """Return the samples up to the end of the last frame that is wanted.

        What the front end remembers is that of the frames that are stepped, and of no later one.
        """
        wanted = self._options.steps
        if wanted is None:
            return piece.samples
        frames = self._since + wanted - (self.step - self._first_step)
        end = self._base + (frames - 1) * self._hop + self._window
        return piece.samples[: max(0, end - piece.position)]

    def _step_frames(self, raw: Array, arrival_s: float) -> None:
        counts, lane = self.counts, self.lane
        frames = lane.frames(raw)
        canary = self._trials.canary
        others = None if canary is None else canary.lane.frames(raw)
        watched = 0
        flags, skipped = self._skipped()
        for k, x in enumerate(frames):
            began_s = time.perf_counter()
            left_out = None if skipped is None or not skipped[k].any() else skipped[k]
            stepped = lane.step(x, left_out)
            counts.step_s.add(time.perf_counter() - began_s)
            counts.frames += 1
            counts.resets += stepped.is_reset
            if self._faults is not None and flags is not None:
                for event in self._faults.update(self.step, flags[k]):
                    self._send(event)
            for event in lane.tracker.update(self.step, stepped.detection, stepped.score):
                if event["event"] == "begin":
                    counts.begun[event["label"]] += 1
                self._send(event)
            self.on_frame(self.step, stepped)
            if self._log is not None:
                self._write_log(stepped)
            step, self.step = self.step, self.step + 1
            self._since += 1
            if canary is None or others is None:
                continue
            verdict = canary.step(lane, stepped, step, others[k])
            if verdict == "compare":
                continue
            self._watch(frames[watched : k + 1])
            watched = k + 1
            after = self._trials.conclude(lane, verdict, self.step)
            if after is not lane:
                # The frames that are left are those of the model that took over.
                self.lane = lane = after
                frames[k + 1 :] = others[k + 1 :]
                if self._log is not None:
                    self._begin_log()
            others = None
        self._watch(frames[watched:])
        counts.state_age_frames = self.lane.age
        if self._source.is_paced and len(raw):
            late_s = time.monotonic() - arrival_s
            at_once = self._source.hops_at_once
            # The first of several frames waited for the samples of the others.
            waited_s = (min(at_once, len(raw)) - 1) / self._frame_rate_hz
            counts.latency_s.add(waited_s + late_s)
            counts.late += len(raw) if late_s > at_once / self._frame_rate_hz else 0

    def _watch(self, frames: Array) -> None:
        drift = self.lane.drift
        if drift is None:
            return
        for window in drift.update(frames):
            self.counts.drift_alarms = len(window.alarms)
        self.counts.drift_score = drift.score

    # Events, logs and states.

    def _send(self, event: Mapping[str, Any]) -> None:
        whole = {"event": event["event"], "model": self.lane.model.name, **event}
        if "step" in event:
            whole["time_s"] = event["step"] / self._frame_rate_hz
        if self._source.is_paced:
            whole["at"] = datetime.now(UTC).isoformat(timespec="milliseconds")
        for outlet in self._outlets:
            if event["event"] in _TOLD or isinstance(outlet, Lines):
                outlet.send(whole)

    def _begin_log(self) -> None:
        assert self._log is not None
        parts = self.lane.parts
        self._log.begin(parts.model, self._frame_rate_hz, parts.front_end.feature_names)

    def _write_log(self, stepped: Stepped) -> None:
        assert self._log is not None
        lane = self.lane
        fields: dict[str, Any] = {}
        if lane.is_keywords:
            fields["label"] = lane.model.labels[stepped.single]
            if lane.kind.is_integer:
                fields["score"] = float(stepped.y[stepped.single] * lane.output_scale)
        if stepped.detection:
            fields["detected"] = lane.tracker.label(stepped.detection)
        self._log.write(
            stepped.x,
            # A replay knows resets, and no state that decays.
            stepped.y if lane.kind.is_integer and not lane.does_decay else None,
            step=self.step,
            reset=lane.age == 1,
            **fields,
        )

    def _save(self) -> None:
        path = self._options.state
        if path is None:
            return
        position = self._base + self._since * self._hop
        state = self.lane.save(self.step, self._source.identity, position)
        faults = {} if self._faults is None else self._faults.memory()
        state = replace(state, front={**self._front.memory(), **faults})
        if self._log is not None:
            # What the state has seen is in the log, whatever happens next.
            self._log.flush()
        try:
            write_state(path, state)
        except OSError as error:
            self.counts.failed_saves += 1
            self._tell("saves", f"State {path} cannot be saved: {error.strerror}.")
            return
        self.counts.saves += 1
        self.counts.saved_s = time.monotonic()


_OUTLETS = {
    "hook_done": "hook_runs",
    "hook_failed": "hook_failures",
    "hook_killed": "hook_timeouts",
    "hook_dropped": "hook_dropped_events",
    "brokerevents_published": "mqtt_published_events",
    "brokerevents_dropped": "mqtt_dropped_events",
}


def _microseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1e6, 1)
