"""Detections in streams are counted as they are defined."""

import math

import numpy as np
import pytest

from rnn_edge.evaluation.keyword_streams import Detection
from rnn_edge.evaluation.streaming import (
    FrameClock,
    HeardStream,
    TrueWord,
    judge,
    poisson_interval,
    together,
)

CLOCK = FrameClock(0.02, 0.03)
WORDS = (TrueWord(0, 1.0, 1.5), TrueWord(1, 3.0, 3.4), TrueWord(0, 6.0, 6.5))


def stream(words=WORDS, seconds=10.0):
    return HeardStream("noise", 10.0, np.zeros((500, 3), np.int16), words, seconds)


def step_at(time_s):
    return round((time_s - CLOCK.window_s) / CLOCK.hop_s)


def test_words_and_detections_are_matched():
    begun = [
        Detection(step_at(0.5), 1),  # before any word
        Detection(step_at(1.59), 0),  # the first word
        Detection(step_at(1.99), 0),  # once more
        Detection(step_at(3.21), 0),  # another keyword than the one that is spoken
        Detection(step_at(3.41), 1),  # the second word
        Detection(step_at(7.41), 0),  # too late for the third one
    ]
    found = judge(stream(), begun, CLOCK)
    assert found.missed == 1
    assert (found.confused, found.repeated, found.elsewhere) == ((0,), (0,), (1, 0))
    assert found.delays_s[:2] == (pytest.approx(0.09), pytest.approx(0.01))
    assert math.isnan(found.delays_s[2])
    row = found.to_json()
    assert (row["words"], row["missed"], row["miss_rate"]) == (3, 1, pytest.approx(1 / 3))
    assert row["false_accepts_per_hour"] == pytest.approx(4 * 360)
    assert row["delay_median_s"] == pytest.approx(0.05)


def test_several_streams_are_one():
    one = judge(stream(), [Detection(step_at(1.2), 0)], CLOCK)
    none = judge(stream((), 26.0), [Detection(5, 2)], CLOCK)
    whole = together([one, none])
    assert (whole.seconds, whole.missed, whole.false_accepts) == (36.0, 2, 1)
    assert whole.per_hour == pytest.approx(100.0)
    assert none.to_json()["miss_rate"] is None
    assert none.to_json()["delay_median_s"] is None


def test_a_frame_is_complete_with_its_last_sample():
    assert CLOCK.time_s(0) == 0.03
    assert CLOCK.time_s(50) == pytest.approx(1.03)
    span = CLOCK.steps(1.0, 1.1, 500)
    times = [CLOCK.time_s(k) for k in range(500)]
    assert list(range(500))[span] == [k for k in range(500) if 1.0 <= times[k] <= 1.1]
    assert CLOCK.steps(-1.0, 0.0, 500) == slice(0, 0)
    assert CLOCK.steps(9.9, 99.0, 500).stop == 500


@pytest.mark.parametrize(
    ("count", "low", "high"), [(0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.39)]
)
def test_intervals_of_counts_are_the_exact_ones(count, low, high):
    assert poisson_interval(count) == pytest.approx((low, high), rel=1e-3)
