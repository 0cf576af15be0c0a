"""The ONNX file in onnxruntime."""

from __future__ import annotations

from typing import Any

from rnn_edge.engines.base import Engine, EngineKind, EngineSource
from rnn_edge.engines.host_state import HostStateEngine
from rnn_edge.engines.layout import StreamLayout, read_export
from rnn_edge.errors import EngineError
from rnn_edge.exporters import onnx_float
from rnn_edge.extras import require
from rnn_edge.types import Array

_ERRORS_ONLY = 3


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
    runtime = require("onnxruntime", "onnx", "the engine 'onnx'")
    errors = require("onnxruntime.capi.onnxruntime_pybind11_state", "onnx", "the engine 'onnx'")
    path = source.exports / onnx_float.FILE
    content = read_export(path, source.float_model.digest())
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    try:
        session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except (errors.Fail, errors.InvalidGraph, errors.InvalidProtobuf) as error:
        raise EngineError(f"File {path} is refused by onnxruntime: {error}.") from error
    return OnnxEngine(StreamLayout.of_float(source.float_model, source.model), session)


ENGINE = EngineKind(
    name="onnx",
    summary="the float ONNX file in onnxruntime",
    is_integer=False,
    extra="onnx",
    exporter="onnx",
    open=open_engine,
)
