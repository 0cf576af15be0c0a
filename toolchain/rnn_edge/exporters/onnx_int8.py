"""ONNX, w8a16: the integer step in standard operators, with the bits of the integer reference.

``model_int8.onnx`` has the inputs ``x`` (B, D) and ``h0_in`` (B, H) (``c0_in``, ``h1_in``, ...) and
the outputs ``y`` (B, C), ``h0_out``, ..., all int16, and ``label``, int64 (B,), where the model
decides. B is free: one stream, or many side by side.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnn_edge.cells import lower_model
from rnn_edge.exporters.base import Artifact, Exporter, ExportSource
from rnn_edge.exporters.onnx_float import IR_VERSION, OPSET, add_properties
from rnn_edge.exporters.onnx_graph import OnnxGraph
from rnn_edge.exporters.onnx_program import write_program
from rnn_edge.exporters.output import write_bytes
from rnn_edge.types import QuantizedModel

FILE = "model_int8.onnx"


def properties_of(
    model: QuantizedModel, features: Mapping[str, object] | None = None
) -> dict[str, str]:
    """Return what the file says about itself; everything but texts is JSON."""
    scales = {name: 2.0**exponent for name, exponent in model.state_exponents.items()}
    return {
        "features": json.dumps(features, sort_keys=True),
        "format": "rnn-edge onnx w8a16 1",
        "input_scale": json.dumps(2.0**model.input_exponent),
        "labels": json.dumps(list(model.labels)),
        "model_digest": model.digest(),
        "name": model.name,
        "output_scale": json.dumps(2.0**model.output_exponent),
        "state_scales": json.dumps(scales),
        "task": model.task,
    }


def build(model: QuantizedModel, features: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401 - onnx has no types
    """Return the checked ``onnx.ModelProto``.

    Args:
        model: The model.
        features: What computes a frame, see `ExportSource`.

    Raises:
        MissingDependencyError: If onnx is not installed.
        ModelError: If an operator of the model has no exact form in ONNX.
    """
    graph = OnnxGraph()
    write_program(lower_model(model), graph)
    return graph.model(model.name, OPSET, IR_VERSION, properties_of(model, features))


def export(source: ExportSource, folder: Path) -> Artifact:
    """Write `FILE` into ``folder``.

    Raises:
        MissingDependencyError: If onnx is not installed.
        ModelError: If an operator of the model has no exact form in ONNX.
    """
    proto = build(source.model, source.features)
    add_properties(proto, source.policy_metadata)
    write_bytes(folder / FILE, proto.SerializeToString(deterministic=True))
    return Artifact("onnx-int8", (FILE,), source.model.digest())


EXPORTER = Exporter(
    "onnx-int8", "ONNX step in standard operators, same bits as tflite (w8a16)", "onnx", export
)
