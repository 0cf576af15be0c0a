"""Opens an exported ONNX file in onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rnn_edge.engines.layout import read_export
from rnn_edge.errors import EngineError
from rnn_edge.extras import require

_ERRORS_ONLY = 3


def open_session(path: Path, digest: str, engine: str) -> Any:  # noqa: ANN401 - no types
    """Return an ``onnxruntime.InferenceSession`` on the CPU with one thread.

    Args:
        path: The file.
        digest: Digest of the model that it must have been made from.
        engine: Name of the engine, for messages.

    Raises:
        MissingDependencyError: If onnxruntime is not installed.
        EngineError: If the file is missing, of another model or refused.
    """
    purpose = f"the engine '{engine}'"
    runtime = require("onnxruntime", "onnx", purpose)
    errors = require("onnxruntime.capi.onnxruntime_pybind11_state", "onnx", purpose)
    content = read_export(path, digest)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    refusals = (errors.Fail, errors.InvalidGraph, errors.InvalidProtobuf, errors.NotImplemented)
    try:
        return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except refusals as error:
        raise EngineError(f"File {path} is refused by onnxruntime: {error}.") from error
