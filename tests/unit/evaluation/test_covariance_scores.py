"""Residuals of a planted covariance come out uncorrelated, and what goes together counts once."""

import numpy as np
import pytest

from rnn_edge.errors import DataError
from rnn_edge.evaluation import Detector, DetectorConfig
from rnn_edge.evaluation.covariance import LEAST_SHRINKAGE, Whitening
from rnn_edge.types.frames import FrameSequence

PLANTED = np.array([[4.0, 1.8, 0.0], [1.8, 1.0, 0.0], [0.0, 0.0, 0.25]])


def planted(count, seed=0, covariance=PLANTED):
    generator = np.random.default_rng(seed)
    return generator.normal(size=(count, 3)) @ np.linalg.cholesky(covariance).T


def fitted(residuals):
    return Whitening.fit(residuals, np.square(residuals).mean(axis=0))


def test_a_planted_covariance_is_taken_out():
    found = fitted(planted(20_000))
    assert found.shrinkage == LEAST_SHRINKAGE
    assert (np.triu(found.matrix, 1) == 0.0).all()
    # Of a covariance that is shrunk by 1 %: the inverse of its Cholesky factor.
    shrunk = 0.99 * PLANTED + 0.01 * np.diag(np.diag(PLANTED))
    wanted = np.linalg.inv(np.linalg.cholesky(shrunk))
    np.testing.assert_allclose(found.matrix, wanted, atol=0.02 * np.abs(wanted).max())
    white = planted(20_000, seed=1) @ found.matrix.T
    np.testing.assert_allclose(white.T @ white / len(white), wanted @ PLANTED @ wanted.T, atol=0.03)
    assert np.abs(wanted @ PLANTED @ wanted.T - np.eye(3)).max() < 0.1


def test_few_samples_are_shrunk_towards_their_own_variances():
    residuals = np.random.default_rng(2).normal(size=(8, 6)) * np.arange(1.0, 7.0)
    found = fitted(residuals)
    assert found.shrinkage > 0.4
    # Sizes do not matter to the share: the same in other units.
    assert fitted(residuals * 1000.0).shrinkage == pytest.approx(found.shrinkage)
    assert fitted(residuals[:1]).shrinkage == 1.0
    assert fitted(residuals[:, :1]).shrinkage == 1.0


def test_the_shrinkage_is_that_of_its_definition():
    x = planted(40, seed=5)
    size = np.sqrt(np.square(x).mean(axis=0))
    z, count = x / size, len(x)
    above = below = 0.0
    for i in range(3):
        for j in range(3):
            if i != j:
                products = z[:, i] * z[:, j]
                below += products.mean() ** 2
                above += products.var(ddof=1) / count
    assert fitted(x).shrinkage == pytest.approx(above / below)


def test_a_share_that_is_given_is_taken():
    residuals = planted(500)
    detector = Detector.fit(
        DetectorConfig(score="covariance", shrinkage=0.3, warmup_frames=0),
        silent(3),
        [recording(residuals)],
    )
    rows = np.float32(residuals[1:]).astype(np.float64)
    size = np.sqrt(np.square(rows).mean(axis=0))
    shrunk = 0.7 * (rows.T @ rows / len(rows)) + 0.3 * np.diag(size**2)
    np.testing.assert_allclose(
        detector.whitening, np.linalg.inv(np.linalg.cholesky(shrunk)), atol=1e-9
    )


def test_copies_are_not_divided_by_their_noise():
    one = np.random.default_rng(3).normal(size=5000)
    found = fitted(np.stack([one, one, one], axis=1))
    assert np.isfinite(found.matrix).all()
    assert np.linalg.norm(found.matrix, 2) < 1.01 / np.sqrt(LEAST_SHRINKAGE)


def silent(outputs):
    return lambda x: np.zeros((len(x), x.shape[1], outputs), np.float32)


def recording(frames):
    return FrameSequence("r", frames.astype(np.float32), -1, None, "validation")


def test_errors_that_go_together_score_less_than_one_without_the_other():
    config = DetectorConfig(score="covariance", warmup_frames=0)
    detector = Detector.fit(config, silent(3), [recording(planted(4000))])
    plain = Detector.fit(DetectorConfig(warmup_frames=0), silent(3), [recording(planted(4000))])
    together, apart = np.array([[4.0, 2.0, 0.0]]), np.array([[4.0, -2.0, 0.0]])
    assert plain.raw(together) == pytest.approx(plain.raw(apart))
    assert detector.raw(apart)[0] > 10 * detector.raw(together)[0]
    # 1 is the mean of normal operation.
    assert detector.raw(planted(4000, seed=9)).mean() == pytest.approx(1.0, rel=0.05)


def test_a_frame_that_misses_a_sample_is_scored_by_the_variances():
    config = DetectorConfig(score="covariance", warmup_frames=0)
    detector = Detector.fit(config, silent(3), [recording(planted(4000))])
    errors = np.array([[4.0, -2.0, 0.5]])
    left_out = np.array([[True, False, False]])
    alone = detector.scale_alone / detector.variance
    wanted = (4.0 * alone[1] + 0.25 * alone[2]) / 3.0
    assert detector.raw(errors, left_out)[0] == pytest.approx(wanted)
    assert detector.raw(errors, ~left_out & False)[0] == detector.raw(errors)[0]


def test_samples_that_do_not_count_are_not_learned():
    frames = planted(3000)
    broken = frames.copy()
    skipped = np.zeros(frames.shape, bool)
    skipped[100:400, 1] = True
    broken[skipped] = 1e3
    config = DetectorConfig(score="covariance", warmup_frames=0)
    normal = FrameSequence("r", broken.astype(np.float32), -1, None, "validation", skipped=skipped)
    detector = Detector.fit(config, silent(3), [normal])
    kept = np.delete(frames[1:], np.arange(99, 399), axis=0)
    assert detector.variance[1] == pytest.approx(np.square(kept[:, 1]).mean(), rel=1e-5)
    assert detector.variance[0] == pytest.approx(np.square(frames[1:, 0]).mean(), rel=1e-5)
    white = kept @ detector.whitening.T
    np.testing.assert_allclose(white.T @ white / len(white), np.eye(3), atol=0.05)


def test_a_detector_with_a_covariance_is_kept(tmp_path):
    config = DetectorConfig(score="covariance", least_frames=3, release=0.5)
    detector = Detector.fit(config, silent(6), [recording(planted(500))], (0, -1))
    detector.save(tmp_path / "d.npz")
    again = Detector.load(tmp_path / "d.npz")
    assert (again.config, again.offsets, again.threshold, again.tail) == (
        config, (0, -1), detector.threshold, None,
    )  # fmt: skip
    assert (again.whitening == detector.whitening).all()


def test_numbers_that_do_not_fit_together_are_refused():
    with pytest.raises(ValueError, match="of 2 offsets"):
        Detector(DetectorConfig(), np.ones(3), 1.0, (0, -1))
    with pytest.raises(ValueError, match="the other one's numbers"):
        Detector(DetectorConfig(score="covariance"), np.ones(3), 1.0)
    with pytest.raises(ValueError, match="of 3 residuals"):
        Detector(DetectorConfig(score="covariance"), np.ones(3), 1.0, (1,), np.eye(2))


def test_too_few_frames_for_the_lag_are_refused():
    config = DetectorConfig(warmup_frames=0)
    with pytest.raises(DataError, match="has 5 frames; expected at least 6,"):
        Detector.fit(config, silent(3), [recording(np.zeros((5, 3)))], (5,))
