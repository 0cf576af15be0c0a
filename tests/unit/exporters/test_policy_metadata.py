"""Files without the C say which reset policy is for their application to keep."""

import json

import pytest
from random_models import Shape, source

from rnn_edge.exporters.base import ExportSource, all_exporters
from rnn_edge.types.resets import NEVER, ResetPolicy

SHAPE = Shape(kinds=("lstm",), units=(4,))
POLICY = ResetPolicy("quiet", 7, -0.5)
SAID = {"policy": "quiet", "level": -0.5, "frames": 7, "measure": "mean"}


def exported(name, reset, folder):
    folder.mkdir()
    pair = source(SHAPE)
    artifact = all_exporters()[name].export(
        ExportSource(pair.float_model, pair.model, reset=reset), folder
    )
    return (folder / artifact.files[0]).read_bytes()


@pytest.mark.parametrize("name", ["tflite", "tflite-float", "tflite-stateful"])
def test_tflite_names_the_policy(name, tmp_path):
    pytest.importorskip("ai_edge_litert", reason="writing TFLite needs the schema")
    content = exported(name, POLICY, tmp_path / "with")
    assert json.dumps({"reset_policy": SAID}, sort_keys=True)[1:-1].encode() in content
    assert b"reset_policy" not in exported(name, NEVER, tmp_path / "without")


@pytest.mark.parametrize("name", ["onnx", "onnx-int8"])
def test_onnx_names_the_policy(name, tmp_path):
    onnx = pytest.importorskip("onnx", reason="writing ONNX needs onnx")
    proto = onnx.load_from_string(exported(name, POLICY, tmp_path / "with"))
    onnx.checker.check_model(proto, full_check=True)
    found = {entry.key: entry.value for entry in proto.metadata_props}
    assert json.loads(found["reset_policy"]) == SAID
    plain = onnx.load_from_string(exported(name, NEVER, tmp_path / "without"))
    assert "reset_policy" not in [entry.key for entry in plain.metadata_props]
