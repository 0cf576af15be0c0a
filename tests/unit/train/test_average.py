"""Averages of weights: what they are, and that the weights do not notice."""

from dataclasses import replace

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from rnn_edge.errors import SpecError  # noqa: E402
from rnn_edge.spec import load_spec  # noqa: E402
from rnn_edge.train.loop import follow  # noqa: E402
from rnn_edge.train.sequences import SequenceSet, TrainingSet  # noqa: E402
from rnn_edge.train.student import StudentConfig, train_student  # noqa: E402


def test_an_average_follows_at_its_share_and_is_faster_at_first() -> None:
    weight, average = tf.Variable([0.0, 1.0]), tf.Variable([7.0, 7.0])
    wanted = np.array([7.0, 7.0])
    for step in range(1, 200):
        value = np.array([float(step), 1.0 / step])
        weight.assign(value)
        follow([average], [weight], 0.9, tf.constant(step, tf.int64))
        share = min(0.9, (step - 1.0) / (step + 9.0))
        wanted = share * wanted + (1.0 - share) * value
        assert np.allclose(average.numpy(), wanted, rtol=1e-5)
        if step == 1:
            assert np.array_equal(average.numpy(), weight.numpy())


@pytest.mark.slow
def test_the_average_is_kept_and_training_is_the_same_without_it() -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(96, 8, 3)).astype(np.float32)
    part = SequenceSet(x, np.full(96, 8), (x[:, -2, 0] > 0).astype(np.int64))
    data = TrainingSet("kws", part, part, ("low", "high"))
    config = StudentConfig(hidden=6, steps=40, lanes=16, evaluate_every=10, learning_rate=2e-2)

    def trained(average: float) -> tuple[np.ndarray, np.ndarray]:
        result = train_student(replace(config, average=average), data, None, 3)
        return result.curves["loss"][1], result.model.layers[0].w_h

    loss, weights = trained(0.0)
    same_loss, average = trained(0.9)
    assert np.array_equal(loss, same_loss)
    assert 1e-3 < np.abs(average - weights).max() < 0.5


def test_an_average_that_never_moves_is_refused() -> None:
    assert load_spec("demo", ["student.average=0.999"]).student.average == 0.999
    with pytest.raises(SpecError, match=r"student.average"):
        load_spec("demo", ["student.average=1.0"])
