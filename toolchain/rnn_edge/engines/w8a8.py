"""The fused int8 LSTM (w8a8) in two runtimes, fed and read in real units.

The arithmetic is that of the runtimes' own kernels, which differ: the distance of these engines
from the float model, and from each other, is a result.
"""

from __future__ import annotations

import shlex
from functools import partial
from pathlib import Path

from rnn_edge.engines.base import Engine, EngineKind, EngineSource
from rnn_edge.engines.layout import StreamLayout, read_export
from rnn_edge.engines.numbers import AffineIntegers
from rnn_edge.engines.runtime_state import RuntimeStateEngine, open_session
from rnn_edge.errors import MissingExportError
from rnn_edge.exporters import tflite_w8a8
from rnn_edge.registry import known


def open_engine(name: str, source: EngineSource) -> Engine:
    """Load the exported file.

    Args:
        name: The engine's, one of ``worker_program.STATEFUL_RUNTIMES``.
        source: Where the file is.

    Raises:
        MissingDependencyError: If the runtime is not to be had.
        MissingExportError: If the file was not written, or the model has no such file.
        EngineError: If the file is of another model or refused.
    """
    path = source.exports / tflite_w8a8.FILE
    if not path.is_file():
        raise _not_written(name, path, source)
    content = read_export(path, source.float_model.digest())
    layout = StreamLayout.of_float(source.float_model, source.model)
    session = open_session(name, content, list(layout.states), path)
    return RuntimeStateEngine(layout, AffineIntegers(session.scales), session, path)


def _not_written(name: str, path: Path, source: EngineSource) -> MissingExportError:
    """Return the error for a file that is not there: it was not asked for, or cannot be made."""
    kinds = [layer.kind for layer in source.float_model.layers]
    if not set(kinds) <= set(tflite_w8a8.CELLS):
        return MissingExportError(
            f"Engine {name!r} cannot run {source.float_model.name}: its layers are "
            f"{known(kinds)}; expected {known(tflite_w8a8.CELLS)} only, which is all that the "
            f"format {tflite_w8a8.NAME} holds.",
            f"leave the engine {name!r} out",
        )
    place = "SPEC" if source.bundle is None else shlex.quote(str(source.bundle))
    return MissingExportError(
        f"Export {path} is not there; the format {tflite_w8a8.NAME} is written on request.",
        f"rnn-edge export {place} --format {tflite_w8a8.NAME}",
    )


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
