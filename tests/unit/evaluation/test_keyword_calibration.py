"""Limits keep to the wanted rate, on material that they were not chosen on too."""

from dataclasses import replace

import numpy as np
import pytest

from rnn_edge.errors import DataError
from rnn_edge.evaluation.keyword_calibration import CalibrationRequest, calibrate, moved
from rnn_edge.evaluation.keyword_streams import detections
from rnn_edge.evaluation.streaming import FrameClock, HeardStream, TrueWord, judge, together
from rnn_edge.reference.decisions import keyword_numbers

CLOCK = FrameClock(0.02, 0.02)
LABELS = ("yes", "no", "unknown")
FULL = 32767


def probabilities(rng, count):
    """What a model gives that hears nothing, or now and then half a word."""
    p = rng.beta(1.0, 12.0, (count, 3))
    for at in rng.integers(0, count - 10, count // 250):
        p[at : at + 6, int(rng.integers(2))] = rng.beta(2.0, 2.0)
    return p


def stream(seed, words, minutes):
    rng = np.random.default_rng(seed)
    count = round(minutes * 3000)
    p = probabilities(rng, count)
    spoken = []
    for at in np.linspace(100, count - 100, words).astype(int) if words else ():
        label = int(rng.integers(2))
        # "yes" is heard long and well, "no" is short.
        length, level = ((30, 0.97), (10, 0.9))[label]
        p[at : at + length, label] = level + rng.normal(0, 0.02, length)
        spoken.append(TrueWord(label, (at - 5) * 0.02, (at + length) * 0.02))
    p = (p.clip(0, 1) * FULL).astype(np.int16)
    return HeardStream("noise", 10.0 if words else None, p, tuple(spoken), count * 0.02)


def halves(seed=0):
    return [[stream(seed + 10 * k, 60, 4), stream(seed + 10 * k + 1, 0, 10)] for k in range(2)]


def rule():
    return keyword_numbers(LABELS, "softmax", -15, 15, 0.5, 0.8)


def outcome(numbers, streams):
    begun = detections([numbers], [s.probabilities for s in streams])[0]
    return together(judge(s, d, CLOCK) for s, d in zip(streams, begun, strict=True))


@pytest.mark.slow
def test_limits_keep_to_the_wanted_rate_on_other_sound():
    request = CalibrationRequest(LABELS, CLOCK, 12.0, 0.8)
    found = calibrate(request, rule(), halves())
    assert found.background.per_hour <= 12.0
    assert found.rise >= 0.0
    assert found.keywords[2] is None
    own = replace(rule(), keywords=found.keywords)
    unseen = [stream(99, 100, 6), stream(98, 0, 60)]
    ours = outcome(own, unseen)
    assert outcome(own, unseen[1:]).per_hour < 24.0
    assert ours.missed < 0.1 * len(ours.labels)
    frames = [each.frames for each in found.keywords if each is not None]
    assert max(frames) <= 25
    strict = calibrate(CalibrationRequest(LABELS, CLOCK, 6.0, 0.8), rule(), halves())
    assert strict.background.per_hour <= 6.0


def test_a_rate_that_the_material_cannot_tell_is_refused():
    with pytest.raises(DataError, match=r"not even one would be allowed"):
        calibrate(CalibrationRequest(LABELS, CLOCK, 1.0, 0.8), rule(), halves())


def test_thresholds_move_in_log_odds():
    up = moved(rule(), 1.0).keywords[0]
    odds = up.threshold / (up.frames * 32768.0 - up.threshold)
    assert odds == pytest.approx(np.e, rel=1e-3)
    assert up.release / up.threshold == pytest.approx(0.8, abs=1e-4)
    assert moved(rule(), 0.0) == rule()
    assert moved(rule(), 99.0).keywords[0].threshold < 15 * 32768
    assert moved(rule(), 1.0).keywords[2] is None
