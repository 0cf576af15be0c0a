"""The quantized model in numpy: the reference that integer engines must equal."""

from __future__ import annotations

from rnn_edge.engines.base import Engine, EngineKind, EngineSource
from rnn_edge.engines.layout import StreamLayout
from rnn_edge.engines.numpy_reference import ReferenceEngine
from rnn_edge.reference import IntegerReference


def open_engine(source: EngineSource) -> Engine:
    """Return an engine over the quantized model."""
    return ReferenceEngine(StreamLayout.of_integer(source.model), IntegerReference(source.model))


ENGINE = EngineKind(
    name="int8",
    summary="the quantized model in numpy, the reference for every integer engine",
    is_integer=True,
    extra="",
    exporter="",
    open=open_engine,
)
