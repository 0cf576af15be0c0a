"""Forecasts of several frames and autoencoders: trained, quantized, replayed and scored."""

import json

import numpy as np
import pytest
from cli_here import run_here

from rnn_edge.evaluation import integer_runner, score_recordings
from rnn_edge.evaluation.detections import AlarmRule
from rnn_edge.pipeline.bundle import Bundle, bundle_detector
from rnn_edge.pipeline.device_app import app_config
from rnn_edge.quantize import quantize_input
from rnn_edge.reference import IntegerReference
from rnn_edge.reference.decisions import IntegerRule
from rnn_edge.types.frames import FrameSequence

pytestmark = pytest.mark.slow

SPEC = """
seed = 3
[model]
name = "pump"
task = "anomaly"
offsets = {offsets}
hidden = 12
[data]
kind = "synthetic-machine"
recording_s = 120.0
train_recordings = 3
validation_recordings = 6
test_recordings = 4
[features]
kind = "channels"
sequence_frames = 32
[teacher]
hidden = 16
layers = 1
steps = 80
batch = 16
evaluate_every = 40
[student]
steps = 160
lanes = 16
evaluate_every = 80
[qat]
steps = 20
lanes = 16
evaluate_every = 10
[quantize]
calibration_steps = 400
calibration_streams = 2
[detector]
score = "covariance"
method = "peaks"
peak_quantile = 0.6
false_alarms_per_day = 20.0
cluster_frames = 2
least_frames = 3
release = 0.7
release_frames = 4
[replay]
engines = ["float", "int8", "c", "litert", "onnx-int8"]
"""


@pytest.fixture(scope="module", params=["[1, 2]", "[0, -1, -2]"])
def bundle(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("frames")
    (folder / "spec.toml").write_text(SPEC.format(offsets=request.param))
    run_here("rnn-edge build spec.toml --out bundle --json", folder)
    return Bundle.open(folder / "bundle")


def recording(bundle):
    """Frames that are anything: the outputs of a trained model on them have large errors too."""
    generator = np.random.default_rng(4)
    frames = np.cumsum(generator.normal(0, 0.1, (400, bundle.model().inputs)), axis=0)
    return FrameSequence("walk", np.clip(frames, -4, 4).astype(np.float32), -1, None, "test")


def test_every_engine_gives_the_same_bits(bundle):
    proof = json.loads(bundle.file("proof.json").read_text())
    assert {row["engine"] for row in proof["parity"]} == {"c", "litert", "onnx-int8"}
    assert all(row["differing"] == 0 for row in proof["parity"])


def test_outputs_stand_for_every_offset(bundle):
    model, offsets = bundle.model(), bundle.spec().model.offsets
    assert model.outputs == len(offsets) * model.inputs
    times = ("t+1", "t+2") if offsets == (1, 2) else ("t", "t-1", "t-2")
    assert [label.split()[-1] for label in model.labels[:: model.inputs]] == list(times)
    assert len(model.labels) == model.outputs


def test_what_was_learned_is_better_than_the_mean(bundle):
    report = json.loads(bundle.file("report.json").read_text())
    for model in report["models"]:
        metrics = model["metrics"]
        # Frames have a variance of 1, so that the mean of all frames would have an error of 1.
        assert metrics["forecast_rmse"] < 0.75, model["name"]
        assert metrics["auc_pr"] > 0.3
        low, high = metrics["false_alarms_per_day_interval"]
        assert low <= metrics["false_alarms_per_day"] <= high


def test_the_detector_is_that_of_the_model(bundle):
    detector, offsets = bundle_detector(bundle, "int8"), bundle.spec().model.offsets
    count = len(detector.variance)
    assert (detector.offsets, count) == (offsets, bundle.model().outputs)
    assert detector.whitening.shape == (count, count)
    assert detector.threshold == detector.tail.height(20.0) > detector.tail.level


def test_a_stream_alarms_as_an_evaluation_does(bundle):
    walk, model = recording(bundle), bundle.model()
    detector, run = bundle_detector(bundle, "int8"), integer_runner(model)
    (scored,) = score_recordings(detector, run, [walk])
    outputs = run(walk.frames[None])[0]
    rule = AlarmRule(detector)
    found = [rule.step(x, y) for x, y in zip(walk.frames, outputs, strict=True)]
    _, alarms, scores = zip(*found, strict=True)
    np.testing.assert_allclose(scores, scored.scores, rtol=1e-9, atol=1e-12)
    assert (np.array(alarms) == detector.alarms(scored.scores)).all()
    assert 0 < sum(alarms) < len(walk.frames)


def test_a_device_alarms_as_an_evaluation_does(bundle):
    walk, model = recording(bundle), bundle.model()
    detector, numbers = bundle_detector(bundle, "int8"), app_config(bundle).rule
    x = quantize_input(walk.frames, model.input_exponent)
    y = IntegerReference(model, 1).run(x[None]).outputs[0]
    rule = IntegerRule(numbers)
    found = rule.update(x, y)
    real = x * 2.0**model.input_exponent, y * 2.0**model.output_exponent
    wanted = AlarmRule(detector).update(*real)
    np.testing.assert_allclose(
        found.scores * 2.0**numbers.score_exponent, wanted.scores, rtol=1e-3, atol=1e-4
    )
    edges = np.flatnonzero(np.diff(wanted.detections, prepend=0))
    assert [change.step for change in rule.changes] == edges.tolist()
    assert len(edges) > 0
