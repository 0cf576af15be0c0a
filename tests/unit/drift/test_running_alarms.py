"""False alarms of two engines, against counts that are made frame by frame."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_edge.drift.alarms import NEAR, RunningAlarms
from rnn_edge.streams import Chunk
from rnn_edge.streams.base import ANOMALOUS, NORMAL, UNLABELLED
from rnn_edge.types.decisions import Decided

THRESHOLD = 1.0


def decided(scores):
    scores = np.asarray(scores, np.float64)
    alarms = (scores > THRESHOLD).astype(np.int64)
    return Decided(alarms, alarms, scores)


def measured(expected, actual, labels, starts=(0,), settling=0, size=10_000):
    """Return what is found of a stream that comes in chunks of a size."""
    sums = RunningAlarms(THRESHOLD, settling)
    labels, starts = np.asarray(labels, np.int8), np.asarray(starts, np.int64)
    for first in range(0, len(labels), size):
        part = slice(first, first + size)
        own = starts[(starts >= first) & (starts < first + size)] - first
        chunk = Chunk(np.zeros((len(labels[part]), 1), np.float32), own, labels[part])
        sums.add(first, chunk, decided(expected[part]), decided(actual[part]))
    sums.close()
    return sums


def by_hand(scores, labels, starts, settling):
    """Return frames that count, those of them in alarm, and false alarms counted once."""
    since, counted = 0, []
    for t, label in enumerate(labels):
        since = 0 if t in starts else since + 1
        counted.append(label == NORMAL and since >= settling)
    false = sum(c and s > THRESHOLD for c, s in zip(counted, scores, strict=True))
    events, t = 0, 0
    while t < len(labels):
        end = t
        while end < len(labels) and scores[end] > THRESHOLD:
            end += 1
        run = range(t, end)
        events += any(counted[k] for k in run) and not any(labels[k] == ANOMALOUS for k in run)
        t = max(end, t + 1)
    return sum(counted), false, events


frame = st.tuples(
    st.sampled_from([0.5, 1.5]),
    st.sampled_from([0.5, 1.5]),
    st.sampled_from([UNLABELLED, NORMAL, NORMAL, ANOMALOUS]),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(frame, min_size=1, max_size=60),
    st.sets(st.integers(1, 59), max_size=4),
    st.integers(0, 5),
    st.integers(1, 20),
)
def test_counts_are_those_by_hand_whatever_the_chunks(frames, starts, settling, size):
    expected, actual, labels = zip(*frames, strict=True)
    at = sorted({0, *(s for s in starts if s < len(labels))})
    found = measured(expected, actual, labels, at, settling, size).result()
    normal, false, events = by_hand(expected, labels, at, settling)
    _, own_false, own_events = by_hand(actual, labels, at, settling)
    assert (found.normal_frames, found.reference_false, found.engine_false) == (
        normal,
        false,
        own_false,
    )
    assert (found.reference_events, found.engine_events) == (events, own_events)


def test_the_change_is_a_share_of_the_references_with_an_interval():
    generator = np.random.default_rng(3)
    expected = generator.random(100_000) * 1.02
    # One frame in a thousand more is in alarm.
    actual = np.where(generator.random(100_000) < 0.001, 2.0, expected)
    found = measured(expected, actual, np.full(100_000, NORMAL)).result()
    share = found.engine_false / found.reference_false - 1.0
    assert found.change.value == pytest.approx(share)
    assert share == pytest.approx(0.05, abs=0.01)
    assert 0.02 < found.change.low < 0.049 < found.change.value < found.change.high < 0.08


def test_merged_streams_add_up():
    generator = np.random.default_rng(4)
    parts = []
    for steps in (30_000, 60_000):
        expected = generator.random(steps) * 1.05
        actual = expected + 0.001
        parts.append(measured(expected, actual, np.full(steps, NORMAL)))
    singles = [part.result() for part in parts]
    parts[0].merge(parts[1])
    both = parts[0].result()
    assert both.normal_frames == 90_000
    assert both.engine_false == sum(each.engine_false for each in singles)
    assert both.change.value == pytest.approx(both.engine_false / both.reference_false - 1.0)
    ends = [(each.change.low, each.change.high) for each in singles]
    assert min(low for low, _ in ends) < both.change.low < both.change.value
    assert both.change.value < both.change.high < max(high for _, high in ends)


def test_scores_are_compared_as_a_whole_and_near_the_threshold():
    expected = np.array([3.0, 1.0 + 0.9 * NEAR, 1.0 - 0.9 * NEAR, 0.0])
    actual = expected + np.array([0.4, 0.03, -0.03, 0.0])
    found = measured(expected, actual, np.full(4, NORMAL)).result()
    assert found.frames_at_threshold == 2
    assert found.score_at_threshold == pytest.approx(0.03)
    whole = np.sqrt(np.square(actual - expected).sum() / np.square(expected).sum())
    assert found.score_relative == pytest.approx(whole)


@pytest.mark.parametrize(
    ("expected", "actual", "change"), [(0.5, 0.5, 0.0), (0.5, 1.5, None), (1.5, 0.5, -1.0)]
)
def test_without_a_false_alarm_of_the_reference_there_is_no_ratio(expected, actual, change):
    labels = np.full(1000, NORMAL)
    found = measured(np.full(1000, expected), np.full(1000, actual), labels).result()
    assert (found.change.value if found.change else None) == change
    assert found.event_change == change
