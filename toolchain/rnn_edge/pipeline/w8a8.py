"""The fused int8 LSTM beside w8a16: drift of both, and how far its runtimes are apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn_edge.engines.base import EngineKind, EngineSource, all_engines
from rnn_edge.engines.runtime_state import RuntimeStateEngine
from rnn_edge.errors import MissingDependencyError
from rnn_edge.exporters.tflite_w8a8 import NAME
from rnn_edge.pipeline.proof import float_trace, integer_trace
from rnn_edge.replay import compare_runtimes, measure_drift
from rnn_edge.types import Array, Trace

W8A16 = "w8a16"


def measure_fused(source: EngineSource, x: Array) -> dict[str, Any]:
    """Run a stream through every runtime of the exported fused LSTM, and through w8a16.

    Args:
        source: Models, and the exported file.
        x: float32 (T, D) normalised frames, T of at least 2, never reset.

    Returns:
        "steps"; "drift", a report per arithmetic and runtime against the float model;
        "disagreement", a row per pair of runtimes and tensor; "keeps_state", by runtime; and
        "not_run", runtimes that are not to be had here with the reason.

    Raises:
        EngineError: If the file is missing or a runtime fails.
    """
    expected = float_trace(source.float_model, x)
    model = source.model
    drift = [
        {
            "name": W8A16,
            **measure_drift(
                expected, integer_trace(model, x), model.state_exponents, model.output_exponent
            ).to_json(),
        }
    ]
    traces: dict[str, Trace] = {}
    units: dict[str, float] = {}
    keeps: dict[str, bool] = {}
    not_run: list[dict[str, str]] = []
    for name, kind in all_engines().items():
        if kind.exporter != NAME:
            continue
        try:
            traces[name], units, keeps[name] = _run(kind, source, x)
        except MissingDependencyError as error:
            not_run.append({"engine": name, "reason": error.message})
            continue
        real = measure_drift(expected, traces[name], dict.fromkeys(expected.states, 0), 0)
        drift.append({"name": name, **real.to_json()})
    names = list(traces)
    disagreement = [
        {"engines": [one, other], **row.to_json()}
        for k, one in enumerate(names)
        for other in names[k + 1 :]
        for row in compare_runtimes(traces[one], traces[other], units)
    ]
    return {
        "steps": len(x),
        "drift": drift,
        "disagreement": disagreement,
        "keeps_state": keeps,
        "not_run": not_run,
    }


def _run(kind: EngineKind, source: EngineSource, x: Array) -> tuple[Trace, dict[str, float], bool]:
    """Return a runtime's trace, the units of its tensors, and whether it keeps its state.

    It does if the second of two invocations differs from the same frame after a reset.
    """
    with kind.open(source) as engine:
        assert isinstance(engine, RuntimeStateEngine)
        units = {name: scale for name, (scale, _) in engine.scales.items()}
        trace = engine.run(x)
        engine.reset()
        again = engine.run(x[:2])
        engine.reset()
        fresh = engine.run(x[1:2])
    differs = [not np.array_equal(again.outputs[1], fresh.outputs[0])]
    differs += [not np.array_equal(again.states[n][1], fresh.states[n][0]) for n in fresh.states]
    return trace, units, any(differs)
