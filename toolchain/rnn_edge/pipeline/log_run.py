"""The frames of a log, stepped through all engines a chunk at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from rnn_edge.engines.base import Engine, EngineKind, EngineSource, all_engines
from rnn_edge.errors import DataError
from rnn_edge.input_drift import InputDrift
from rnn_edge.logs import BadLine, Cleaner, Cleaning, LogFrame, LogHeader, LogReader, StepBook
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.proof import FloatAgreement, compare_floats
from rnn_edge.pipeline.replay import EMULATED_STEPS, REFERENCES
from rnn_edge.pipeline.timeline import Timeline
from rnn_edge.quantize import quantize_input
from rnn_edge.replay import compare_bits
from rnn_edge.replay.logged import LoggedOutputs, Place, add_rows
from rnn_edge.types import Array, QuantizedModel, Trace
from rnn_edge.types.replay import ParityRow

CHUNK = 1024
"""Frames that are held at once, and stepped by one engine after the other."""

SHOWN = 10
"""Bad lines that are listed; all are counted."""

FEW_FRAMES = 30
"""A feature with fewer independent frames in a log is hardly ever found to drift."""

Tell = Callable[[str, int, int], None]
"""Called with what is being done, done and total."""


@dataclass(frozen=True)
class LogRequest:
    """What to do with a log.

    Attributes:
        path: The log.
        engines: Names, in the order of the table.
        steps: Frames at most; None for all.
        emulated_steps: The same for engines that imitate another processor, and for boards.
        on_bad_line: Whether a line that is no frame is left out, or the end of it.
        window: Frames of a window of input drift; None for what fits the calibration.
        needed: Windows that have to agree on an alarm.
        among: Windows that are remembered.
        cleaning: What to take out of a copy of the log; None for no copy.
        port: Where the board is that an engine names; None for none.
    """

    path: Path
    engines: tuple[str, ...]
    steps: int | None = None
    emulated_steps: int = EMULATED_STEPS
    on_bad_line: Literal["error", "skip"] = "error"
    window: int | None = None
    needed: int = 3
    among: int = 5
    cleaning: Cleaning | None = None
    port: str | None = None


@dataclass
class Logged:
    """What is counted while a log is read."""

    known: LoggedOutputs = field(default_factory=LoggedOutputs)
    unknown: LoggedOutputs = field(default_factory=LoggedOutputs)
    bad: int = 0
    bad_lines: list[dict[str, object]] = field(default_factory=list)
    parity: dict[tuple[str, str], ParityRow] = field(default_factory=dict)
    agreement: dict[tuple[str, str], FloatAgreement] = field(default_factory=dict)


class LogRun:
    """Steps the frames of a log through all engines, a chunk at a time."""

    def __init__(
        self,
        bundle: Bundle,
        request: LogRequest,
        kinds: Sequence[EngineKind],
        model: QuantizedModel,
        header: LogHeader,
        drift: InputDrift | None,
    ) -> None:
        self.book = StepBook()
        self.logged = Logged()
        self.steps = 0
        self._bundle = bundle
        self._request = request
        self._kinds = kinds
        self._model = model
        self._drift = drift
        # Outputs of another model are no outputs of this one; its decisions can be.
        self._is_same = header.is_of(model.digest())
        self._has_decisions = model.task == "kws" and (
            self._is_same or header.labels == model.labels
        )
        self._timeline = Timeline()
        self._window_start = 0
        self._alarm_steps: dict[str, int] = {}
        self._engines: dict[str, Engine] = {}
        self._opened: dict[str, EngineKind] = {}
        self._left: dict[str, int] = {}
        self._held: list[tuple[LogFrame, bool]] = []
        # The state of a log that does not begin with a reset is not known.
        self._is_known = False

    def open(self, stack: ExitStack) -> None:
        """Open the engines and their references."""
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rnn-edge-")))
        source = EngineSource(
            self._bundle.float_model(),
            self._model,
            self._bundle.exports,
            work,
            self._bundle.path,
            self._request.port,
        )
        known = all_engines()
        # The integer reference always: the logged outputs are held against it.
        used = {REFERENCES[True], *(REFERENCES[kind.is_integer] for kind in self._kinds)}
        for name in dict.fromkeys((*(k.name for k in self._kinds), *sorted(used))):
            kind = self._opened[name] = known[name]
            self._engines[name] = stack.enter_context(kind.open(source))
            self._left[name] = self._request.emulated_steps if kind.is_slow else -1

    def frames(self, log: LogReader, cleaner: Cleaner | None, tell: Tell) -> Iterator[LogFrame]:
        """Yield the frames that are part of the stream, and count everything else.

        Raises:
            DataError: At a bad line, if these are errors, and if there is no frame.
        """
        is_broken = False
        for line in log:
            if isinstance(line, BadLine):
                self._bad(log, line)
                is_broken = True
                continue
            if cleaner is not None:
                cleaner.write(line.record)
            place = self.book.place(line.step, is_reset=line.is_reset, is_broken=is_broken)
            is_broken = False
            if place in ("duplicate", "late"):
                continue
            if line.is_reset:
                self._is_known = True
            elif place != "next":
                self._is_known = False
            if self.book.frames % CHUNK == 0:
                tell("log", log.bytes_read, log.size)
            yield line
            if self.book.frames == self._request.steps:
                break
        if not self.book.frames:
            lines = f" that can be read; {self.logged.bad} lines cannot" if self.logged.bad else ""
            raise DataError(
                f"Log {log.path} has no frame{lines}; expected a line for every frame.",
                "docs/logs.md has the format",
            )
        tell("log", log.size, log.size)

    def add(self, frame: LogFrame) -> None:
        """Take the next frame of the stream."""
        self.steps += 1
        if not self._engines:
            return
        if frame.is_reset and self._held:
            self.flush()
        self._held.append((frame, self._is_known))
        if len(self._held) == CHUNK:
            self.flush()

    def flush(self) -> None:
        """Step what is held through all engines."""
        if not self._held:
            return
        frames = [frame for frame, _ in self._held]
        x = self._integers(frames)
        self._watch(x, frames)
        steps = [frame.step for frame in frames]
        traces = {name: self._stepped(name, x, frames[0].is_reset) for name in self._engines}
        for kind in self._kinds:
            trace = traces[kind.name]
            if not len(trace.outputs):
                continue
            expected = _shortened(traces[REFERENCES[kind.is_integer]], len(trace.outputs))
            if kind.is_integer:
                rows = compare_bits(kind.name, expected, trace, kind.known_lsb(self._model))
                add_rows(self.logged.parity, rows, steps)
            else:
                self._agree(compare_floats(kind, expected, trace))
        exact = traces[REFERENCES[True]].outputs
        for (frame, is_known), y in zip(self._held, exact, strict=True):
            self._judge(frame, y, self.logged.known if is_known else self.logged.unknown)
        self._held = []

    def drift_json(self, reason: str, hint: str) -> dict[str, Any]:
        """Return the input drift as plain values, or why there is none."""
        if self._drift is None or not self._drift.frames:
            return {"is_judged": False, "reason": reason, "hint": hint, "drifted": []}
        drift, rules = self._drift, self._drift.rules
        rows = sorted(drift.features(), key=lambda row: (-row.is_drifted, -row.worst, -row.psi))
        return {
            "is_judged": True,
            "rules": asdict(rules),
            "calibration_frames": drift.reference.frames,
            "windows": drift.windows,
            "timeline": self._timeline.to_json(),
            "score": drift.score,
            "largest_score": self._timeline.largest,
            "alarms": list(drift.alarms),
            "drifted": [row.name for row in rows if row.is_drifted],
            "weak": [row.name for row in rows if row.independent < FEW_FRAMES],
            "features": [
                {
                    **{name: value for name, value in asdict(row).items() if name != "first_alarm"},
                    "first_alarm_step": self._alarm_steps.get(row.name),
                }
                for row in rows
            ],
        }

    def _bad(self, log: LogReader, line: BadLine) -> None:
        if self._request.on_bad_line == "error":
            raise DataError(
                f"Log {log.path}, line {line.line}: {line.reason}.",
                "leave such lines out with --on-bad-line skip",
            )
        self.logged.bad += 1
        if len(self.logged.bad_lines) < SHOWN:
            self.logged.bad_lines.append(asdict(line))

    def _integers(self, frames: Sequence[LogFrame]) -> Array:
        """Return the frames as int16 (T, D), at the scale of the model."""
        if all(frame.x is not None for frame in frames):
            return np.array([frame.x for frame in frames], np.int16)
        exponent = self._model.input_exponent
        # Far beyond int16, and far from what a multiplication cannot hold.
        limit = 2.0 ** (20 + exponent)
        rows = [
            np.array(frame.x, np.int16)
            if frame.x is not None
            else quantize_input(np.clip(np.array(frame.xf, np.float64), -limit, limit), exponent)
            for frame in frames
        ]
        return np.stack(rows)

    def _watch(self, x: Array, frames: Sequence[LogFrame]) -> None:
        """Hold the frames against the calibration."""
        if self._drift is None:
            return
        length = self._drift.rules.window
        start = 0
        while start < len(x):
            # Up to the end of a window, so that the score after each is seen.
            filled = self._drift.frames % length
            if not filled:
                self._window_start = frames[start].step
            part = x[start : start + length - filled]
            start += len(part)
            for window in self._drift.update(part):
                self._timeline.add(self._window_start, self._drift.score)
                for name in window.alarms:
                    self._alarm_steps.setdefault(name, frames[start - 1].step)

    def _stepped(self, name: str, x: Array, is_reset: bool) -> Trace:
        """Run one engine over the frames, or over those it still has to step."""
        engine, kind = self._engines[name], self._opened[name]
        left = self._left[name]
        part = x if left < 0 else x[:left]
        if left >= 0:
            self._left[name] = left - len(part)
        if not len(part):
            return Trace(np.empty((0, self._model.outputs)), {})
        if is_reset:
            engine.reset()
        if kind.is_integer:
            return engine.run(part)
        return engine.run((part * 2.0**self._model.input_exponent).astype(np.float32))

    def _agree(self, rows: Sequence[FloatAgreement]) -> None:
        for row in rows:
            key = (row.engine, row.tensor)
            before = self.logged.agreement.get(key)
            if before is not None:
                row = FloatAgreement(
                    row.engine,
                    row.tensor,
                    before.steps + row.steps,
                    max(before.maximum, row.maximum),
                    row.tolerance,
                )
            self.logged.agreement[key] = row

    def _judge(self, frame: LogFrame, expected: Array, logged: LoggedOutputs) -> None:
        """Hold what was logged of a frame against what the reference gives."""
        place = Place(frame.step, frame.line)
        if frame.y is not None and self._is_same:
            logged.compare(frame.y, expected, place)
        if not self._has_decisions:
            return
        decided = int(expected.argmax())
        if frame.label is not None:
            logged.decide(frame.label in (decided, self._model.labels[decided]), place)
        elif frame.y is not None:
            logged.decide(int(np.argmax(frame.y)) == decided, place)
        if frame.score is not None and self._is_same:
            value = float(expected[decided]) * 2.0**self._model.output_exponent
            logged.score(abs(frame.score - value))


def _shortened(trace: Trace, steps: int) -> Trace:
    states = {name: value[:steps] for name, value in trace.states.items()}
    return Trace(trace.outputs[:steps], states)
