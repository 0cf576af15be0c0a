"""The proof of a build: one long stream through every engine, never reset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnn_edge.engines.base import EngineKind, EngineSource, all_engines
from rnn_edge.errors import ParityError
from rnn_edge.quantize import quantize_input
from rnn_edge.reference import FloatReference, IntegerReference
from rnn_edge.registry import lookup
from rnn_edge.replay import compare_bits, concatenate
from rnn_edge.spec import RecordedStream, StreamSpec
from rnn_edge.streams import ModelPair, open_stream, read_whole
from rnn_edge.types import Array, FloatModel, QuantizedModel, Trace
from rnn_edge.types.frames import FrameSet
from rnn_edge.types.replay import ParityRow

FLOAT_TOLERANCE = 1e-3
"""Float engines add in another order than the reference; a wrong gate is off by far more."""


@dataclass(frozen=True)
class FloatAgreement:
    """Largest difference of an engine from the float reference over the stream.

    Attributes:
        engine: Its name.
        tensor: "y" or a state.
        steps: Steps compared.
        maximum: The largest difference, in real units.
        tolerance: What rounding in floating point explains; None for an engine with an arithmetic
            of its own, whose distance is a result.
    """

    engine: str
    tensor: str
    steps: int
    maximum: float
    tolerance: float | None = FLOAT_TOLERANCE


def replay_stream(
    frames: FrameSet, spec: StreamSpec, float_model: FloatModel, model: QuantizedModel
) -> Array:
    """Return the stream's frames, float32 (T, D); recordings are taken whole.

    Args:
        frames: What it is made of.
        spec: The stream.
        float_model: What it is made for, where it is made for a model.
        model: The same in integers.

    Raises:
        DataError: If the data has nothing in the part that the stream is made of.
    """
    stream = open_stream(spec, frames, models=ModelPair(float_model, model))
    if isinstance(spec, RecordedStream):
        return concatenate([s.frames for s in frames.part(spec.split)], spec.steps, spec.seed)
    return read_whole(stream).frames


def float_trace(model: FloatModel, x: Array) -> Trace:
    """Run the float reference over one stream x (T, D)."""
    return single(FloatReference(model).run(x[None]))


def integer_trace(model: QuantizedModel, x: Array) -> Trace:
    """Run the integer reference over one stream of real-valued frames x (T, D)."""
    return single(IntegerReference(model).run(quantize_input(x, model.input_exponent)[None]))


def single(trace: Trace) -> Trace:
    """Return the trace of the only stream."""
    return Trace(trace.outputs[0], {name: value[0] for name, value in trace.states.items()})


def prove(
    source: EngineSource,
    x: Array,
    engines: Sequence[str],
    tell: Callable[[str, int, int], None],
) -> tuple[tuple[ParityRow, ...], tuple[FloatAgreement, ...]]:
    """Replay x through the engines and compare each with its reference.

    Args:
        source: What the engines are opened from.
        x: float32 (T, D), never reset.
        engines: Names; the two references take part by themselves.
        tell: Called with engine, index and count before each.

    Returns:
        A row per integer engine and tensor, and one per float engine and tensor. Differences
        are in the rows; `refuse_differences` raises on them.
    """
    kinds = all_engines()
    wanted = [lookup(kinds, name, "engine") for name in engines if name not in ("float", "int8")]
    exact, approximate = integer_trace(source.model, x), float_trace(source.float_model, x)
    integers = quantize_input(x, source.model.input_exponent)
    parity: list[ParityRow] = []
    agreement: list[FloatAgreement] = []
    for k, kind in enumerate(wanted):
        tell(kind.name, k, len(wanted))
        with kind.open(source) as engine:
            trace = engine.run(integers if kind.is_integer else x)
        if kind.is_integer:
            parity += compare_bits(kind.name, exact, trace, kind.known_lsb(source.model))
        else:
            agreement += compare_floats(kind, approximate, trace)
    return tuple(parity), tuple(agreement)


def compare_floats(kind: EngineKind, expected: Trace, actual: Trace) -> list[FloatAgreement]:
    """Return how far a float engine is from the float reference, a row per tensor."""
    pairs = {"y": (expected.outputs, actual.outputs)}
    pairs.update({name: (value, actual.states[name]) for name, value in expected.states.items()})
    tolerance = None if kind.is_approximate else FLOAT_TOLERANCE
    return [
        FloatAgreement(kind.name, name, len(a), float(abs(a.astype(float) - b).max()), tolerance)
        for name, (a, b) in pairs.items()
    ]


def refuse_differences(parity: Sequence[ParityRow], agreement: Sequence[FloatAgreement]) -> None:
    """Raise if any engine is not what it must be.

    Raises:
        ParityError: Naming every engine and tensor that differs.
    """
    wrong = [
        f"{row.engine} {row.tensor}: {row.differing:,} values differ by up to {row.max_lsb} LSB, "
        f"first at step {row.first_step}"
        for row in parity
        if row.max_lsb > row.allowed_lsb
    ]
    wrong += [
        f"{row.engine} {row.tensor}: off by up to {row.maximum:.3g}; "
        f"expected at most {row.tolerance:g}"
        for row in agreement
        if row.tolerance is not None and not row.maximum <= row.tolerance
    ]
    if wrong:
        raise ParityError(
            "Engines do not agree with the reference: " + "; ".join(wrong) + ".",
            "see which tool versions run with: rnn-edge doctor",
        )


def proof_json(parity: Sequence[ParityRow], agreement: Sequence[FloatAgreement]) -> dict[str, Any]:
    """Return both tables as JSON values."""
    return {
        "parity": [row.to_json() for row in parity],
        "float_engines": [
            {
                "engine": row.engine,
                "tensor": row.tensor,
                "steps": row.steps,
                "maximum": row.maximum,
                "tolerance": row.tolerance,
            }
            for row in agreement
        ],
    }


def engine_source(
    float_model: FloatModel, model: QuantizedModel, exports: Path, work: Path
) -> EngineSource:
    """Return what engines are opened from; ``work`` is made if it is not there."""
    work.mkdir(parents=True, exist_ok=True)
    return EngineSource(float_model, model, exports, work)
