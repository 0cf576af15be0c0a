"""Baselines against what can be worked out by hand."""

import importlib.util
import itertools

import numpy as np
import pytest

from rnn_edge.evaluation.anomaly import DetectorConfig
from rnn_edge.evaluation.baselines.base import all_baselines
from rnn_edge.evaluation.baselines.ewma import WEIGHT, Ewma
from rnn_edge.evaluation.baselines.isolation_forest import IsolationForest
from rnn_edge.evaluation.baselines.judging import (
    JudgedBaseline,
    available_baselines,
    load_baselines,
    save_baselines,
)
from rnn_edge.evaluation.baselines.last_value import LastValue
from rnn_edge.evaluation.baselines.principal_components import PrincipalComponents
from rnn_edge.evaluation.baselines.z_score import ZScore
from rnn_edge.types.frames import FrameSequence

NUMPY_KINDS = sorted({"z-score", "ewma", "pca t2+q", "last value"})
needs_sklearn = pytest.mark.skipif(
    importlib.util.find_spec("sklearn") is None, reason="scikit-learn is not installed"
)


def noise(count=400, channels=3, seed=1):
    return np.random.default_rng(seed).standard_normal((count, channels)).astype(np.float32)


def recording(frames, name="one"):
    return FrameSequence(name, frames, -1, None, "validation")


def fitted(name, normal=None):
    return all_baselines()[name].fit([noise()] if normal is None else normal)


def test_the_kinds_of_the_package_are_all_there():
    assert set(all_baselines()) == {*NUMPY_KINDS, "isolation forest"}


def test_a_z_score_is_a_distance_in_deviations():
    normal = np.array([[0.0, 10.0], [2.0, 10.0], [4.0, 10.0]])
    found = ZScore.fit([normal[:1], normal[1:]]).residuals(np.array([[2.0, 10.0], [6.0, 10.002]]))
    # Mean 2, deviation sqrt(8/3); the second channel never moves and is divided by 0.001.
    np.testing.assert_allclose(found, [[0.0, 0.0], [4.0 / np.sqrt(8.0 / 3.0), 2.0]], rtol=1e-6)


def test_an_ewma_follows_a_step_by_the_formula():
    deviation = 2.0
    chart = Ewma(np.array([1.0]), np.array([deviation]))
    found = chart.residuals(np.full((30, 1), 1.0 + deviation))[:, 0]
    steps = 1.0 - (1.0 - WEIGHT) ** np.arange(1, 31)
    np.testing.assert_allclose(found, steps / np.sqrt(WEIGHT / (2.0 - WEIGHT)), rtol=1e-12)


def test_an_ewma_of_noise_has_the_variance_that_it_is_divided_by():
    found = Ewma(np.zeros(1), np.ones(1)).residuals(noise(20_000, 1))[200:, 0]
    assert found.var() == pytest.approx(1.0, abs=0.1)


def test_last_value_is_the_difference_to_the_frame_before():
    frames = np.array([[1.0, 5.0], [4.0, 5.0], [2.0, 7.0]])
    found = LastValue().residuals(frames)
    np.testing.assert_array_equal(found, [[0.0, 0.0], [3.0, 0.0], [-2.0, 2.0]])


def test_t2_is_along_the_plane_and_q_is_across_it():
    # Two channels that are one and the same signal: the plane is their diagonal.
    signal = noise(2000, 1)
    model = PrincipalComponents.fit([np.hstack([signal, signal])])
    assert model.components.shape == (2, 1)
    unit = float(signal.std())
    along = model.mean + np.array([3.0, 3.0]) * unit
    across = model.mean + np.array([1.0, -1.0]) * unit
    t2, q = np.square(model.residuals(np.stack([along, across]))).T
    np.testing.assert_allclose(t2, [9.0, 0.0], atol=1e-4)
    np.testing.assert_allclose(q, [0.0, 2.0], atol=1e-4)


def test_t2_with_all_components_is_the_distance_of_mahalanobis():
    x = noise(500) @ np.array([[1.0, 0.4, 0.0], [0.0, 1.0, 0.3], [0.0, 0.0, 1.0]])
    model = PrincipalComponents.fit([x])
    assert model.components.shape == (3, 3), "no component explains under a tenth"
    centred = x - x.mean(axis=0)
    wanted = (centred @ np.linalg.inv(np.cov(x.T, bias=True)) * centred).sum(axis=1)
    np.testing.assert_allclose(np.square(model.residuals(x)[:, 0]), wanted, rtol=1e-6)


@pytest.mark.parametrize("name", NUMPY_KINDS)
def test_later_frames_change_nothing(name):
    model, frames = fitted(name), noise(60, seed=2)
    np.testing.assert_array_equal(model.residuals(frames)[:40], model.residuals(frames[:40]))


@pytest.mark.parametrize("name", NUMPY_KINDS)
def test_frames_are_not_changed_and_one_frame_is_enough(name):
    model, frames = fitted(name), noise(5, seed=2).astype(np.float64)
    kept = frames.copy()
    model.residuals(frames)
    np.testing.assert_array_equal(frames, kept)
    assert len(model.residuals(frames[:1])) == 1


def by_hand(forest, row):
    """Return the score of one row by a walk down every tree."""
    depths = []
    for start in forest.starts:
        node = start
        while forest.feature[node] >= 0:
            left = row[forest.feature[node]] <= forest.cut[node]
            node = forest.children[node][0 if left else 1]
        depths.append(forest.depth[node])
    return 2.0 ** -(np.mean(depths) / forest.unit[0])


def test_a_forest_of_one_cut_scores_by_the_formula():
    # One cut at 0: one sample lies left of it, two lie right and would take one more.
    forest = IsolationForest(
        starts=np.array([0]),
        feature=np.array([0, -1, -1]),
        cut=np.array([0.0, 0.0, 0.0]),
        children=np.array([[1, 2], [-1, -1], [-1, -1]]),
        depth=np.array([0.0, 1.0, 2.0]),
        unit=np.array([2.0, 0.5, 0.25]),
    )
    rows = np.array([[-1.0], [1.0], [0.0]])
    np.testing.assert_allclose(forest.anomaly_scores(rows), [2**-0.5, 0.5, 2**-0.5])
    np.testing.assert_allclose(forest.residuals(rows)[1], [0.0])
    assert [by_hand(forest, row) for row in rows] == pytest.approx([2**-0.5, 0.5, 2**-0.5])


@needs_sklearn
def test_a_forest_scores_as_scikit_learn_does():
    ensemble = pytest.importorskip("sklearn.ensemble")
    normal, others = noise(300), 2.0 * noise(50, seed=3)
    theirs = ensemble.IsolationForest(n_estimators=100, max_samples=256, random_state=0)
    wanted = -theirs.fit(normal).score_samples(others)
    found = IsolationForest.fit([normal[:100], normal[100:]]).anomaly_scores(others)
    np.testing.assert_allclose(found, wanted, atol=1e-9)


def judged(name, config=None):
    kind = all_baselines()[name]
    config = config or DetectorConfig(smoothing_frames=2.0)
    train, normal = recording(noise()), recording(noise(seed=5))
    return JudgedBaseline.fit(kind, config, [train], [normal], 1.0)


@pytest.mark.parametrize("name", NUMPY_KINDS)
@pytest.mark.parametrize("channels", [1, 3])
def test_what_never_varied_is_far_from_everything_else_by_a_finite_distance(name, channels):
    baseline = fitted(name, [np.full((100, channels), 0.25, np.float32)])
    frames = np.full((4, channels), 0.25, np.float32)
    frames[2:] = 9.0
    residuals = baseline.residuals(frames)
    assert np.isfinite(residuals.astype(np.float32)).all()
    assert np.abs(residuals[2]).max() > 8.0 > 1e-3 > np.abs(residuals[0]).max()


@pytest.mark.parametrize(("name", "size"), [("z-score", 6.0), ("ewma", 2.0), ("pca t2+q", 6.0)])
def test_a_shift_is_above_the_threshold_and_noise_is_not(name, size):
    frames = noise(300, seed=6)
    frames[200:] += size
    one = judged(name)
    (scored,) = one.score([recording(frames)])
    assert (scored.scores[:200] > one.detector.threshold).mean() < 0.05
    assert (scored.scores[230:] > one.detector.threshold).all()


def test_the_last_value_finds_a_jump_and_not_the_level_after_it():
    frames = 0.1 * noise(300, seed=6)
    frames[200:] += 5.0
    one = judged("last value")
    (scored,) = one.score([recording(frames)])
    above = scored.scores > one.detector.threshold
    assert above[200]
    assert not above[230:].any()


@pytest.mark.parametrize("name", [*NUMPY_KINDS, "isolation forest"])
def test_what_was_saved_scores_the_same(name, tmp_path):
    if name == "isolation forest":
        pytest.importorskip("sklearn")
    config = DetectorConfig(smoothing_frames=4.0, score="covariance")
    one = judged(name, config)
    save_baselines([judged("z-score"), one], tmp_path / "baselines.npz")
    _, again = load_baselines(tmp_path / "baselines.npz", config)
    assert again.kind.name == name
    assert again.detector.threshold == one.detector.threshold
    frames = [recording(noise(80, seed=9))]
    np.testing.assert_array_equal(again.score(frames)[0].scores, one.score(frames)[0].scores)


def test_what_cannot_be_fitted_is_named_with_how_to_get_it(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda n: None if n == "sklearn" else find(n))
    kinds, missing = available_baselines()
    assert [kind.name for kind in kinds] == sorted(NUMPY_KINDS, key=lambda n: n)
    assert missing == ["isolation forest: pip install 'rnn-edge[baselines]'"]


def test_the_same_frames_make_the_same_baselines(tmp_path):
    files = [tmp_path / "a.npz", tmp_path / "b.npz"]
    kinds, _ = available_baselines()
    for file in files:
        save_baselines([judged(kind.name) for kind in kinds], file)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert len(list(itertools.chain(kinds))) >= len(NUMPY_KINDS)
