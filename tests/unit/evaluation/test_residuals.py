"""Errors of outputs that stand for other frames than the next, told by their numbers."""

import numpy as np
import pytest

from rnn_edge.evaluation import Detector, DetectorConfig
from rnn_edge.evaluation.anomaly import first_scored
from rnn_edge.evaluation.detections import AlarmRule
from rnn_edge.evaluation.residuals import left_out_residuals, residuals
from rnn_edge.types.frames import FrameSequence
from rnn_edge.types.offsets import lag_of, output_labels

OFFSETS = (2, -1, 0, 1)


def test_an_output_is_compared_with_the_frame_that_it_stands_for():
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(12, 2)), generator.normal(size=(12, 8))
    found = residuals(x, y, OFFSETS)
    assert found.shape == (12, 8)
    for t in range(12):
        for k, offset in enumerate(OFFSETS):
            for d in range(2):
                # The sample that the error is of, and when it was spoken of.
                sample, said = (t, t - offset) if offset > 0 else (t + offset, t)
                is_known = sample >= 0 and said >= 0
                wanted = x[sample, d] - y[said, 2 * k + d] if is_known else 0.0
                assert found[t, 2 * k + d] == wanted


def test_the_newest_of_a_window_stand_last():
    x = np.arange(20.0).reshape(4, 5)
    assert (residuals(x, np.zeros((4, 4)), (0, -1))[3] == [18, 19, 13, 14]).all()


def test_a_perfect_model_has_no_error():
    x = np.random.default_rng(1).normal(size=(30, 3))
    moved = [np.roll(x, -offset, axis=0) for offset in (1, 3, 0, -2)]
    found = residuals(x, np.concatenate(moved, axis=1), (1, 3, 0, -2))
    assert np.abs(found[lag_of((1, 3, 0, -2)) :]).max() == 0.0


def test_a_recording_shorter_than_the_lag_has_nothing_to_compare():
    assert (residuals(np.ones((2, 1)), np.zeros((2, 1)), (5,)) == 0.0).all()
    assert left_out_residuals(np.ones((2, 1), bool), (-5,)).sum() == 0


def test_what_does_not_count_is_told_by_the_sample():
    left_out = np.zeros((5, 2), bool)
    left_out[1, 0] = True
    found = left_out_residuals(left_out, (1, 0, -2))
    # A forecast and the newest are compared with frame 1 itself, the third at frame 3.
    assert np.argwhere(found).tolist() == [[1, 0], [1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("offsets", "warmup", "first"),
    [((1,), 10, 11), ((0,), 10, 11), ((0, -1, -2), 0, 2), ((4,), 0, 4), ((-7, 2), 3, 7)],
)
def test_the_first_score_has_all_residuals(offsets, warmup, first):
    assert first_scored(DetectorConfig(warmup_frames=warmup), offsets) == first


def test_outputs_are_named_by_their_frames():
    assert output_labels(("a", "b"), (1,)) == ("a", "b")
    assert output_labels(("a", "b"), (2, 0, -3)) == (
        "a t+2", "b t+2", "a t", "b t", "a t-3", "b t-3",
    )  # fmt: skip


@pytest.mark.parametrize("score", ["variance", "covariance"])
@pytest.mark.parametrize("size", [1, 5, 400])
def test_a_stream_is_scored_as_a_recording(score, size):
    generator = np.random.default_rng(3)
    x = generator.normal(size=(400, 2)).astype(np.float32)
    y = generator.normal(size=(400, 8)).astype(np.float32)
    left_out = generator.random((400, 2)) < 0.05
    config = DetectorConfig(score=score, warmup_frames=4, least_frames=2, release_frames=3)
    recording = FrameSequence("one", x, -1, None, "test", skipped=left_out)
    detector = Detector.fit(config, lambda _: y[None], [recording], OFFSETS)
    (wanted,) = detector.scores(lambda _: y[None], [recording])
    rule = AlarmRule(detector)
    parts = [
        rule.update(x[k : k + size], y[k : k + size], left_out[k : k + size])
        for k in range(0, 400, size)
    ]
    np.testing.assert_allclose(np.concatenate([p.scores for p in parts]), wanted, rtol=1e-9)
    alarms = np.concatenate([p.detections for p in parts])
    assert (alarms == detector.alarms(wanted)).all()
    stepped = AlarmRule(detector)
    found = [stepped.step(*row) for row in zip(x, y, left_out, strict=True)]
    np.testing.assert_allclose([s for _, _, s in found], wanted, rtol=1e-9)
    assert [a for _, a, _ in found] == alarms.tolist()


def test_behind_a_gap_nothing_is_remembered_but_an_alarm():
    detector = Detector(DetectorConfig(warmup_frames=2), np.ones(2), 0.5, (0, -1))
    rule, fresh = AlarmRule(detector), AlarmRule(detector)
    loud, calm = np.full((30, 1), 5.0), np.zeros((30, 1))
    assert rule.update(loud, np.zeros((30, 2))).detections[-1] == 1
    rule.restart()
    behind, wanted = (each.update(calm, np.zeros((30, 2))) for each in (rule, fresh))
    assert (behind.scores == wanted.scores).all()
    # The score is zero at once, so that the alarm is over with the first frame.
    assert not behind.detections.any()
