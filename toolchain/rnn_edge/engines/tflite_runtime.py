"""The integer TFLite file in tflite-runtime, the older package that 32-bit systems have."""

from __future__ import annotations

import importlib
import sys

from rnn_edge.engines.base import Engine, EngineKind, EngineSource
from rnn_edge.engines.environment import Environment
from rnn_edge.engines.tflite_interpreter import DEFAULT_KERNELS, open_interpreter
from rnn_edge.engines.worker_engine import open_in_environment
from rnn_edge.errors import MissingDependencyError

NAME = "tflite-runtime"
NEWEST_PYTHON = (3, 11)
"""Of which there are wheels; 2.14 was the last release."""
ENVIRONMENT = Environment(
    name=NAME,
    requirements=("tflite-runtime==2.14.0", "numpy<2"),
    module="tflite_runtime.interpreter",
    purpose=f"the engine {NAME!r}",
)


def require_wheels(error: Exception) -> None:
    """Refuse a Python for which an environment could not be made.

    Args:
        error: Why tflite-runtime does not load here.

    Raises:
        MissingDependencyError: If there are no wheels for this Python.
    """
    if sys.version_info[:2] > NEWEST_PYTHON:
        raise MissingDependencyError(
            "Package tflite-runtime has no wheels for Python "
            f"{sys.version_info[0]}.{sys.version_info[1]}; the last are for "
            f"{NEWEST_PYTHON[0]}.{NEWEST_PYTHON[1]}.",
            "use the engine 'litert' (pip install ai-edge-litert), or run with Python 3.11",
        ) from error


def open_engine(source: EngineSource) -> Engine:
    """Load the exported file: here if tflite-runtime loads, else in its own environment.

    Raises:
        MissingDependencyError: If tflite-runtime is not to be had, as for Python 3.12.
        EngineError: If the file is missing, of another model or refused.
    """
    try:
        package = importlib.import_module(ENVIRONMENT.module)
    except (ImportError, AttributeError) as error:
        # Not installed, or under numpy 2, where its extension module fails while it loads.
        require_wheels(error)
        return open_in_environment(NAME, ENVIRONMENT, source)
    return open_interpreter(package, DEFAULT_KERNELS, source, is_integer=True)


ENGINE = EngineKind(
    name=NAME,
    summary="the TFLite file in tflite-runtime 2.14",
    is_integer=True,
    extra="tflite",
    exporter="tflite",
    open=open_engine,
)
