"""Functions of tensors are compiled as they are written."""

import pytest

tf = pytest.importorskip("tensorflow", reason="the extra 'train' is not installed")


def test_the_result_is_that_of_the_function():
    from rnn_edge.train.compiled import compiled

    assert float(compiled(lambda x: x * 2.0 + 1.0)(tf.constant(3.0))) == 7.0


def test_a_condition_on_a_tensor_is_an_error_and_not_rewritten():
    from rnn_edge.train.compiled import compiled

    def sign(x):
        return 1.0 if x > 0.0 else -1.0

    with pytest.raises(tf.errors.OperatorNotAllowedInGraphError):
        compiled(sign)(tf.constant(3.0))
