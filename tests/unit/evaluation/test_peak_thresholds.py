"""Thresholds of a wanted rate: against planted tails, and against the fit of another author."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from rnn_edge.errors import DataError
from rnn_edge.evaluation import Detector, DetectorConfig
from rnn_edge.evaluation.peaks import ENDLESS, SHAPES, PeakTail, cluster_peaks, fit_pareto, lasting
from rnn_edge.types.frames import FrameSequence


@pytest.mark.parametrize("shape", [-0.3, 0.0, 0.4])
@pytest.mark.parametrize("count", [25, 400])
def test_the_fit_is_the_most_likely_one(shape, count):
    x = stats.genpareto.rvs(shape, scale=3.0, size=count, random_state=count)
    found, scale = fit_pareto(x)
    wanted, _, wanted_scale = stats.genpareto.fit(x, floc=0.0)
    assert (found, scale) == pytest.approx((wanted, wanted_scale), abs=2e-3)
    likelihood = stats.genpareto.logpdf(x, found, 0.0, scale).sum()
    assert likelihood >= stats.genpareto.logpdf(x, wanted, 0.0, wanted_scale).sum() - 1e-6


@pytest.mark.parametrize("shape", [-0.25, 0.0, 0.3])
def test_a_planted_tail_is_found(shape):
    x = stats.genpareto.rvs(shape, scale=0.7, size=20_000, random_state=1)
    assert fit_pareto(x) == pytest.approx((shape, 0.7), abs=0.03)


def test_the_shape_stays_where_the_likelihood_is_a_guide():
    uniform = np.linspace(0.9, 1.0, 50)
    assert fit_pareto(uniform)[0] == pytest.approx(SHAPES[0], abs=1e-3)
    heavy = stats.genpareto.rvs(3.0, size=500, random_state=2)
    assert fit_pareto(heavy)[0] == pytest.approx(SHAPES[1], abs=1e-3)
    assert all(np.isfinite(fit_pareto(np.full(20, 2.0))))


@pytest.mark.parametrize("shape", [-0.5, -0.2])
def test_a_few_peaks_have_no_tail_that_ends(shape):
    # Twenty peaks that seem to have an end, and a rate that is far beyond them.
    excesses = stats.genpareto.rvs(shape, size=20, random_state=4)
    scores = np.zeros(4000)
    scores[100::200] = 1.0 + excesses
    tail = PeakTail.fit([scores], 0.99, 10, 1.0)
    assert tail.shape == pytest.approx(0.0, abs=1e-6)
    # The likeliest exponential tail has the mean of the excesses for its scale.
    assert tail.scale == pytest.approx(np.mean(scores[100::200] - tail.level), rel=1e-6)
    seen = tail.peaks / tail.days
    assert tail.height(seen / 1000.0) == pytest.approx(tail.level + tail.scale * np.log(1000.0))
    many = np.zeros(40_000)
    many[100::200] = 1.0 + stats.genpareto.rvs(shape, size=200, random_state=4)
    assert PeakTail.fit([many], 0.99, 10, 1.0).shape < shape + 0.2
    heavy = stats.genpareto.rvs(0.4, size=400, random_state=4)
    assert fit_pareto(heavy, ENDLESS) == pytest.approx(fit_pareto(heavy), rel=1e-3)


def test_units_do_not_matter():
    x = stats.genpareto.rvs(0.1, size=200, random_state=3)
    shape, scale = fit_pareto(x)
    assert fit_pareto(1000.0 * x) == pytest.approx((shape, 1000.0 * scale), rel=1e-6)


@pytest.mark.parametrize("shape", [-0.2, 0.0, 0.2])
def test_heights_and_rates_are_each_others_inverse(shape):
    tail = PeakTail(level=2.0, shape=shape, scale=0.5, peaks=40, seconds=2 * 86_400.0)
    assert (tail.days, tail.peaks_per_day(2.0)) == (2.0, 20.0)
    for rate in (0.01, 1.0, 19.0):
        height = tail.height(rate)
        assert tail.peaks_per_day(height) == pytest.approx(rate)
        # A share of rate/20 of the peaks is as high.
        assert stats.genpareto.sf(height - 2.0, shape, 0.0, 0.5) == pytest.approx(rate / 20.0)
    # A rate that was seen and more is not gone below the level for.
    assert tail.height(50.0) == tail.height(20.0) == 2.0


def test_nothing_is_higher_than_the_end_of_a_short_tail():
    tail = PeakTail(1.0, -0.5, 1.0, 10, 86_400.0)
    assert tail.height(1e-12) == pytest.approx(3.0, abs=1e-5)
    assert tail.peaks_per_day(3.5) == 0.0


def test_exceedances_with_little_between_them_are_one_peak():
    scores = np.array([0, 5, 0, 0, 7, 6, 0, 0, 0, 9, 0, 1], float)
    assert cluster_peaks(scores, 2.0, 1).tolist() == [5.0, 7.0, 9.0]
    assert cluster_peaks(scores, 2.0, 3).tolist() == [7.0, 9.0]
    assert cluster_peaks(scores, 2.0, 4).tolist() == [9.0]
    assert cluster_peaks(scores, 9.0, 1).tolist() == []


def test_a_score_that_lasts_is_the_least_of_its_last_frames():
    scores = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0])
    assert lasting(scores, 1).tolist() == scores.tolist()
    assert lasting(scores, 3).tolist() == [-np.inf, -np.inf, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0]
    assert (lasting(scores, 9) == -np.inf).all()


def noise(count, seed, sequence_id="n"):
    frames = np.random.default_rng(seed).normal(size=(count, 2)).astype(np.float32)
    return FrameSequence(sequence_id, frames, -1, None, "validation")


def silent(x):
    return np.zeros_like(x)


def count_alarms(detector, recordings):
    found = 0
    for scores in detector.scores(silent, recordings):
        alarms = detector.alarms(scores).astype(int)
        found += int((np.diff(alarms, prepend=0) == 1).sum())
    return found


@pytest.mark.parametrize("least_frames", [1, 4])
def test_the_wanted_rate_is_what_comes(least_frames):
    # One frame a second; a third of a day of noise is learned from, four days are tried.
    config = DetectorConfig(
        smoothing_frames=4.0,
        method="peaks",
        peak_quantile=0.95,
        false_alarms_per_day=30.0,
        least_frames=least_frames,
        release=0.6,
    )
    normal = [noise(30_000, 1)]
    detector = Detector.fit(config, silent, normal, frame_rate_hz=1.0)
    assert detector.tail is not None
    assert detector.tail.seconds == 30_000 - 11 - (least_frames - 1)
    others = [noise(57_600, seed) for seed in range(10, 16)]
    per_day = count_alarms(detector, others) / 4.0
    # 120 are wanted in four days; the tail itself is known to some 25 %.
    assert 30.0 / 1.6 < per_day < 30.0 * 1.6


def test_a_lower_rate_needs_a_higher_threshold():
    found = [
        Detector.fit(
            DetectorConfig(method="peaks", false_alarms_per_day=rate),
            silent,
            [noise(9000, 1)],
            frame_rate_hz=10.0,
        ).threshold
        for rate in (100.0, 10.0, 1.0)
    ]
    assert found[0] < found[1] < found[2]


def test_longer_alarms_need_a_lower_threshold():
    found = [
        Detector.fit(
            DetectorConfig(method="peaks", least_frames=least),
            silent,
            [noise(9000, 1)],
            frame_rate_hz=10.0,
        ).threshold
        for least in (1, 5, 20)
    ]
    assert found[0] > found[1] > found[2]


def test_a_recording_is_measured_in_units_of_the_others():
    config = DetectorConfig(
        method="peaks", score="covariance", peak_quantile=0.8, warmup_frames=0, cluster_frames=1
    )
    wide = [
        FrameSequence(str(k), frames.astype(np.float32), -1, None, "validation")
        for k, frames in enumerate(np.random.default_rng(5).normal(size=(3, 120, 12)))
    ]
    found = Detector.fit(config, silent, wide, frame_rate_hz=1.0)
    scores = []
    for k, own in enumerate(wide):
        others = [each for each in wide if each is not own]
        units = Detector.fit(replace(config, method="quantile"), silent, others)
        scores.append(units.scores(silent, [own])[0][1:])
        assert k == int(own.sequence_id)
    assert found.tail.level == pytest.approx(np.quantile(np.concatenate(scores), 0.8), rel=1e-12)
    # By units of their own the same recordings look more usual.
    own_units = np.concatenate([s[1:] for s in found.scores(silent, wide)])
    assert np.quantile(own_units, 0.8) < found.tail.level


def test_too_few_peaks_are_refused():
    config = DetectorConfig(method="peaks", peak_quantile=0.99)
    with pytest.raises(DataError, match=r"\d peaks above the 0.99 quantile") as caught:
        Detector.fit(config, silent, [noise(200, 1)], frame_rate_hz=1.0)
    assert "detector.peak_quantile" in caught.value.hint
    with pytest.raises(ValueError, match="without a frame rate"):
        Detector.fit(config, silent, [noise(200, 1)])


def test_a_tail_is_kept(tmp_path):
    config = DetectorConfig(method="peaks", false_alarms_per_day=5.0, cluster_frames=20)
    detector = Detector.fit(config, silent, [noise(9000, 1)], frame_rate_hz=10.0)
    detector.save(tmp_path / "d.npz")
    again = Detector.load(tmp_path / "d.npz")
    assert (again.config, again.tail, again.threshold) == (
        config,
        detector.tail,
        detector.threshold,
    )
