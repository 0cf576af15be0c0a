"""Intervals, against published ones, those of scipy, and the share of them that holds the mean."""

import numpy as np
import pytest
from scipy import stats
from scipy.signal import lfilter

from rnn_edge.statistics import (
    bootstrap_interval,
    independent_mean,
    pooled_mean,
    related_mean,
    student_quantile,
    wilson_interval,
)
from rnn_edge.types.drift import Estimate


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
    for trials in (1, 2, 7, 80, 4890):
        for successes in {0, 1, trials // 3, trials - 1, trials}:
            wanted = stats.binomtest(successes, trials).proportion_ci(method="wilson")
            found = wilson_interval(successes, trials)
            assert found == pytest.approx((wanted.low, wanted.high), abs=1e-12)


def test_nothing_tried_says_nothing():
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_bootstrap_draws_whole_groups():
    values = np.random.default_rng(0).normal(5.0, 2.0, 400)
    low, high = bootstrap_interval(400, lambda rows: float(values[rows].mean()))
    # For a mean, the percentile interval is nearly mean +- 1.96 standard errors.
    error = 1.96 * values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - error, values.mean() + error), abs=0.03)
    again = bootstrap_interval(400, lambda rows: float(values[rows].mean()))
    assert again == (low, high)
    assert bootstrap_interval(1, lambda rows: float(len(rows))) == (1.0, 1.0)


@pytest.mark.parametrize("freedom", [1, 2, 3, 7, 30, 31, 61, 1000, 10_000])
def test_the_quantile_is_that_of_students_t(freedom):
    exact = stats.t.ppf(0.975, freedom)
    assert student_quantile(freedom) == pytest.approx(exact, abs=1e-3)


def test_the_interval_of_a_mean_holds_it_as_often_as_it_says_for_related_values():
    generator = np.random.default_rng(5)
    hits = 0
    for _ in range(400):
        values = np.convolve(generator.normal(size=64), [1.0, 0.5])[:64]
        interval = related_mean(values)
        hits += interval.low <= 0.0 <= interval.high
    assert 0.90 <= hits / 400 <= 0.98


def test_the_interval_of_a_mean_is_as_wide_as_strongly_related_values_ask_for():
    """A short stream of a slow state: without their relation it would hold 72 % of the means."""
    generator = np.random.default_rng(6)
    hits = 0
    for _ in range(400):
        noise = generator.normal(size=264)
        values = lfilter([1.0], [1.0, -0.8], noise)[200:]
        interval = related_mean(values)
        hits += interval.low <= 0.0 <= interval.high
    assert 0.87 <= hits / 400 <= 0.98
    assert related_mean(np.full(64, 3.0)) == Estimate(3.0, 3.0, 3.0)


def test_parts_weigh_by_what_they_hold():
    parts = [(100, Estimate(1.0, 0.9, 1.2)), (300, Estimate(2.0, 1.6, 2.1))]
    pooled = pooled_mean(parts)
    assert pooled.value == pytest.approx(1.75)
    assert pooled.value - pooled.low == pytest.approx(np.hypot(0.25 * 0.1, 0.75 * 0.4))
    assert pooled.high - pooled.value == pytest.approx(np.hypot(0.25 * 0.2, 0.75 * 0.1))


def test_intervals_hold_the_mean_of_normal_values_as_often_as_they_say():
    rng = np.random.default_rng(0)
    for count in (3, 16, 60):
        found = [independent_mean(rng.normal(size=count)) for _ in range(2000)]
        share = np.mean([each.low <= 0 <= each.high for each in found])
        assert share == pytest.approx(0.95, abs=0.015)
    assert independent_mean(np.array([2.0])) == Estimate(2.0, 2.0, 2.0)
