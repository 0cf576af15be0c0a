import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from rnn_edge.reference import FloatReference  # noqa: E402
from rnn_edge.train import cells  # noqa: E402
from rnn_edge.train.cells import LayerTensors  # noqa: E402
from rnn_edge.train.network import Network  # noqa: E402
from rnn_edge.types import GATES, CellKind  # noqa: E402


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("is_padded", [False, True])
def test_written_gradient_is_that_of_automatic_differentiation(
    kind: CellKind, is_padded: bool
) -> None:
    generator = np.random.default_rng(0)
    T, B, D, H = 5, 3, 4, 6
    gates = cells.gate_count(kind)
    shapes = [(gates * H, D), (gates * H, H), (gates * H,), (gates * H,)]
    tensors = [tf.constant(generator.normal(size=s).astype(np.float32) * 0.5) for s in shapes]
    x = tf.constant(generator.normal(size=(T, B, D)).astype(np.float32))
    state = tuple(
        tf.constant(generator.normal(size=(B, H)).astype(np.float32) * 0.3)
        for _ in range(cells.state_count(kind))
    )
    mask = None
    if is_padded:
        mask = tf.constant((np.arange(T)[:, None] < [5, 3, 1]).astype(np.float32)[:, :, None])
    upstream = tf.constant(generator.normal(size=(T, B, H)).astype(np.float32))

    def loss(function: object) -> list[np.ndarray]:
        with tf.GradientTape() as tape:
            tape.watch([*tensors, x, *state])
            states = function(kind, LayerTensors(*tensors), x, state, mask)  # type: ignore[operator]
            value = sum(tf.reduce_sum(upstream * s) for s in states)
        return [g.numpy() for g in tape.gradient(value, [*tensors, x, *state])]

    def automatic(*arguments: object) -> tuple[object, ...]:
        return cells.forward(*arguments).states  # type: ignore[arg-type]

    for written, wanted in zip(loss(cells.layer), loss(automatic), strict=True):
        if kind in cells.ONE_BIAS and written.shape == (gates * H,) and not written.any():
            continue  # the second bias is redundant and stays at zero
        np.testing.assert_allclose(written, wanted, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize(
    "kinds", [*((kind, kind) for kind in GATES), ("lstm", "rnn", "gru", "gru_reset_before")]
)
def test_network_computes_what_the_float_reference_computes(kinds: tuple[CellKind, ...]) -> None:
    network = Network.fresh(kinds, 5, 8, 3, seed=1)
    x = np.random.default_rng(0).normal(size=(2, 30, 5)).astype(np.float32)
    hidden, after = network.run(tf.constant(x.transpose(1, 0, 2)), network.zero_state(2), None)
    reference = FloatReference(network.model("m", "kws", ("a", "b", "c")), 2)
    trace = reference.run(x)
    np.testing.assert_allclose(
        network.head(hidden).numpy().transpose(1, 0, 2), trace.outputs, atol=1e-5
    )
    for mine, theirs in zip(after, reference.state.values(), strict=True):
        np.testing.assert_allclose(mine.numpy(), theirs, atol=1e-5)
