"""The integer TFLite file in TFLM (TensorFlow Lite for Microcontrollers), built for this host."""

from __future__ import annotations

import importlib

from rnn_edge.engines.base import Engine, EngineKind, EngineSource
from rnn_edge.engines.environment import Environment
from rnn_edge.engines.worker_engine import open_here, open_in_environment

NAME = "tflm"
ENVIRONMENT = Environment(
    name=NAME,
    # Daily builds are all there is; flatbuffers and numpy only carry arrays in and out.
    requirements=("tflite-micro==0.dev20261023182759", "flatbuffers>=24", "numpy>=1.26,<3"),
    module="tflite_micro",
    purpose=f"the engine {NAME!r}",
)
SOFTMAX_LSB = 1
"""TFLM computes the tables of SOFTMAX in single precision: a few of their entries are one off."""


def open_engine(source: EngineSource) -> Engine:
    """Load the exported file: here if tflite-micro is installed, else in its own environment.

    Raises:
        MissingDependencyError: If tflite-micro is not to be had.
        EngineError: If the file is missing, of another model or refused.
    """
    try:
        importlib.import_module(ENVIRONMENT.module)
    except (ImportError, AttributeError):
        # Not installed, or built for another numpy than this process has.
        return open_in_environment(NAME, ENVIRONMENT, source)
    return open_here(NAME, source)


ENGINE = EngineKind(
    name=NAME,
    summary="the TFLite file in TFLM, the runtime for microcontrollers, on this host",
    is_integer=True,
    extra="",
    exporter="tflite",
    open=open_engine,
    softmax_lsb=SOFTMAX_LSB,
)
