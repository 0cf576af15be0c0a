"""Integers of an alarm beside its floating-point detector: on recordings of a real machine."""

import numpy as np
import pytest
from alarm_accuracy import OFFSETS, accuracy, active_frames, rates_without_a_channel
from skab_streams import skab_streams

from rnn_edge.evaluation import Detector
from rnn_edge.evaluation.anomaly import DetectorConfig
from rnn_edge.evaluation.detections import AlarmRule
from rnn_edge.pipeline.device_app import detector_numbers
from rnn_edge.reference.decisions import IntegerRule


@pytest.fixture(scope="module")
def streams(recordings):
    return skab_streams(recordings / "anomaly-skab.tar.xz")


@pytest.mark.parametrize("exponent", [-12, -10])
@pytest.mark.parametrize("score", ["variance", "covariance"])
@pytest.mark.parametrize("offsets", OFFSETS)
def test_the_integers_decide_as_the_detector_does_on_a_real_machine(
    streams, offsets, score, exponent
):
    config = DetectorConfig(score=score, least_frames=3, release_frames=4)
    found = accuracy(streams, OFFSETS[offsets], config, exponent)
    assert found.frames > 15_000
    assert 0.05 < found.alarms < 0.2
    assert found.events[0] == found.events[1] >= 5
    if score == "variance":
        assert found.differ == 0
        assert max(found.worst_near, found.worst) < 2e-6
    else:
        assert found.differ <= 2
        assert found.worst_near < 0.01
        assert found.worst < 0.02
        assert found.median < 0.003


@pytest.mark.parametrize("offsets", OFFSETS)
def test_a_sensor_that_is_gone_raises_no_more_alarms_than_all_of_them(streams, offsets):
    found, whole = rates_without_a_channel(streams, OFFSETS[offsets])
    assert 0.005 < whole < 0.02
    assert found.max() < 1.5 * whole
    # It is not deaf either.
    assert found.max() > 0.3 * whole


def noisy_stream(count=6000):
    """Frames and outputs at 2^-12 that are alike but for noise, now and then much of it."""
    rng = np.random.default_rng(9)
    x = np.cumsum(rng.normal(0, 300, (count, 4)), axis=0)
    x = (x - x.mean(axis=0)).clip(-30000, 30000).astype(np.int16)
    far = 1 + 3 * (rng.random((count // 20, 1)) < 0.05).repeat(20, axis=0)
    common = rng.normal(0, 150, (count, 1))
    noise = (rng.normal(0, 100, (count, 4)) + common) * far
    return x, (np.roll(x, -1, axis=0) + noise).clip(-32768, 32767).astype(np.int16)


@pytest.mark.parametrize("is_whitened", [False, True])
def test_what_does_not_count_is_left_out_alike(is_whitened):
    x, y = noisy_stream()
    errors = (x[1:] - y[:-1].astype(float)) * 2.0**-12
    variance = np.square(errors).mean(axis=0)
    factor = np.linalg.cholesky(errors.T @ errors / len(errors))
    config = DetectorConfig(
        score="covariance" if is_whitened else "variance",
        least_frames=2,
        release=0.7,
        release_frames=5,
    )
    whitening = np.tril(np.linalg.inv(factor)) if is_whitened else None
    scale = 0.7 if is_whitened else 1.0
    detector = Detector(config, variance, 1.5, whitening=whitening, scale_alone=scale)
    rng = np.random.default_rng(10)
    left_out = (rng.random((len(x) // 30, 4)) < 0.1).repeat(30, axis=0)
    numbers = detector_numbers(detector, (-12, -12))
    rule, float_rule = IntegerRule(numbers), AlarmRule(detector)
    parts = []
    for at in range(0, len(x), 1500):
        # Behind a gap both begin anew.
        rule.settle()
        float_rule.restart()
        part = slice(at, at + 1500)
        real = float_rule.update(x[part] * 2.0**-12, y[part] * 2.0**-12, left_out[part])
        scores = rule.update(x[part], y[part], left_out[part]).scores
        scores = scores * 2.0**numbers.score_exponent
        np.testing.assert_allclose(scores, real.scores, rtol=5e-3, atol=3e-3)
        parts.append(real.detections > 0)
    on = np.concatenate(parts)
    assert 0.02 < on.mean() < 0.5
    assert (active_frames(rule, len(x)) == on).all()
