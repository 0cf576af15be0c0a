"""Whether a bundle may go out: every engine carries its state, and the drift is in its budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnn_edge.drift.closed_loop import RunningDrift
from rnn_edge.errors import RnnEdgeError, SpecError
from rnn_edge.pipeline.baseline import open_baseline, refuse_other_task
from rnn_edge.pipeline.budget import Baseline, BudgetCheck
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.check import StateCheck, check_states
from rnn_edge.pipeline.drift import UNFINISHED, DriftRequest, measure_drift, run_here
from rnn_edge.pipeline.drift_job import DriftJob
from rnn_edge.pipeline.judgement import judge
from rnn_edge.pipeline.pairing import KEY, stretches_of
from rnn_edge.pipeline.proof import refuse_differences
from rnn_edge.pipeline.replay import EMULATED_STEPS, Matrix, ReplayRequest, replay_bundle
from rnn_edge.spec import DriftSection, ModelSpec
from rnn_edge.spec.load import validate
from rnn_edge.spec.overrides import apply_overrides
from rnn_edge.types.drift_measures import DETAILS, find_measure

Tell = Callable[[str, int, int], None]
"""Called with what is done, how far it is, and how far it goes."""

SETTABLE = ("budget", "budget_vs_baseline", "engines", "steps", "streams", "strict")
"""Keys of [drift] that judge a finished bundle in another way. The others say what a detection is,
which is part of the bundle."""


@dataclass(frozen=True)
class GateRequest:
    """What to check.

    Attributes:
        engines: Of the state probe; None for every engine that runs here.
        data: Recordings in the layout of the bundle's spec; None for those of the build.
        overrides: ``drift.key=value`` each, of `SETTABLE`.
        streams: Streams that are replayed; empty for those of the spec.
        steps: Frames of each; None for as many as the spec says.
        baseline: A bundle, or a file or folder that a drift was written to; None for none.
        has_state: Whether the state probe runs.
        has_drift: Whether the drift is measured.
        device: Engine of a device that has to give every bit; it joins the state probe.
        port: Where the device is, if it is a board.
    """

    engines: tuple[str, ...] | None = None
    data: Path | None = None
    overrides: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()
    steps: int | None = None
    baseline: Path | None = None
    has_state: bool = True
    has_drift: bool = True
    device: str | None = None
    port: str | None = None


@dataclass(frozen=True)
class GateCheck:
    """What a check found.

    Attributes:
        bundle: Name of the model.
        model_digest: Of the quantized model.
        source: Where the frames come from.
        state: What the state probe says; None where it did not run.
        drift: What the budget says; None where no drift was measured.
        device: What a device gave beside the integer reference; None where none was named.
    """

    bundle: str
    model_digest: str
    source: str
    state: StateCheck | None
    drift: BudgetCheck | None
    device: Matrix | None = None

    @property
    def is_passed(self) -> bool:
        """Whether the bundle may go out."""
        is_sound = self.state is None or not self.state.unsound
        is_equal = self.device is None or not any(row.differing for row in self.device.parity)
        return is_sound and is_equal and (self.drift is None or self.drift.is_passed)

    @property
    def is_interrupted(self) -> bool:
        """Whether a replay was stopped before its end."""
        return self.drift is not None and bool(self.drift.unfinished)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "bundle": self.bundle,
            "model_digest": self.model_digest,
            "source": self.source,
            "state": self.state.to_json()["state"] if self.state else None,
            "drift": self.drift.to_json() if self.drift else None,
            "device": self.device.to_json() if self.device else None,
            "is_passed": self.is_passed,
        }

    def refuse_failures(self) -> None:
        """Raise if the bundle may not go out.

        Raises:
            RnnEdgeError: Naming every engine that loses its state, and every measure that is
                outside its budget.
        """
        found: list[RnnEdgeError] = []
        for judged in (
            self.state.refuse_lost_states if self.state else None,
            self._refuse_other_bits if self.device else None,
            self.drift.refuse_failures if self.drift else None,
        ):
            try:
                if judged is not None:
                    judged()
            except RnnEdgeError as error:
                found.append(error)
        if found:
            message = " ".join(error.message for error in found)
            raise type(found[0])(message, "; ".join(error.hint for error in found))

    def _refuse_other_bits(self) -> None:
        if self.device is not None:
            refuse_differences(self.device.parity, self.device.agreement)


def check_bundle(bundle: Bundle, request: GateRequest, tell: Tell) -> GateCheck:
    """Run the state probe, measure the drift, and judge it.

    Args:
        bundle: A finished bundle.
        request: What to check.
        tell: Told of every step of the work.

    Raises:
        RnnEdgeError: If an engine, a stream or the baseline cannot be had, or a value that is set
            is wrong. What fails in an engine of the state probe is a finding, and so is a measure
            outside its budget.
    """
    # What is wrong with the request is told before anything takes its time.
    section = section_of(bundle, request)
    baseline = None if request.baseline is None else open_baseline(request.baseline)
    if baseline is not None:
        refuse_other_task(bundle.spec().model.task, baseline)
    device = None
    if request.device is not None:
        # First: a board that is not there is told in seconds.
        wanted = ReplayRequest(
            engines=(request.device,),
            data=request.data,
            steps=EMULATED_STEPS,
            port=request.port,
        )
        device = replay_bundle(bundle, wanted, lambda name, k, n: tell(f"replay {name}", k, n))
    state = None
    if request.has_state:
        state = check_states(
            bundle,
            None if request.engines is None else list(request.engines),
            request.data,
            lambda name, k, n: tell(f"check {name}", k, n),
            more=() if request.device is None else (request.device,),
            port=request.port,
        )
    drift = None
    if request.has_drift:
        drift = check_drift(bundle, section, baseline, request.data, tell)
    return GateCheck(
        bundle=bundle.spec().model.name,
        model_digest=bundle.model().digest(),
        source=_source(state, drift, device),
        state=state,
        drift=drift,
        device=device,
    )


def _source(state: StateCheck | None, drift: BudgetCheck | None, device: Matrix | None) -> str:
    """Return where the frames come from: of whatever was looked at."""
    if state is not None:
        return state.source
    facts = drift.result if drift is not None else device.facts if device is not None else {}
    return str(facts.get("source", ""))


def section_of(bundle: Bundle, request: GateRequest) -> DriftSection:
    """Return the [drift] of a bundle with what a request replaces in it.

    Raises:
        SpecError: If a key is not one of `SETTABLE`, or a value is wrong.
    """
    spec = bundle.spec()
    for override in request.overrides:
        section, _, key = override.partition("=")[0].strip().partition(".")
        if section.strip() != "drift" or key.partition(".")[0].strip() not in SETTABLE:
            known = ", ".join(f"drift.{name}" for name in SETTABLE)
            raise SpecError(
                f"Option --set: {override!r} is not about the budget of a finished bundle; "
                f"expected one of {known}."
            )
    raw = apply_overrides(spec.model_dump(exclude_none=True), request.overrides)
    if request.streams:
        raw["drift"]["streams"] = list(request.streams)
    if request.steps is not None:
        raw["drift"]["steps"] = request.steps
    said = " ".join(f"--set {override}" for override in request.overrides)
    found = validate(ModelSpec, raw, f"Budget of {bundle.path} with {said or 'its options'}")
    return found.drift


def check_drift(
    bundle: Bundle,
    section: DriftSection,
    baseline: Baseline | Bundle | None,
    data: Path | None,
    tell: Tell,
) -> BudgetCheck:
    """Measure the drift of a bundle and judge it.

    Args:
        bundle: A finished bundle.
        section: What is measured, and the budget.
        baseline: A bundle is measured in the same way first.
        data: Recordings in the layout of both bundles' specs; None for those of the builds.
        tell: Told of every step of the work.

    Raises:
        RnnEdgeError: If a stream or an engine cannot be had.
        KeyboardInterrupt: If it is interrupted before anything was measured of the bundle; later,
            what was stopped is named in the check.
    """
    streams = section.streams or (bundle.spec().replay.stream,)
    needs = _needs(section)
    request = DriftRequest(
        engines=(section.engines[0], section.engines[1]),
        streams=streams,
        steps=section.steps,
        data=data,
        analyses=tuple(name for name in needs if name != DETAILS),
        is_detailed=DETAILS in needs,
    )
    if isinstance(baseline, Bundle):
        before = _measured(baseline, request, lambda w, k, n: tell(f"baseline: {w}", k, n))
        if len(before["streams"]) < len(streams) or before["total"]["is_partial"]:
            raise KeyboardInterrupt
        baseline = Baseline(str(baseline.path), before)
    return judge(_measured(bundle, request, tell), section, baseline, planned=streams)


def _measured(bundle: Bundle, request: DriftRequest, tell: Tell) -> dict[str, Any]:
    """Return the JSON of a drift, with the stretches of each stream in it.

    Raises:
        KeyboardInterrupt: If an analysis is not there that a limit is for.
    """
    kept: list[dict[str, list[float]]] = []

    def run(jobs: Sequence[DriftJob], tell: Tell) -> list[RunningDrift]:
        found = run_here(jobs, tell)
        kept.extend(stretches_of(each) for each in found)
        return found

    result = measure_drift(bundle, request, tell, run).to_json()
    if UNFINISHED in result:
        raise KeyboardInterrupt
    for stream, stretches in zip(result["streams"], kept, strict=True):
        stream[KEY] = stretches
    return result


def _needs(section: DriftSection) -> Sequence[str]:
    """Return what has to be measured for the limits of a section, sorted."""
    names = [*section.limits(), *section.limits_vs_baseline()]
    return sorted({find_measure(name)[0].needs for name in names} - {""})
