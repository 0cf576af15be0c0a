import numpy as np
import pytest
from random_models import Shape, float_model, quantized_model

from rnn_edge.reference import FloatReference, IntegerReference

SHAPE = Shape(("lstm", "gru"), (4, 3), inputs=3)


def integer():
    return quantized_model(float_model(SHAPE), -10)


def streams(count, steps):
    generator = np.random.default_rng(0)
    return generator.integers(-9000, 9000, (count, steps, 3)).astype(np.int16)


def test_integer_streams_do_not_touch_each_other():
    x = streams(5, 30)
    together = IntegerReference(integer(), 5).run(x)
    for k in range(5):
        alone = IntegerReference(integer()).run(x[k : k + 1])
        np.testing.assert_array_equal(together.outputs[k], alone.outputs[0])
        for name, value in alone.states.items():
            np.testing.assert_array_equal(together.states[name][k], value[0])


def test_float_streams_do_not_touch_each_other():
    x = streams(4, 30).astype(np.float32) / 4096
    model = float_model(SHAPE)
    together = FloatReference(model, 4).run(x)
    for k in range(4):
        alone = FloatReference(model).run(x[k : k + 1])
        np.testing.assert_allclose(together.outputs[k], alone.outputs[0], atol=1e-5)


@pytest.mark.parametrize("cut", [1, 17])
def test_the_state_is_carried_until_a_reset(cut):
    x = streams(2, 30)
    whole = IntegerReference(integer(), 2).run(x)
    engine = IntegerReference(integer(), 2)
    head, tail = engine.run(x[:, :cut]), engine.run(x[:, cut:])
    np.testing.assert_array_equal(
        whole.outputs, np.concatenate([head.outputs, tail.outputs], axis=1)
    )
    engine.reset({name: value[:, cut - 1] for name, value in whole.states.items()})
    np.testing.assert_array_equal(engine.run(x[:, cut:]).outputs, tail.outputs)
    engine.reset()
    np.testing.assert_array_equal(engine.run(x).outputs, whole.outputs)
    floating = FloatReference(float_model(SHAPE), 2)
    first = floating.run(x / 4096)
    assert np.abs(floating.run(x / 4096).outputs - first.outputs).max() > 1e-3
    floating.reset()
    np.testing.assert_array_equal(floating.run(x / 4096).outputs, first.outputs)


def test_the_integer_model_follows_the_float_model():
    x = streams(1, 200)
    model = float_model(SHAPE)
    exact = FloatReference(model).run(x / np.float32(4096))
    found = IntegerReference(integer()).run(x)
    error = found.states["h0"] * 2.0**-15 - exact.states["h0"]
    assert np.sqrt(np.square(error).mean()) < 0.02
