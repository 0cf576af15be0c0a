"""Running sums say what the whole traces say, whatever the chunks and however many the streams."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_edge.drift.decisions import RunningDecisions
from rnn_edge.drift.running import RunningError
from rnn_edge.types.decisions import Decided

STEPS, UNITS = 3000, 5


def errors(seed, steps=STEPS):
    generator = np.random.default_rng(seed)
    expected = generator.normal(size=(steps, UNITS))
    return expected, expected + 0.01 * generator.normal(size=(steps, UNITS)) * [1, 2, 3, 4, 5]


def running(expected, actual, size):
    sums = RunningError("h0", UNITS)
    for first in range(0, len(expected), size):
        part = slice(first, first + size)
        sums.add(first, expected[part], actual[part])
    return sums


@pytest.mark.parametrize("size", [1, 37, 4096])
def test_the_figures_are_those_of_the_whole_trace(size):
    expected, actual = errors(1)
    found = running(expected, actual, size).result()
    error = actual - expected
    assert found.rms.value == pytest.approx(np.sqrt(np.mean(error**2)))
    assert found.maximum == pytest.approx(np.abs(error).max())
    assert found.relative == pytest.approx(
        np.sqrt(np.mean(error**2)) / np.sqrt(np.mean(expected**2))
    )
    assert found.unit_rms == pytest.approx(np.sqrt(np.mean(error**2, axis=0)))
    start = 0
    for point, heat in zip(found.curve, found.heat, strict=True):
        part = error[start : point.step]
        assert point.rms == pytest.approx(np.sqrt(np.mean(part**2)))
        assert heat == pytest.approx(np.sqrt(np.mean(part**2, axis=0)))
        per_step = np.sqrt(np.mean(part**2, axis=1))
        low, high = np.quantile(per_step, [0.05, 0.95], method="inverted_cdf")
        assert (point.low, point.high) == pytest.approx((low, high), rel=0.065)
        start = point.step
    assert start == STEPS


def test_the_figures_do_not_depend_on_the_chunks():
    expected, actual = errors(2)
    one, other = (running(expected, actual, size).result() for size in (64, 999))
    assert one.rms.value == pytest.approx(other.rms.value)
    assert one.trend.slope.value == pytest.approx(other.trend.slope.value)
    assert [point.step for point in one.curve] == [point.step for point in other.curve]


def test_merged_streams_weigh_by_their_steps():
    first, second = errors(3), errors(4, 1000)
    merged = running(*first, 500)
    merged.merge(running(*second, 500))
    squares = np.concatenate([np.square(a - e) for e, a in (first, second)])
    assert merged.result().rms.value == pytest.approx(np.sqrt(squares.mean()))


def plateau(seed, steps, level):
    generator = np.random.default_rng(seed)
    expected = np.zeros((steps, UNITS))
    return running(expected, level * generator.normal(size=(steps, UNITS)), 4096)


def test_streams_of_two_lengths_and_levels_are_no_growth():
    """Behind the end of the short stream only the long one is left: that is no drift."""
    merged = plateau(6, 10_000, 0.1)
    merged.merge(plateau(7, 40_000, 1.0))
    found = merged.result()
    assert found.trend.verdict == "plateau"
    assert abs(found.trend.slope.value) < 0.02
    # Known to a few parts in a thousand, and not as badly as the two levels differ.
    exact = np.sqrt((0.1**2 + 4.0) / 5.0)
    assert found.rms.low < exact < found.rms.high
    assert found.rms.high - found.rms.low < 0.01 * exact


def test_a_stream_far_shorter_than_the_others_leaves_the_trend_undecided():
    merged = plateau(8, 300, 0.1)
    merged.merge(plateau(9, 400_000, 1.0))
    found = merged.result()
    assert found.trend.verdict == "undecided"
    assert found.rms.low < found.rms.value < found.rms.high


def test_streams_of_one_length_have_the_interval_of_independent_ones():
    singles = [plateau(seed, 4000, 1.0).result().rms for seed in range(4)]
    merged = plateau(0, 4000, 1.0)
    for seed in range(1, 4):
        merged.merge(plateau(seed, 4000, 1.0))
    found = merged.result().rms
    width = np.mean([each.high - each.low for each in singles])
    assert found.high - found.low == pytest.approx(width / 2.0, rel=0.15)


def test_the_curve_of_merged_streams_ends_where_the_longest_does():
    merged = running(*errors(3), 500)
    merged.merge(running(*errors(4, 1000), 500))
    merged.merge(running(*errors(5, 500), 500))
    alone = running(*errors(3), 500).result()
    assert [p.step for p in merged.result().curve] == [p.step for p in alone.curve]
    assert merged.result().curve[-1].step == STEPS


def test_flips_of_streams_of_two_lengths_have_an_interval():
    def sums(steps):
        own, other = np.zeros(steps, int), np.zeros(steps, int)
        other[::50] = 1
        found = RunningDecisions("by frame", "after smoothing")
        found.add(0, decided(own), decided(other))
        found.close()
        return found

    merged = sums(256)
    merged.merge(sums(100_000))
    agreement = merged.result()[0].agreement
    assert agreement.value == pytest.approx(0.98, abs=1e-3)
    assert 0.97 < agreement.low < agreement.value < agreement.high < 0.99


def test_an_engine_that_is_the_reference_has_no_error():
    expected, _ = errors(5)
    found = running(expected, expected, 512).result()
    assert found.rms.value == found.rms.high == found.maximum == 0.0
    assert found.trend.verdict == "plateau"
    assert all(point.high == 0.0 for point in found.curve)


def decided(labels, scores=None):
    labels = np.asarray(labels, np.int64)
    return Decided(labels, labels, np.zeros(len(labels)) if scores is None else scores)


def counted(own, other, size):
    sums = RunningDecisions("by frame", "after smoothing")
    for first in range(0, len(own), size):
        part = slice(first, first + size)
        sums.add(first, decided(own[part]), decided(other[part]))
    sums.close()
    return sums.result()


def events_of(own, other):
    """Return how many runs there are, and how many the other side never agrees with."""
    events = missed = 0
    start = 0
    while start < len(own):
        end = start
        while end < len(own) and own[end] == own[start]:
            end += 1
        if own[start]:
            events += 1
            missed += not any(other[t] == own[start] for t in range(start, end))
        start = end
    return events, missed


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=60),
    st.integers(1, 20),
)
def test_events_are_counted_once_across_chunks(pairs, size):
    own, other = [a for a, _ in pairs], [b for _, b in pairs]
    frames, detections = counted(own, other, size)
    differing = [t for t, (a, b) in enumerate(pairs) if a != b]
    assert frames.flips == len(differing)
    assert frames.first_flip == (differing[0] if differing else None)
    assert (detections.reference_events, detections.missed_events) == events_of(own, other)
    assert (detections.engine_events, detections.extra_events) == events_of(other, own)
    assert frames.agreement.low <= frames.agreement.value <= frames.agreement.high <= 1.0


def test_flips_that_come_together_widen_the_interval():
    reference = np.zeros(6400, np.int64)
    scattered, together = reference.copy(), reference.copy()
    scattered[::100] = 1
    together[3000:3064] = 1
    wide, narrow = (counted(reference, flips, 640)[0].agreement for flips in (together, scattered))
    assert wide.value == narrow.value
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_no_flip_seen_is_not_none_at_all():
    agreement = counted(np.zeros(1000, int), np.zeros(1000, int), 100)[0].agreement
    assert agreement.value == agreement.high == 1.0
    assert 0.995 < agreement.low < 0.997
