"""Builds of every cell, in mixed stacks, under two heads: really trained, tuned and replayed."""

import json
import shutil

import numpy as np
import pytest
from cli_here import run_here

from rnn_edge.types import FloatModel, QuantizedModel

pytestmark = pytest.mark.slow

TRAINING = """
[teacher]
kind = "{teacher}"
hidden = 5
layers = 1
steps = 4
batch = 8
evaluate_every = 2
[student]
steps = 4
lanes = 8
evaluate_every = 2
[qat]
steps = 4
lanes = 8
evaluate_every = 2
[quantize]
calibration_steps = 100
calibration_streams = 2
[replay]
engines = ["float", "int8", "c", "litert", "onnx", "onnx-int8"]
"""
WORDS = """
seed = 2
[model]
name = "words"
task = "kws"
cell = {cell}
head = "{head}"
hidden = 4
[data]
kind = "synthetic-keywords"
keywords = ["yes", "no"]
train_clips = 6
validation_clips = 3
test_clips = 4
[features]
kind = "log-mel"
window_ms = 60.0
hop_ms = 40.0
bands = 16
[augment]
copies = 2
"""
PUMP = """
seed = 2
[model]
name = "pump"
task = "anomaly"
cell = {cell}
head = "{head}"
hidden = 4
[data]
kind = "synthetic-machine"
sample_rate_hz = 2.0
recording_s = 60.0
train_recordings = 2
validation_recordings = 1
test_recordings = 2
[features]
kind = "channels"
sequence_frames = 16
"""


@pytest.mark.parametrize(
    ("text", "cells", "head", "teacher"),
    [
        (WORDS, ["lstm", "gru", "rnn"], "argmax", "rnn"),
        (PUMP, ["gru_reset_before", "lstm"], "linear", "gru_reset_before"),
    ],
)
def test_a_build_from_training_to_replay(tmp_path, text, cells, head, teacher):
    pytest.importorskip("tensorflow", reason="building needs TensorFlow")
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    spec = text.format(cell=json.dumps(cells), head=head) + TRAINING.format(teacher=teacher)
    (tmp_path / "spec.toml").write_text(spec)
    out = tmp_path / "bundle"
    run_here("rnn-edge build spec.toml --out bundle", tmp_path)
    report = json.loads((out / "report.json").read_text())
    assert report["cell"] == " + ".join(cells)
    compared = {(row["engine"], row["differing"]) for row in report["parity"]}
    assert compared == {("c", 0), ("litert", 0), ("onnx-int8", 0)}
    assert {"float", "int8"} <= {model["name"] for model in report["models"]}
    for drift in report["drift"]:
        assert np.isfinite(drift["hidden_rms"])
    float_model = FloatModel.load(next(out.rglob("float_model.npz")))
    model = QuantizedModel.load(next(out.rglob("model.npz")))
    for found in (float_model, model):
        assert [layer.kind for layer in found.layers] == cells
        assert found.head_kind == head
    header = next(out.rglob(f"{model.name}.h")).read_text()
    assert (f"{model.name}_label(" in header) == (head == "argmax")
