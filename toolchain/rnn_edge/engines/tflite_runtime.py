"""The integer TFLite file in tflite-runtime, the older package that 32-bit systems have."""

from __future__ import annotations

from rnn_edge.engines.base import Engine, EngineKind, EngineSource
from rnn_edge.engines.tflite_interpreter import DEFAULT_KERNELS, open_interpreter
from rnn_edge.errors import MissingDependencyError
from rnn_edge.extras import require


def open_engine(source: EngineSource) -> Engine:
    """Load the exported file into the interpreter.

    Raises:
        MissingDependencyError: If tflite-runtime is not installed, or numpy is too new for it.
    """
    try:
        package = require("tflite_runtime.interpreter", "tflite", "the engine 'tflite-runtime'")
    except (ImportError, AttributeError) as error:
        # Built against numpy 1: under numpy 2 its extension module fails while it loads.
        raise MissingDependencyError(
            f"Package tflite_runtime does not load: {error}; it needs numpy below 2.",
            "pip install 'rnn-edge[tflite]' in an environment of its own",
        ) from error
    return open_interpreter(package, DEFAULT_KERNELS, source, is_integer=True)


ENGINE = EngineKind(
    name="tflite-runtime",
    summary="the TFLite file in tflite-runtime 2.14",
    is_integer=True,
    extra="tflite",
    exporter="tflite",
    open=open_engine,
)
