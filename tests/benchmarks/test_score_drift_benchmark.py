"""Float and device beside each other: the alarm of the device is the one that is counted."""

import json
import shutil

import numpy as np
import pytest
from untrained import SPEC, untrained_bundle

from rnn_edge.evaluation.detections import AlarmRule
from rnn_edge.pipeline.bundle import bundle_detector
from rnn_edge.quantize import quantize_input

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return untrained_bundle(tmp_path_factory.mktemp("score_drift"), SPEC)


def test_the_alarm_of_a_device_is_on_where_that_in_floating_point_is(benchmarks, bundle):
    from score_drift import DeviceAlarms

    model, detector = bundle.model(), bundle_detector(bundle, "int8")
    generator = np.random.default_rng(2)
    x = generator.normal(0, 1, (5000, model.inputs)) * np.where(
        np.arange(5000)[:, None] % 700 > 600, 4.0, 0.5
    )
    scale = 2.0**model.input_exponent
    frames = (quantize_input(x.astype(np.float32), model.input_exponent) * scale).astype(np.float32)
    outputs = np.zeros((5000, model.outputs))
    exact = AlarmRule(detector).update(frames, outputs)
    device = DeviceAlarms(detector, model, 50)
    parts = [device.update(frames[k : k + 777], outputs[k : k + 777]) for k in range(0, 5000, 777)]
    alarms = np.concatenate([part.detections for part in parts])
    scores = np.concatenate([part.scores for part in parts])
    assert 0 < alarms.sum() < 5000
    assert (alarms == exact.detections).mean() > 0.999
    np.testing.assert_allclose(scores, exact.scores, atol=2e-3 * exact.scores.max())


def test_a_row_for_each_stream_and_an_exit_code(benchmarks, bundle, monkeypatch, capsys):
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    from score_drift import main

    arguments = ["score_drift.py", str(bundle.path), "--steps", "3000", "--most", "1.0"]
    monkeypatch.setattr("sys.argv", [*arguments, "--json"])
    code = main()
    found = json.loads(capsys.readouterr().out)
    assert [row["stream"] for row in found["rows"]] == ["anomaly_normal", "anomaly_million"]
    assert all(row["steps"] == 3000 and row["normal_frames"] > 0 for row in found["rows"])
    assert code == int(not found["is_within"])
    monkeypatch.setattr("sys.argv", arguments)
    main()
    assert capsys.readouterr().out.splitlines()[-1].startswith("false alarms by frame:")
