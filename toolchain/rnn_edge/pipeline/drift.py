"""How far a bundle's state drifts over long streams, measured in closed loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from rnn_edge import __version__
from rnn_edge.drift.closed_loop import RunningDrift, put_together
from rnn_edge.engines.base import all_engines
from rnn_edge.errors import DataError, SpecError
from rnn_edge.pipeline.bundle import Bundle, bundle_detector
from rnn_edge.pipeline.drift_analysis import ANALYSES, Analysed, analyse, require_all
from rnn_edge.pipeline.drift_job import DriftJob, Subject, run_job
from rnn_edge.pipeline.measure import INT8
from rnn_edge.pipeline.replay import bundle_frames
from rnn_edge.registry import known, lookup
from rnn_edge.spec import ModelSpec, load_stream
from rnn_edge.types.drift import DriftResult
from rnn_edge.types.frames import FrameSet

Tell = Callable[[str, int, int], None]
"""(what, step, total)."""


UNFINISHED = "unfinished_analyses"
"""Among the facts of a result whose analyses were interrupted: the names of those it lacks."""


@dataclass(frozen=True)
class DriftRequest:
    """What to measure.

    Attributes:
        engines: The reference and the engine; None for those of the spec.
        streams: Names or paths of streams; empty for those of the spec.
        steps: Frames of each stream; None for as many as it says.
        data: Recordings in the layout of the bundle's spec; None for those of the build.
        copies: Times that each stream is replayed, each with a seed of its own.
        analyses: Names out of `ANALYSES`.
        is_detailed: Whether single steps are looked into.
    """

    engines: tuple[str, str] | None = None
    streams: tuple[str, ...] = ()
    steps: int | None = None
    data: Path | None = None
    copies: int = 1
    analyses: tuple[str, ...] = ()
    is_detailed: bool = True


Runner = Callable[[Sequence[DriftJob], Tell], list[RunningDrift]]
"""Runs jobs; it returns what was measured of those that were begun, in order."""


def measure_drift(
    bundle: Bundle, request: DriftRequest, tell: Tell, run: Runner | None = None
) -> DriftResult:
    """Replay streams through two engines of a bundle and compare them.

    Args:
        bundle: A finished bundle.
        request: What to measure.
        tell: Told of every step of the work.
        run: Where the jobs run; None for this process.

    Raises:
        SpecError: If a stream, an engine or an analysis is unknown.
        DataError: If there are no frames.
        RnnEdgeError: If an engine cannot be had here or fails.
        KeyboardInterrupt: If it is interrupted before anything was measured; later, the result
            says that it is partial, or by `UNFINISHED` which analyses it lacks.
    """
    for name in request.analyses:
        if name not in ANALYSES:
            raise SpecError(f"Unknown analysis {name!r}; known are {known(list(ANALYSES))}.")
    spec = bundle.spec()
    engines = request.engines or (spec.drift.engines[0], spec.drift.engines[1])
    kinds = all_engines()
    for name in engines:
        lookup(kinds, name, "engine")
    frames, source = bundle_frames(bundle, request.data)
    subject = subject_of(bundle, spec)
    jobs = _jobs(spec, request, engines, subject, frames)
    require_all(request.analyses, bundle, jobs[0])
    found = (run or run_here)(jobs, tell)
    facts: dict[str, Any] = {
        "bundle": spec.model.name,
        "model_digest": subject.model.digest(),
        "rnn_edge": __version__,
        "source": source,
        "task": spec.model.task,
        "frame_rate_hz": frames.frame_rate_hz,
        "reference": engines[0],
        "engine": engines[1],
        "reset_policy": spec.reset.resolved(spec.model.task).words(),
    }
    begun = {each.stream for each in found}
    unseen = sum(job.steps or job.spec.steps for job in jobs if job.name not in begun)
    result = put_together(found, facts, unseen)
    if result.total.is_partial:
        return result
    of = Analysed(bundle, jobs[0], request.data, result.streams[0].hidden_rms.value)
    analysis: dict[str, Any] = {}
    for k, name in enumerate(request.analyses):
        try:
            tell(f"analyse {name}", k, len(request.analyses))
            analysis.update(analyse(name, of, tell))
        except KeyboardInterrupt:
            # The replay may have taken hours: it is not lost with what was to explain it.
            facts[UNFINISHED] = list(request.analyses[k:])
            break
    return replace(result, facts=facts, analysis=analysis)


def subject_of(bundle: Bundle, spec: ModelSpec) -> Subject:
    """Return what is replayed of a bundle."""
    detector = None
    if spec.model.task == "anomaly":
        # One detector for both engines: what differs is what the models forecast.
        detector = bundle_detector(bundle, INT8)
    root = bundle.exports
    exports = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
    return Subject(
        bundle.float_model(),
        bundle.model(),
        exports,
        detector,
        spec.drift.smoothing_frames,
        spec.drift.threshold,
    )


def streams_of(spec: ModelSpec, request: DriftRequest) -> tuple[str, ...]:
    """Return the names of the streams that a request means."""
    return request.streams or spec.drift.streams or (spec.replay.stream,)


def _jobs(
    spec: ModelSpec,
    request: DriftRequest,
    engines: tuple[str, str],
    subject: Subject,
    frames: FrameSet,
) -> list[DriftJob]:
    names = streams_of(spec, request)
    jobs = []
    for name in names:
        stream = load_stream(name, spec.model.task)
        part = frames.part(stream.split)
        if not part:
            raise DataError(
                f"Stream {name}: the data has no {stream.split} part.",
                "name a stream made of another part; see calibration/",
            )
        if request.copies > 1 and not stream.is_drawn:
            raise SpecError(
                f"Stream {name}, {request.copies} copies: every seed gives the same frames; "
                "expected 1 copy.",
                "replay it by itself, and streams that draw something with --copies",
            )
        used = replace(frames, sequences=part)
        for copy in range(request.copies):
            own = stream.model_copy(update={"seed": stream.seed + copy})
            title = name if request.copies == 1 else f"{name} #{copy + 1}"
            jobs.append(
                DriftJob(title, subject, engines, own, used, request.steps, request.is_detailed)
            )
    return jobs


def run_here(jobs: Sequence[DriftJob], tell: Tell) -> list[RunningDrift]:
    """Run jobs one after the other in this process; an interruption ends the last one early."""
    found: list[RunningDrift] = []
    for job in jobs:
        try:
            found.append(run_job(job, partial(tell, f"drift {job.name}")))
        except KeyboardInterrupt:
            if not found:
                raise
            break
        if found[-1].steps < found[-1].planned_steps:
            break
    return found
