"""Losses against plain numpy."""

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from rnn_edge.train import losses  # noqa: E402


def test_cells_within_the_limit_cost_nothing_and_those_beyond_cost_their_excess() -> None:
    cells = [tf.constant([[1.0, -8.0], [7.9, 0.0]]), tf.constant([[10.0, -12.0]])]
    assert float(losses.cell_excess(cells[:1], 8.0)) == 0.0
    assert float(losses.cell_excess(cells, 8.0)) == pytest.approx((2.0 + 4.0) / 2)


def test_the_excess_pulls_a_cell_back_where_its_tanh_no_longer_does() -> None:
    c = tf.Variable([[30.0, -30.0, 3.0]])
    with tf.GradientTape() as tape:
        loss = losses.cell_excess([c], 8.0)
    np.testing.assert_allclose(tape.gradient(loss, c).numpy(), [[1 / 3, -1 / 3, 0.0]], rtol=1e-6)
    with tf.GradientTape() as tape:
        flat = tf.reduce_sum(tf.tanh(c))
    assert float(abs(tape.gradient(flat, c)[0, 0])) < 1e-6


@pytest.mark.parametrize("soft_weight", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_distilled_cross_entropy_is_the_weighted_sum_of_both_terms(
    soft_weight: float, temperature: float
) -> None:
    generator = np.random.default_rng(4)
    logits = generator.normal(size=(5, 3)).astype(np.float32)
    soft = generator.normal(size=(5, 3)).astype(np.float32)
    target = np.array([0, 2, 1, 1, 0], np.int32)

    def log_softmax(a):
        return a - np.log(np.exp(a).sum(1, keepdims=True))

    hard = -log_softmax(logits)[np.arange(5), target]
    wanted = np.exp(log_softmax(soft / temperature))
    softened = -(wanted * log_softmax(logits / temperature)).sum(1)
    expected = ((1 - soft_weight) * hard + soft_weight * temperature**2 * softened).mean()
    found = losses.distilled_cross_entropy(logits, target, soft, soft_weight, temperature)
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_a_distance_counts_in_percent_and_only_where_frames_count() -> None:
    distance = np.zeros((3, 2, 4), np.float32)
    distance[0, 0], distance[2, 1] = 0.01, 5.0
    mask = np.ones((3, 2, 1), np.float32)
    mask[2, 1] = 0.0
    assert float(losses.mean_square_percent(distance, mask)) == pytest.approx(1.0 / 5, rel=1e-5)
    whole = float(losses.mean_square_percent(distance[:2], None))
    assert whole == pytest.approx(1.0 / 4, rel=1e-5)


def test_the_dense_loss_is_the_weighted_sum_over_frames_and_the_teachers_term_at_the_end() -> None:
    generator = np.random.default_rng(5)
    logits = generator.normal(size=(4, 2, 3)).astype(np.float32)
    soft = generator.normal(size=(2, 3)).astype(np.float32)
    target = np.array([2, 0], np.int32)
    weights = np.array([[0, 0.25], [0, 0.25], [0.5, 0.5], [0.5, 0]], np.float32)
    logs = logits - np.log(np.exp(logits).sum(2, keepdims=True))
    hard = -sum(weights[t, b] * logs[t, b, target[b]] for t in range(4) for b in range(2)) / 2
    wanted = np.exp(soft) / np.exp(soft).sum(1, keepdims=True)
    softened = -(wanted * logs[-1]).sum(1).mean()
    alone = losses.dense_cross_entropy(logits, target, soft, 0.0, 1.0, weights)
    assert float(alone) == pytest.approx(float(hard), rel=1e-5)
    both = losses.dense_cross_entropy(logits, target, soft, 0.25, 1.0, weights)
    assert float(both) == pytest.approx(0.75 * float(hard) + 0.25 * softened, rel=1e-5)


def test_dense_classes_count_on_their_own_frames_and_others_at_the_end() -> None:
    from rnn_edge.train.carried import DENSE_FROM, frame_weights, other_labels

    assert other_labels(("hey pico", "unknown", "silence")) == (1, 2)
    frames = DENSE_FROM + 8
    mask = np.ones((frames, 3, 1), np.float32)
    mask[DENSE_FROM + 4 :, 1] = 0.0
    weights = frame_weights(np.array([0, 1, 2], np.int32), mask, 2, frames, (1,)).numpy()
    np.testing.assert_allclose(weights.sum(0), 1.0, rtol=1e-6)
    assert set(np.flatnonzero(weights[:, 0])) == set(np.flatnonzero(weights[:, 2]))
    assert set(np.flatnonzero(weights[:, 0])) == {frames - 2, frames - 1}
    # Own frames from the first that counts, and the last state, which is repeated behind them.
    own = {*range(DENSE_FROM, DENSE_FROM + 4), frames - 2, frames - 1}
    assert set(np.flatnonzero(weights[:, 1])) == own
