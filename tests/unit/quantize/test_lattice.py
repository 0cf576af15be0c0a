import numpy as np
import pytest

from rnn_edge.quantize.lattice import LARGEST, objective, round_together


def correlated(rows, columns, seed, samples=400):
    """Rows in steps, and for each the moments of inputs that share a few causes."""
    rng = np.random.default_rng(seed)
    causes = rng.normal(size=(rows, samples, 4))
    inputs = causes @ rng.normal(size=(rows, 4, columns)) + 0.3 * rng.normal(
        size=(rows, samples, columns)
    )
    return rng.uniform(-126, 126, (rows, columns)), inputs.transpose(0, 2, 1) @ inputs / samples


@pytest.mark.parametrize("seed", range(5))
def test_errors_cancel_where_inputs_are_correlated(seed):
    target, moments = correlated(12, 30, seed)
    codes = round_together(target, moments, 0.01)
    assert (codes == np.rint(codes)).all()
    assert np.abs(codes).max() <= LARGEST
    after, before = objective(codes, target, moments), objective(np.rint(target), target, moments)
    assert (after < 0.8 * before)[before > 1.0].all()
    assert (after <= before).all()
    assert after.sum() < 0.25 * before.sum()


@pytest.mark.parametrize("damping", [1e-4, 0.01, 1.0, 100.0])
def test_no_row_is_worse_than_to_nearest(damping):
    target, moments = correlated(20, 10, 9, samples=5)
    codes = round_together(target, moments, damping)
    # What is minimised has the damping in it.
    diagonal = np.einsum("ukk->uk", moments)
    damped = moments + damping * diagonal[:, :, None] * np.eye(10)
    after = objective(codes, target, damped)
    assert (after <= objective(np.rint(target), target, damped) * (1 + 1e-9)).all()


def test_without_correlation_the_nearest_is_best():
    rng = np.random.default_rng(1)
    target = rng.uniform(-126, 126, (6, 9))
    moments = rng.uniform(0.1, 3.0, (6, 9))[:, :, None] * np.eye(9)
    assert (round_together(target, moments, 0.01) == np.rint(target)).all()


def test_two_weights_of_one_input_share_their_error():
    # Both at a half: one goes up and the other down, and nothing is left.
    target, moments = np.array([[10.4, -3.4]]), np.ones((1, 2, 2))
    assert round_together(target, moments, 1e-6).sum() == 7.0


def test_whole_rows_and_dead_columns_stay():
    target, moments = correlated(4, 7, 3)
    whole = np.rint(target)
    assert (round_together(whole, moments, 0.01) == whole).all()
    assert (round_together(target, np.zeros_like(moments), 0.01) == np.rint(target)).all()
    moments[:, 2], moments[:, :, 2] = 0.0, 0.0
    assert np.isfinite(round_together(target, moments, 0.01)).all()


def test_what_is_fixed_goes_to_the_nearest_and_the_others_follow():
    target, moments = correlated(12, 30, 4)
    is_fixed = np.random.default_rng(4).random(target.shape) < 0.4
    codes = round_together(target, moments, 0.01, is_fixed)
    assert (codes == np.rint(target))[is_fixed].all()
    assert (round_together(target, moments, 0.01) != np.rint(target))[is_fixed].any()
    after, before = objective(codes, target, moments), objective(np.rint(target), target, moments)
    assert after.sum() < 0.5 * before.sum()


def test_codes_end_at_127():
    target = np.array([[127.0, 126.6, -127.0]])
    moments = np.full((1, 3, 3), 0.99) + 0.01 * np.eye(3)
    assert np.abs(round_together(target, moments, 1e-6)).max() == 127
