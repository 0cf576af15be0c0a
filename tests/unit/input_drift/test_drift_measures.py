"""Distances and probabilities against scipy and against sums worked out by hand."""

import numpy as np
import pytest
from autoregressive import autoregressive

from rnn_edge.input_drift.autocorrelation import correlation_times
from rnn_edge.input_drift.measures import holm, joint_frames, kolmogorov_p, psi, psi_by_chance
from rnn_edge.input_drift.reference import InputReference

stats = pytest.importorskip("scipy.stats")


def reference_of(*sequences):
    names = [f"f{k}" for k in range(sequences[0].shape[1])]
    return InputReference.fit(sequences, names, exponent=-12, frame_rate_hz=1.0)


def test_the_index_is_the_sum_of_its_bins():
    expected, actual = np.array([0.5, 0.5]), np.array([0.9, 0.1])
    assert psi(expected, actual, 1e12) == pytest.approx(0.4 * np.log(1.8) - 0.4 * np.log(0.2))
    assert psi(expected, expected, 10.0) == 0.0
    # Half a frame in each of two bins of ten: (9 + 0.5) / 11 and (1 + 0.5) / 11.
    a, b = 9.5 / 11, 1.5 / 11
    wanted = (a - 0.5) * np.log(a / 0.5) + (b - 0.5) * np.log(b / 0.5)
    assert psi(expected, actual, 10.0) == pytest.approx(wanted)


def test_an_empty_bin_has_a_finite_index_and_one_that_is_empty_twice_adds_nothing():
    one, other = np.array([0.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0])
    assert 1.0 < psi(one, other, 100.0) < 20.0
    full = psi(np.array([0.5, 0.5]), np.array([0.9, 0.1]), 1e9)
    assert psi(np.array([0.5, 0.5, 0.0]), np.array([0.9, 0.1, 0.0]), 1e9) == pytest.approx(full)


def test_the_index_of_undrifted_frames_is_about_what_chance_gives():
    generator = np.random.default_rng(0)
    expected = np.full(10, 0.1)
    found = [psi(expected, generator.multinomial(200, expected) / 200, 200.0) for _ in range(2000)]
    assert np.mean(found) == pytest.approx(psi_by_chance(10, 200.0), rel=0.1)


@pytest.mark.parametrize("frames", [10.0, 50.0, 400.0])
@pytest.mark.parametrize("scaled", [0.1, 0.5, 0.9, 1.4, 2.0, 2.5])
def test_probabilities_are_those_of_the_exact_distribution(frames, scaled):
    distance = scaled / np.sqrt(frames)
    exact = stats.kstwo.sf(distance, int(frames))
    found = float(kolmogorov_p(np.array([distance]), np.array([frames]))[0])
    assert found == pytest.approx(exact, abs=0.01, rel=0.1)


def test_distances_are_those_of_scipy():
    generator = np.random.default_rng(1)
    calibration = generator.normal(0, 4000, (5000, 3)).astype(np.int16)
    calibration[:, 2] = np.round(calibration[:, 2] / 4000) * 4000
    found = reference_of(calibration)
    for shift in (0, 700, 9000):
        x = (generator.normal(shift, 5000, (700, 3))).astype(np.int16)
        x[:, 2] = np.round(x[:, 2] / 4000) * 4000
        tally = found.count(x)
        distance = np.maximum(
            np.abs(tally.below / 700 - found.tally.below / 5000),
            np.abs(tally.at_most / 700 - found.tally.at_most / 5000),
        ).max(axis=0)
        exact = [stats.ks_2samp(x[:, d], calibration[:, d]).statistic for d in range(3)]
        assert (distance <= np.array(exact) + 1e-12).all()
        assert (distance >= np.array(exact) - 1 / 250).all()


def test_adjusted_probabilities_are_those_of_the_procedure():
    p = np.array([0.01, 0.04, 0.03, 0.005])
    assert holm(p) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.6, 0.7])).max() == 1.0


def test_two_samples_say_as_much_as_half_of_one():
    assert joint_frames(np.array(100.0), np.array(100.0)) == 50.0


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9, 0.97])
def test_times_are_those_of_the_process(phi):
    u = autoregressive(phi, 200_000, 2, 3)
    found = correlation_times([u], u.mean(axis=0))
    assert found == pytest.approx((1 + phi) / (1 - phi), rel=0.2)


def test_what_is_constant_within_recordings_counts_once_each():
    level = np.random.default_rng(0).normal(size=(300, 1))
    sequences = [np.full((40, 1), value) for value in level[:, 0]]
    assert correlation_times(sequences, level.mean(axis=0))[0] == pytest.approx(40.0, rel=0.02)


def test_what_does_not_vary_has_no_time():
    assert correlation_times([np.ones((9, 2))], np.ones(2)).tolist() == [1.0, 1.0]
