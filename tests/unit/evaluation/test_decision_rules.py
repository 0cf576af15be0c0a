"""Decisions on a stream that comes in chunks are those on all of it."""

import numpy as np
import pytest

from rnn_edge.evaluation.anomaly import Detector, DetectorConfig
from rnn_edge.evaluation.detections import AlarmRule, KeywordRule
from rnn_edge.types.frames import FrameSequence

LABELS = ("yes", "no", "unknown", "silence")


def in_chunks(rule, frames, outputs, size):
    parts = [
        rule.update(frames[k : k + size], outputs[k : k + size])
        for k in range(0, len(outputs), size)
    ]
    return [
        np.concatenate([getattr(p, n) for p in parts]) for n in ("frames", "detections", "scores")
    ]


@pytest.mark.parametrize("size", [1, 7, 500])
def test_keywords_are_detected_by_their_mean_probability(size):
    outputs = np.random.default_rng(1).normal(size=(500, 4)) * 3
    rule = KeywordRule(LABELS, "linear", smoothing_frames=5, threshold=0.4)
    labels, detections, scores = in_chunks(rule, outputs, outputs, size)
    odds = np.exp(outputs)
    probability = odds / odds.sum(axis=1, keepdims=True)
    for t in range(500):
        recent = probability[max(0, t - 4) : t + 1, :2].sum(axis=0) / 5
        assert scores[t] == pytest.approx(recent.max())
        assert detections[t] == (1 + recent.argmax() if recent.max() >= 0.4 else 0)
    assert (labels == outputs.argmax(axis=1)).all()
    assert len(set(detections)) == 3


def test_outputs_of_a_softmax_are_probabilities_already():
    outputs = np.array([[0.7, 0.1, 0.1, 0.1]])
    found = KeywordRule(LABELS, "softmax", 1, 0.5).update(outputs, outputs)
    assert found.scores[0] == pytest.approx(0.7)
    assert found.detections[0] == 1


def test_the_label_of_other_words_is_never_detected():
    outputs = np.array([[0.0, 0.0, 9.0, 0.0]])
    found = KeywordRule(LABELS, "linear", 1, 0.5).update(outputs, outputs)
    assert found.frames[0] == 2
    assert found.detections[0] == 0


@pytest.mark.parametrize("size", [1, 13, 300, 2000])
def test_alarms_are_those_of_the_detector(size):
    generator = np.random.default_rng(2)
    frames = generator.normal(size=(2000, 3)).astype(np.float32)
    frames[900:1000] += 4.0
    outputs = 0.1 * generator.normal(size=(2000, 3)).astype(np.float32)
    detector = Detector(DetectorConfig(), np.array([1.0, 2.0, 0.5]), 1.6)
    recording = FrameSequence("one", frames, -1, None, "test")
    (expected,) = detector.scores(lambda x: outputs[None], [recording])
    _, alarms, scores = in_chunks(AlarmRule(detector), frames, outputs, size)
    assert scores == pytest.approx(expected)
    assert (alarms == detector.alarms(expected)).all()
    assert 0 < alarms.sum() < 2000
