"""The ONNX file in onnxruntime."""

from __future__ import annotations

from typing import Any

from rnn_edge.engines.base import Engine, EngineKind, EngineSource
from rnn_edge.engines.host_state import HostStateEngine
from rnn_edge.engines.layout import StreamLayout
from rnn_edge.engines.onnx_session import open_session
from rnn_edge.exporters import onnx_float
from rnn_edge.types import Array


class OnnxEngine(HostStateEngine):
    """Runs one frame of one stream at a time.

    Args:
        layout: The model's interface.
        session: An ``onnxruntime.InferenceSession``.
    """

    def __init__(self, layout: StreamLayout, session: Any) -> None:  # noqa: ANN401 - no types
        super().__init__(layout)
        self._run = session.run
        self._outputs = ["y", *(f"{name}_out" for name in layout.states)]

    def _advance(self, x: Array, state: dict[str, Array]) -> tuple[Array, dict[str, Array]]:
        feeds = {f"{name}_in": value[None, None] for name, value in state.items()}
        y, *leaving = self._run(self._outputs, {"x": x[None, None], **feeds})
        after = {name: value[0, 0] for name, value in zip(state, leaving, strict=True)}
        return y[0, 0], after


def open_engine(source: EngineSource) -> Engine:
    """Load the exported file into a session with one thread.

    Raises:
        MissingDependencyError: If onnxruntime is not installed.
        EngineError: If the file is missing, of another model or refused.
    """
    path = source.exports / onnx_float.FILE
    session = open_session(path, source.float_model.digest(), ENGINE.name)
    return OnnxEngine(StreamLayout.of_float(source.float_model, source.model), session)


ENGINE = EngineKind(
    name="onnx",
    summary="the float ONNX file in onnxruntime",
    is_integer=False,
    extra="onnx",
    exporter="onnx",
    open=open_engine,
)
