import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_edge.evaluation.statistics import average_precision, bootstrap_interval, wilson_interval


@pytest.mark.parametrize(
    ("successes", "trials", "expected"),
    [
        # Newcombe 1998, Statistics in Medicine 17, table I, method 3 (score).
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
    ],
)
def test_wilson_intervals_as_published(successes, trials, expected):
    assert wilson_interval(successes, trials) == pytest.approx(expected, abs=5e-5)


def test_wilson_intervals_as_scipy_has_them():
    stats = pytest.importorskip("scipy.stats")
    for trials in (1, 2, 7, 80, 4890):
        for successes in {0, 1, trials // 3, trials - 1, trials}:
            wanted = stats.binomtest(successes, trials).proportion_ci(method="wilson")
            found = wilson_interval(successes, trials)
            assert found == pytest.approx((wanted.low, wanted.high), abs=1e-12)


def test_nothing_tried_says_nothing():
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_average_precision_by_hand():
    scores = np.array([0.9, 0.8, 0.7, 0.6])
    # Hits at ranks 1 and 3: (1/2)(1/1) + (1/2)(2/3).
    assert average_precision(scores, np.array([1, 0, 1, 0], bool)) == pytest.approx(5 / 6)
    assert average_precision(scores, np.array([1, 1, 0, 0], bool)) == 1.0
    assert average_precision(scores, np.array([0, 0, 0, 1], bool)) == pytest.approx(1 / 4)
    # Without order there is one threshold: the share of positives.
    assert average_precision(np.ones(4), np.array([1, 0, 0, 0], bool)) == 0.25
    assert math.isnan(average_precision(scores, np.zeros(4, bool)))


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=30))
def test_average_precision_by_trying_every_threshold(pairs):
    scores = np.array([float(s) for s, _ in pairs])
    positive = np.array([p for _, p in pairs])
    if not positive.any():
        return
    total = recall = 0.0
    for threshold in sorted(set(scores), reverse=True):
        alarm = scores >= threshold
        hits = (alarm & positive).sum()
        total += (hits / positive.sum() - recall) * hits / alarm.sum()
        recall = hits / positive.sum()
    assert average_precision(scores, positive) == pytest.approx(total)


def test_bootstrap_draws_whole_groups():
    values = np.random.default_rng(0).normal(5.0, 2.0, 400)
    low, high = bootstrap_interval(400, lambda rows: float(values[rows].mean()))
    # For a mean, the percentile interval is nearly mean +- 1.96 standard errors.
    error = 1.96 * values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - error, values.mean() + error), abs=0.03)
    again = bootstrap_interval(400, lambda rows: float(values[rows].mean()))
    assert again == (low, high)
    assert bootstrap_interval(1, lambda rows: float(len(rows))) == (1.0, 1.0)
