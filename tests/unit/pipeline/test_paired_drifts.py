"""Two drifts on the same frames are compared in pairs of stretches."""

import numpy as np
import pytest

from rnn_edge.pipeline.pairing import FEWEST, KEY, paired, ratio_of_roots
from rnn_edge.types.drift_measures import find_measure


def related(generator, count=64):
    """Mean squares of two errors that rise and fall with the same frames; their ratio is 1.21."""
    hard = generator.lognormal(0.0, 0.8, count)
    ours, theirs = (hard * generator.lognormal(-0.005, 0.1, count) for _ in range(2))
    return 1.21 * ours, theirs


def test_the_interval_of_a_ratio_holds_its_value_as_often_as_it_says():
    generator = np.random.default_rng(5)
    found = [ratio_of_roots(*related(generator)) for _ in range(400)]
    # In 400 trials, 95 % has a standard error of 1.1 %; few stretches cost a little more.
    share = np.mean([each.low <= 1.1 <= each.high for each in found])
    assert 0.90 <= share <= 0.985
    assert np.median([each.high - each.low for each in found]) < 0.06


def test_pairs_tell_what_both_intervals_together_do_not():
    ours, theirs = related(np.random.default_rng(6))
    assert ratio_of_roots(ours, theirs).low > 1.0
    # The same stretches in another order are not pairs any more.
    apart = ratio_of_roots(ours, np.random.default_rng(7).permutation(theirs))
    assert apart.low < 1.0


def test_no_error_has_no_ratio():
    assert ratio_of_roots([0.0] * 8, [1.0] * 8) is None
    assert ratio_of_roots([1.0] * 8, [0.0] * 8) is None


@pytest.mark.parametrize(
    ("ours", "theirs"), [([1.0] * 8, [1.0] * 9), ([1.0] * (FEWEST - 1),) * 2, ([], [])]
)
def test_other_stretches_are_no_pairs(ours, theirs):
    measure, tensor = find_measure("hidden_rms")
    assert paired(measure, tensor, {KEY: {"hidden": ours}}, {KEY: {"hidden": theirs}}) is None
    assert paired(measure, tensor, {}, {KEY: {"hidden": theirs}}) is None


def test_each_measure_has_its_own_stretches():
    stretches = {
        "hidden": [4.0] * 8,
        "h0": [9.0] * 8,
        "y": [16.0] * 8,
        "decisions": [0.003] * 8,
        "detections": [0.002] * 8,
    }
    ones = {KEY: {name: [1.0] * 8 for name in ("hidden", "h0", "y")}}
    ones[KEY] |= {"decisions": [0.001] * 8, "detections": [0.001] * 8}
    expected = {
        "hidden_rms": 2.0,
        "gain": 2.0,
        "state.h0.rms": 3.0,
        "state.h0.relative": 3.0,
        "state.h0.gain": 3.0,
        "y.rms": 4.0,
        "frame_agreement": 0.002,
        "detection_agreement": 0.001,
    }
    ours = {KEY: stretches, **counts(8000, 24, 16)}
    theirs = {**ones, **counts(8000, 8, 8)}
    for name, value in expected.items():
        found = paired(*find_measure(name), ours, theirs)
        assert found.value == pytest.approx(value), name
    assert paired(*find_measure("missed_events"), ours, theirs) is None


def counts(steps, frames, detections):
    return {"steps": steps, "decisions": {"flips": frames}, "detections": {"flips": detections}}


@pytest.mark.parametrize(("steps", "half"), [(1000, 0.00196), (100_000, 0.0000196)])
def test_no_difference_seen_is_not_none_at_all(steps, half):
    same = {KEY: {"detections": [0.0] * 64}, **counts(steps, 0, 0)}
    found = paired(*find_measure("detection_agreement"), same, same)
    assert found.value == 0.0
    assert (-found.low, found.high) == pytest.approx((half, half), rel=0.01)


def test_the_interval_of_more_flips_holds_it_as_often_as_it_says():
    generator = np.random.default_rng(8)
    hits = 0
    for _ in range(400):
        flips = [generator.random((64, 100)) < share for share in (0.004, 0.003)]
        ours, theirs = (
            {KEY: {"detections": each.mean(axis=1)}, **counts(6400, 0, int(each.sum()))}
            for each in flips
        )
        found = paired(*find_measure("detection_agreement"), ours, theirs)
        hits += found.low <= 0.001 <= found.high
    assert 0.91 <= hits / 400 <= 0.99
