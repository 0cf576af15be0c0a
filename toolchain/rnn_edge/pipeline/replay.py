"""A finished bundle replayed through any engines: the parity matrix."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.engines.base import Engine, EngineKind, EngineSource, all_engines
from rnn_edge.errors import DataError
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.pipeline.bundle import STAGES, Bundle
from rnn_edge.pipeline.files import read_json
from rnn_edge.pipeline.material import (
    DATA,
    FRAMES,
    FRONT_END,
    commission_samples,
    frames_of,
    read_dataset,
)
from rnn_edge.pipeline.proof import FloatAgreement, compare_floats, proof_json
from rnn_edge.pipeline.stages import StageStore
from rnn_edge.quantize import quantize_input
from rnn_edge.registry import lookup
from rnn_edge.replay import Stream, compare_bits
from rnn_edge.spec import MAX_HELD_STEPS, load_stream
from rnn_edge.streams import ModelPair, read_whole
from rnn_edge.streams import open_stream as open_frames
from rnn_edge.types import Array, Trace
from rnn_edge.types.frames import FrameSet
from rnn_edge.types.replay import ParityRow

EMULATED_STEPS = 2_000
"""Steps of an emulated engine unless more are asked for: each takes a thousand times as long."""

REFERENCES = {True: "int8", False: "float"}
"""The engine that integer engines are compared with, and the one for float engines."""


@dataclass(frozen=True)
class ReplayRequest:
    """What to replay.

    Attributes:
        engines: Names, in the order of the table; the references need not be among them.
        data: Recordings in the layout of the bundle's spec; None for what the bundle was built
            with, if that is still there or can be made again.
        stream: Name or path of a stream; None for the spec's own.
        steps: Frames at least; None for as many as the stream says.
        emulated_steps: The same for engines that imitate another processor, and for boards.
        is_reset: Whether the state is reset at the start of every sequence.
        port: Where the board is that an engine names; None for none.
    """

    engines: tuple[str, ...]
    data: Path | None = None
    stream: str | None = None
    steps: int | None = None
    emulated_steps: int = EMULATED_STEPS
    is_reset: bool = False
    port: str | None = None


@dataclass(frozen=True)
class Matrix:
    """The parity matrix.

    Attributes:
        facts: What was replayed: bundle, source, stream, resets.
        parity: A row per integer engine and tensor.
        agreement: A row per float engine and tensor.
    """

    facts: dict[str, Any]
    parity: tuple[ParityRow, ...]
    agreement: tuple[FloatAgreement, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**self.facts, **proof_json(self.parity, self.agreement)}


def replay_bundle(
    bundle: Bundle, request: ReplayRequest, tell: Callable[[str, int, int], None]
) -> Matrix:
    """Replay a stream through engines and compare each with its reference.

    Args:
        bundle: A finished bundle.
        request: What to replay.
        tell: Called with engine, index and count before each.

    Raises:
        RnnEdgeError: If an engine is unknown, cannot be had here or fails, or if there is no
            material. Differences are in the rows.
    """
    kinds = [lookup(all_engines(), name, "engine") for name in request.engines]
    spec = bundle.spec()
    stream, source = open_stream(bundle, request.data, request.stream, request.steps)
    steps = len(stream.frames)
    traces: dict[str, Trace] = {}
    with tempfile.TemporaryDirectory(prefix="rnn-edge-") as work:
        opened = EngineSource(
            bundle.float_model(),
            bundle.model(),
            bundle.exports,
            Path(work),
            bundle.path,
            request.port,
        )
        # Engines come before their references: what cannot be opened is told in seconds.
        needed = [kind for kind in kinds if kind.name not in REFERENCES.values()]
        used = {REFERENCES[kind.is_integer] for kind in kinds}
        needed += [kind for name, kind in all_engines().items() if name in used]
        for k, kind in enumerate(needed):
            tell(kind.name, k, len(needed))
            length = min(steps, request.emulated_steps) if kind.is_slow else steps
            traces[kind.name] = _run(kind, opened, _first(stream, length), request.is_reset)
    parity: list[ParityRow] = []
    agreement: list[FloatAgreement] = []
    for kind in kinds:
        trace = traces[kind.name]
        expected = _shortened(traces[REFERENCES[kind.is_integer]], len(trace.outputs))
        if kind.is_integer:
            allowed = kind.known_lsb(opened.model)
            parity += compare_bits(kind.name, expected, trace, allowed)
        else:
            agreement += compare_floats(kind, expected, trace)
    facts = {
        "bundle": spec.model.name,
        "model_digest": opened.model.digest(),
        "source": source,
        "stream": request.stream or spec.replay.stream,
        "steps": steps,
        "is_reset": request.is_reset,
        "emulated": sorted(kind.name for kind in kinds if kind.is_emulated),
        "boards": sorted(kind.name for kind in kinds if kind.needs_port),
    }
    return Matrix(facts, tuple(parity), tuple(agreement))


def open_stream(
    bundle: Bundle, data: Path | None, name: str | None, steps: int | None
) -> tuple[Stream, str]:
    """Return a stream of a bundle, and where its frames come from.

    Args:
        bundle: A finished bundle.
        data: Recordings in the layout of the bundle's spec; None for those of the build.
        name: Name or path of a stream; None for the spec's own.
        steps: Frames; None for as many as the stream says.

    Raises:
        SpecError: If there is no such stream, or it is made for another task.
        DataError: If there are no frames to make it of, or it is too long to be held in memory.
    """
    spec = bundle.spec()
    chosen = load_stream(name or spec.replay.stream, spec.model.task)
    frames, source = bundle_frames(bundle, data)
    steps = chosen.steps if steps is None else steps
    if steps > MAX_HELD_STEPS:
        raise DataError(
            f"Replay stream: {steps:,} frames; a replay holds them in memory, expected at most "
            f"{MAX_HELD_STEPS:,}.",
            "replay the first of them with --steps",
        )
    models = ModelPair(bundle.float_model(), bundle.model())
    whole = read_whole(open_frames(chosen, frames, steps=steps, models=models))
    return Stream(whole.frames, whole.starts), source


def bundle_frames(bundle: Bundle, data: Path | None) -> tuple[FrameSet, str]:
    """Return normalised frames and where they come from.

    Args:
        bundle: A finished bundle.
        data: Recordings in the layout of the bundle's spec; None for those of the build.

    Raises:
        DataError: If there are none.
    """
    spec = bundle.spec()
    kept = _kept_frames(bundle) if data is None else None
    if kept is not None:
        return kept, str(read_json(bundle.file(DATA))["source"])
    if data is None and hasattr(spec.data, "path"):
        raise DataError(
            f"Bundle {bundle.path} does not hold the recordings it was built with.",
            "name recordings of the same layout with --data",
        )
    dataset = read_dataset(spec, data)
    features = FrontEnd.load(bundle.file(FRONT_END))
    return frames_of(dataset, features, commission_samples(spec)), dataset.source


def _kept_frames(bundle: Bundle) -> FrameSet | None:
    """Return the frames of the build, if its stages are still beside the bundle."""
    name = str(bundle.manifest.get("stages", {}).get("data", ""))
    kept = StageStore(bundle.path / STAGES).find("data", name) if name else None
    return None if kept is None else FrameSet.load(kept.folder / FRAMES)


def _first(stream: Stream, steps: int) -> Stream:
    return Stream(stream.frames[:steps], stream.starts[stream.starts < steps])


def _shortened(trace: Trace, steps: int) -> Trace:
    states = {name: value[:steps] for name, value in trace.states.items()}
    return Trace(trace.outputs[:steps], states)


def _run(kind: EngineKind, source: EngineSource, stream: Stream, is_reset: bool) -> Trace:
    """Open an engine, replay the stream, close it."""
    x = stream.frames
    if kind.is_integer:
        x = quantize_input(x, source.model.input_exponent)
    with kind.open(source) as engine:
        if not is_reset:
            return engine.run(x)
        return _joined([_fresh(engine, part) for part in np.split(x, stream.starts[1:])])


def _fresh(engine: Engine, x: Array) -> Trace:
    engine.reset()
    return engine.run(x)


def _joined(traces: Sequence[Trace]) -> Trace:
    states = {
        name: np.concatenate([trace.states[name] for trace in traces]) for name in traces[0].states
    }
    return Trace(np.concatenate([trace.outputs for trace in traces]), states)
