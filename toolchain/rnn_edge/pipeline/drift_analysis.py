"""What explains the drift of a bundle, on the stream it was measured on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rnn_edge.drift.attribution import attribute
from rnn_edge.drift.attribution_lanes import MEASURED_STEPS, TRANSIENT_STEPS, cut_lanes
from rnn_edge.drift.recommendation import recommend
from rnn_edge.drift.stability import lyapunov_exponent, predict_drift
from rnn_edge.drift.time_constants import time_constants
from rnn_edge.engines.base import EngineKind, all_engines
from rnn_edge.errors import DataError
from rnn_edge.extras import require_extras
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.drift_job import DriftJob
from rnn_edge.pipeline.replay import ReplayRequest, replay_bundle
from rnn_edge.pipeline.reset_trade import compare_reset_policies
from rnn_edge.streams import FrameStream, ModelPair, open_stream

Tell = Callable[[str, int, int], None]

ANALYSED_STEPS = 100_000
"""Frames of a stream, from its first on, that an analysis takes its pieces from."""

PARITY = "parity"

PARITY_STEPS = 20_000
"""Frames over which engines are held to each other's bits."""


@dataclass(frozen=True, eq=False)
class Analysed:
    """What is analysed: the integer arithmetic, which every integer engine has in common.

    Attributes:
        bundle: The bundle that was measured.
        job: How it was measured.
        data: Recordings that it was measured on; None for those of the build.
        hidden_rms: The drift of the engine's hidden states, measured over the whole stream.
    """

    bundle: Bundle
    job: DriftJob
    data: Path | None
    hidden_rms: float


Analysis = Callable[[Analysed, Tell], dict[str, Any]]


def analyse(name: str, of: Analysed, tell: Tell) -> dict[str, Any]:
    """Return what an analysis found, by the names under which a result holds it.

    Args:
        name: Out of `ANALYSES`.
        of: What is analysed.
        tell: Progress.

    Raises:
        DataError: If the stream is too short.
    """
    return ANALYSES[name](of, tell)


def require_all(names: Sequence[str], bundle: Bundle, job: DriftJob) -> None:
    """Refuse analyses that cannot be made, before a stream is replayed for hours.

    Args:
        names: Out of `ANALYSES`.
        bundle: What is measured.
        job: How the stream is replayed.

    Raises:
        DataError: If the stream is too short for one of them.
        MissingDependencyError: If a package of an engine is not installed.
    """
    steps = job.spec.steps if job.steps is None else job.steps
    least = TRANSIENT_STEPS + MEASURED_STEPS
    short = [name for name in names if name in OVER_LANES]
    if short and steps < least:
        raise DataError(
            f"Analysis {short[0]} of {steps:,} steps; expected {least:,} or more: "
            f"{TRANSIENT_STEPS} that a piece of the stream begins with, and {MEASURED_STEPS} that "
            "are measured.",
            f"take --steps {least} or more",
        )
    if PARITY in names:
        kinds = _parity_kinds(bundle, job)
        require_extras((kind.extra, f"the engine {kind.name}") for kind in kinds)


def _stream(job: DriftJob) -> FrameStream:
    steps = ANALYSED_STEPS if job.steps is None else min(job.steps, ANALYSED_STEPS)
    models = ModelPair(job.subject.float_model, job.subject.model)
    return open_stream(job.spec, job.frames, steps=steps, models=models, name=job.name)


def _attribution(of: Analysed, tell: Tell) -> dict[str, Any]:
    subject = of.job.subject
    models = subject.float_model, subject.model
    lanes = cut_lanes(_stream(of.job))
    found = attribute(*models, lanes, progress=tell)
    tell("recommend", 0, 1)
    spec = of.bundle.spec()
    advice = recommend(*models, lanes, found, spec.qat.steps, spec.quantize.rounding)
    return {"attribution": found.to_json(), "recommendations": advice.to_json()}


def _stability(of: Analysed, tell: Tell) -> dict[str, Any]:
    subject = of.job.subject
    lanes = cut_lanes(_stream(of.job))
    tell("contraction", 0, 3)
    exponent = lyapunov_exponent(subject.float_model, lanes)
    tell("prediction", 1, 3)
    predicted = predict_drift(subject.float_model, subject.model, lanes, exponent.rate)
    tell("time constants", 2, 3)
    memory = time_constants(subject.float_model, subject.model, lanes)
    return {
        "stability": {
            "lyapunov": exponent.to_json(),
            "prediction": predicted.to_json(),
            "measured": of.hidden_rms,
            "unexplained": predicted.unexplained(of.hidden_rms),
        },
        "time_constants": memory.to_json(),
    }


def _resets(of: Analysed, tell: Tell) -> dict[str, Any]:
    found = compare_reset_policies(
        of.bundle, of.data, None, tell=lambda done, total: tell("reset policies", done, total)
    )
    return {"resets": found.to_json()}


def _parity_kinds(bundle: Bundle, job: DriftJob) -> list[EngineKind]:
    kinds = all_engines()
    names = dict.fromkeys((*bundle.spec().replay.engines, *job.engines))
    return [kinds[name] for name in names if kinds[name].is_integer]


def _parity(of: Analysed, tell: Tell) -> dict[str, Any]:
    asked = of.job.steps
    steps = PARITY_STEPS if asked is None else min(asked, PARITY_STEPS)
    engines = tuple(kind.name for kind in _parity_kinds(of.bundle, of.job))
    request = ReplayRequest(engines, of.data, steps=steps)
    found = replay_bundle(of.bundle, request, lambda name, k, n: tell(f"parity {name}", k, n))
    return {"parity": [row.to_json() for row in found.parity]}


ANALYSES: MappingProxyType[str, Analysis] = MappingProxyType(
    {
        "stability": _stability,
        "attribution": _attribution,
        "resets": _resets,
        PARITY: _parity,
    }
)
"""By the name that users type."""

OVER_LANES = ("stability", "attribution")
"""Analyses that are made over pieces of the stream."""
