"""The fused int8 LSTM (w8a8) in two runtimes, fed and read in real units.

The arithmetic is that of the runtimes' own kernels, which differ: the distance of these engines
from the float model, and from each other, is a result.
"""

from __future__ import annotations

from functools import partial

from rnn_edge.engines.base import Engine, EngineKind, EngineSource
from rnn_edge.engines.layout import StreamLayout, read_export
from rnn_edge.engines.numbers import AffineIntegers
from rnn_edge.engines.runtime_state import RuntimeStateEngine, open_session
from rnn_edge.errors import MissingExportError
from rnn_edge.exporters import tflite_w8a8


def open_engine(runtime: str, source: EngineSource) -> Engine:
    """Load the exported file.

    Args:
        runtime: One of ``worker_program.STATEFUL_RUNTIMES``.
        source: Where the file is.

    Raises:
        MissingDependencyError: If the runtime is not to be had.
        EngineError: If the file is missing, of another model or refused.
    """
    path = source.exports / tflite_w8a8.FILE
    if not path.is_file():
        raise MissingExportError(
            f"Export {path} is not there; the format {tflite_w8a8.NAME} is written on request.",
            f"rnn-edge export BUNDLE --format {tflite_w8a8.NAME}",
        )
    content = read_export(path, source.float_model.digest())
    layout = StreamLayout.of_float(source.float_model, source.model)
    session = open_session(runtime, content, list(layout.states), path)
    return RuntimeStateEngine(layout, AffineIntegers(session.scales), session, path)


def _kind(name: str, runtime: str, extra: str, sets_state: bool) -> EngineKind:
    return EngineKind(
        name=name,
        summary=f"the fused int8 LSTM in {runtime}",
        is_integer=False,
        extra=extra,
        exporter="tflite-w8a8",
        open=partial(open_engine, name),
        is_approximate=True,
        sets_state=sets_state,
    )


def engine_kinds() -> tuple[EngineKind, ...]:
    """Return an engine for every runtime."""
    return (
        _kind("litert-w8a8", "ai-edge-litert", "litert", sets_state=True),
        _kind("tflm-w8a8", "TFLM, which can only zero its state", "", sets_state=False),
    )
