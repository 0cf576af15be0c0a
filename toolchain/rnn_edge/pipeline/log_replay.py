"""A log of a device replayed through any engines, and its frames held against the calibration."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from rnn_edge.engines.base import all_engines
from rnn_edge.errors import DataError, ParityError
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.input_drift import DriftRules, InputDrift
from rnn_edge.logs import Cleaner, LogReader
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.log_inputs import reference_for, refuse_other_inputs
from rnn_edge.pipeline.log_run import LogRequest, LogRun, Tell
from rnn_edge.pipeline.material import FRONT_END
from rnn_edge.pipeline.proof import FloatAgreement, proof_json, refuse_differences
from rnn_edge.registry import lookup
from rnn_edge.replay.logged import LoggedOutputs
from rnn_edge.types.replay import ParityRow


@dataclass(frozen=True)
class LogReplay:
    """What a log says, and what the engines say of it.

    Attributes:
        facts: The log, its counts, the logged outputs and the input drift, as plain values.
        parity: A row per integer engine and tensor.
        agreement: A row per float engine and tensor.
        logged: Logged outputs against the integer reference, where the state is known.
        is_same_model: Whether the log is of the bundle's model, so that they have to be equal.
    """

    facts: dict[str, Any]
    parity: tuple[ParityRow, ...]
    agreement: tuple[FloatAgreement, ...]
    logged: LoggedOutputs
    is_same_model: bool

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**self.facts, **proof_json(self.parity, self.agreement)}

    def refuse_differences(self, *, refuse_drift: bool = False) -> None:
        """Raise if an engine, or what was logged, is not what it has to be.

        Args:
            refuse_drift: Raise on input drift as well.

        Raises:
            ParityError: Naming what differs.
            DataError: If the inputs have drifted, or nobody can say so.
        """
        refuse_differences(self.parity, self.agreement)
        if self.is_same_model and not self.logged.is_equal:
            raise ParityError(f"Log does not agree with the reference: {_differing(self.logged)}.")
        if not refuse_drift:
            return
        drift = self.facts["input_drift"]
        if not drift["is_judged"]:
            raise DataError(f"Input drift is not judged: {drift['reason']}", drift["hint"])
        if drift["drifted"]:
            raise DataError(
                f"Inputs have drifted from the calibration: {len(drift['drifted'])} of "
                f"{len(drift['features'])} features, {', '.join(drift['drifted'][:5])}"
                f"{' and others' if len(drift['drifted']) > 5 else ''}."
            )


def replay_log(bundle: Bundle, request: LogRequest, tell: Tell) -> LogReplay:
    """Replay a log through engines, and say what it holds.

    It is read once, in constant memory.

    Args:
        bundle: A finished bundle.
        request: What to do.
        tell: Told how much of the file is done.

    Raises:
        RnnEdgeError: If the log cannot be read, is of a model with other inputs, or has a bad line
            and these are errors; if an engine cannot be had here or fails. Differences are in the
            result.
    """
    kinds = [lookup(all_engines(), name, "engine") for name in request.engines]
    model = bundle.model()
    with LogReader(request.path) as log, ExitStack() as stack:
        front_end = FrontEnd.load(bundle.file(FRONT_END))
        is_same = log.header.is_of(model.digest())
        refuse_other_inputs(log, model, front_end)
        log.expect(model.inputs, model.outputs if is_same else None)
        cleaner = None
        if request.cleaning is not None:
            cleaner = stack.enter_context(Cleaner(request.cleaning, request.path, log.header))
        reference, reason, hint = reference_for(bundle, model, log.header)
        drift = None
        if reference is not None:
            fitting = DriftRules.fitting(reference, request.window)
            rules = DriftRules(fitting.window, request.needed, request.among)
            drift = InputDrift(reference, rules)
        run = LogRun(bundle, request, kinds, model, log.header, drift)
        if log.header.has_frames:
            run.open(stack)
        for frame in run.frames(log, cleaner, tell):
            run.add(frame)
        run.flush()
        cleaned = None if cleaner is None else cleaner.finish()
        facts = {
            "bundle": bundle.spec().model.name,
            "model_digest": model.digest(),
            "source": f"log {request.path.name}",
            "steps": run.steps,
            "emulated": sorted(
                kind.name for kind in kinds if kind.is_emulated and log.header.has_frames
            ),
            "boards": sorted(
                kind.name for kind in kinds if kind.needs_port and log.header.has_frames
            ),
            "log": {
                "model": log.header.model,
                "model_digest": log.header.model_digest,
                "is_same_model": is_same,
                "has_frames": log.header.has_frames,
                "frame_rate_hz": log.header.frame_rate_hz,
                "seconds": run.book.frames / log.header.frame_rate_hz,
                **run.book.to_json(),
                "bad_lines": {"count": run.logged.bad, "first": run.logged.bad_lines},
            },
            "logged": {
                "known_state": run.logged.known.to_json(),
                "unknown_state": run.logged.unknown.to_json(),
            },
            "input_drift": run.drift_json(reason, hint),
            "cleaned": cleaned,
        }
    parity = tuple(run.logged.parity.values())
    agreement = tuple(run.logged.agreement.values())
    return LogReplay(facts, parity, agreement, run.logged.known, is_same)


def _differing(logged: LoggedOutputs) -> str:
    """Say what differs, without any value."""
    parts: list[str] = []
    if logged.differing and logged.first is not None:
        parts.append(
            f"{logged.differing_frames:,} of {logged.frames:,} logged outputs differ by up to "
            f"{logged.max_lsb:,} LSB, first at step {logged.first.step} (line {logged.first.line})"
        )
    if logged.first_disagreement is not None:
        parts.append(
            f"{logged.decisions - logged.agreeing:,} of {logged.decisions:,} logged decisions "
            f"differ, first at step {logged.first_disagreement.step} "
            f"(line {logged.first_disagreement.line})"
        )
    return "; ".join(parts)
