"""The float model in numpy."""

from __future__ import annotations

from rnn_edge.engines.base import Engine, EngineKind, EngineSource
from rnn_edge.engines.layout import StreamLayout
from rnn_edge.engines.numpy_reference import ReferenceEngine
from rnn_edge.reference import FloatReference


def open_engine(source: EngineSource) -> Engine:
    """Return an engine over the float model."""
    layout = StreamLayout.of_float(source.float_model, source.model)
    return ReferenceEngine(layout, FloatReference(source.float_model))


ENGINE = EngineKind(
    name="float",
    summary="the float model in numpy",
    is_integer=False,
    extra="",
    exporter="",
    open=open_engine,
)
