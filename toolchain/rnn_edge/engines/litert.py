"""The integer TFLite file in ai-edge-litert, with its optimised kernels."""

from __future__ import annotations

from rnn_edge.engines.base import Engine, EngineKind, EngineSource
from rnn_edge.engines.tflite_interpreter import DEFAULT_KERNELS, open_interpreter
from rnn_edge.extras import require


def open_engine(source: EngineSource) -> Engine:
    """Load the exported file into the interpreter."""
    package = require("ai_edge_litert.interpreter", "litert", "the engine 'litert'")
    return open_interpreter(package, DEFAULT_KERNELS, source, is_integer=True)


ENGINE = EngineKind(
    name="litert",
    summary="the TFLite file in ai-edge-litert",
    is_integer=True,
    extra="litert",
    exporter="tflite",
    open=open_engine,
)
