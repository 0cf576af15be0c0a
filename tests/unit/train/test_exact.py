import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from rnn_edge.quantize import calibrate, quantize_input, quantize_model, quantize_rows  # noqa: E402
from rnn_edge.reference import IntegerReference  # noqa: E402
from rnn_edge.train import cells, exact  # noqa: E402
from rnn_edge.train.network import Network  # noqa: E402
from rnn_edge.types import GATES, CellKind  # noqa: E402


def test_rows_are_rounded_as_the_quantizer_rounds_them() -> None:
    generator = np.random.default_rng(0)
    weight = (generator.normal(size=(400, 9)) * 2.0 ** generator.integers(-20, 6, (400, 1))).astype(
        np.float32
    )
    weight[0] = 0.0
    rounded = exact.round_matrix(tf.constant(weight))
    codes, scale = quantize_rows(weight)
    assert np.array_equal(rounded.scale.numpy().astype(np.float32), scale)
    assert np.array_equal(rounded.codes.numpy().astype(np.int8), codes)


@pytest.mark.parametrize(
    "kinds",
    [
        ("gru",),
        ("gru", "gru"),
        ("lstm",),
        ("lstm", "lstm"),
        ("gru_reset_before",),
        ("rnn",),
        ("rnn", "lstm", "gru_reset_before", "gru"),
    ],
)
@pytest.mark.parametrize("spread", [0.1, 0.6])
def test_every_state_bit_is_that_of_the_integer_reference(
    kinds: tuple[CellKind, ...], spread: float
) -> None:
    generator = np.random.default_rng(len(kinds))
    network = Network.fresh(kinds, 7, 12, 3, seed=2)
    for variable in network.variables:
        variable.assign_add(spread * generator.normal(size=variable.shape).astype(np.float32))
    model = network.model("m", "kws", ("a", "b", "c"))
    streams, steps, chunk = 4, 1000, 50
    x = (3.0 * generator.normal(size=(streams, steps, 7))).astype(np.float32)
    x[:, 400:500] = 0.0
    x[:, 500:550] = 100.0
    integers = quantize_input(x)
    quantized = quantize_model(model, calibrate(model, np.clip(x, -8, 8)))
    trace = IntegerReference(quantized, streams).run(integers)
    function = exact.ExactLayer(kinds, -12, [layer.cell_exponent for layer in quantized.layers])
    run = tf.function(lambda a, s: network.run(a, s, None, function), jit_compile=True)
    state = network.zero_state(streams)
    frames = (integers.astype(np.float32) / 4096.0).transpose(1, 0, 2)
    last = f"h{len(kinds) - 1}"
    for start in range(0, steps, chunk):
        hidden, state = run(frames[start : start + chunk], state)
        mine = (hidden.numpy() * 32768.0).transpose(1, 0, 2)
        assert np.array_equal(mine, trace.states[last][:, start : start + chunk])
        named = zip(quantized.state_exponents.items(), state, strict=True)
        for (name, exponent), value in named:
            wanted = trace.states[name][:, start + chunk - 1]
            assert np.array_equal(value.numpy() * 2.0**-exponent, wanted), (name, start)


@pytest.mark.parametrize("kind", GATES)
def test_gradient_is_that_of_the_float_cell_at_the_rounded_weights(kind: CellKind) -> None:
    network = Network.fresh([kind], 4, 6, 2, seed=0)
    x = np.random.default_rng(0).integers(-8000, 8000, size=(9, 3, 4)).astype(
        np.float32
    ) / np.float32(4096)
    for variable in network.variables[:2]:
        variable.assign(exact.round_matrix(tf.convert_to_tensor(variable)).real())

    def gradients(function: object) -> list[np.ndarray]:
        with tf.GradientTape() as tape:
            hidden, _ = network.run(tf.constant(x), network.zero_state(3), None, function)
            loss = tf.reduce_sum(tf.square(network.head(hidden[-1])))
        return [g.numpy() for g in tape.gradient(loss, network.variables)]

    function = exact.ExactLayer([kind], -12, [-10 if kind == "lstm" else None])
    rounded, smooth = gradients(function), gradients(None)
    if kind in cells.ONE_BIAS:
        # The float cell adds the second bias to the first and leaves it alone.
        assert not smooth[3].any()
        smooth[3] = smooth[2]
    for found, wanted in zip(rounded, smooth, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("kind", GATES)
def test_the_rounded_layer_is_the_float_cell_on_the_int8_grid(kind: CellKind) -> None:
    network = Network.fresh([kind], 4, 6, 2, seed=0)
    x = np.random.default_rng(1).normal(size=(9, 3, 4)).astype(np.float32)
    found, _ = network.run(x, network.zero_state(3), None, exact.rounded_layer([kind]))
    for variable in network.variables[:2]:
        variable.assign(exact.round_matrix(tf.convert_to_tensor(variable)).real())
    expected, _ = network.run(x, network.zero_state(3), None)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
