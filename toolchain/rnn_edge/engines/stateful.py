"""The integer TFLite file with its state in resource variables, in three runtimes."""

from __future__ import annotations

from functools import partial

from rnn_edge.engines import tflm
from rnn_edge.engines.base import Engine, EngineKind, EngineSource
from rnn_edge.engines.layout import StreamLayout, read_export
from rnn_edge.engines.numbers import SameIntegers
from rnn_edge.engines.runtime_state import RuntimeStateEngine, open_session
from rnn_edge.exporters import tflite_stateful


def open_engine(runtime: str, source: EngineSource) -> Engine:
    """Load the exported file.

    Args:
        runtime: One of ``worker_program.STATEFUL_RUNTIMES``.
        source: Where the file is.

    Raises:
        MissingDependencyError: If the runtime is not to be had.
        EngineError: If the file is missing, of another model or refused.
    """
    path = source.exports / tflite_stateful.FILE
    content = read_export(path, source.model.digest())
    layout = StreamLayout.of_integer(source.model)
    session = open_session(runtime, content, list(layout.states), path)
    return RuntimeStateEngine(layout, SameIntegers(), session, path)


def _kind(
    name: str, runtime: str, extra: str, sets_state: bool, softmax_lsb: int = 0
) -> EngineKind:
    return EngineKind(
        name=name,
        summary=f"the TFLite file with its state in resource variables, in {runtime}",
        is_integer=True,
        extra=extra,
        exporter="tflite-stateful",
        open=partial(open_engine, name),
        sets_state=sets_state,
        softmax_lsb=softmax_lsb,
    )


def engine_kinds() -> tuple[EngineKind, ...]:
    """Return an engine for every runtime."""
    return (
        _kind("litert-stateful", "ai-edge-litert", "litert", sets_state=True),
        _kind("tflite-runtime-stateful", "tflite-runtime 2.14", "tflite", sets_state=True),
        _kind(
            "tflm-stateful",
            "TFLM, which can only zero it",
            "",
            sets_state=False,
            softmax_lsb=tflm.SOFTMAX_LSB,
        ),
    )
