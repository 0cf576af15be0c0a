import numpy as np
import pytest
from onnx_step import session_of, steps
from outside_graph import GOLDEN, load, vectors

from rnn_edge.exporters import onnx_int8

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.skipif(
    not GOLDEN.is_dir(), reason=f"golden vectors not found at {GOLDEN} (RNN_EDGE_GOLDEN)"
)


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_integer_onnx_reproduces_every_step(kind):
    expected, model = vectors(kind), load(kind)
    session = session_of(onnx_int8.build(model).SerializeToString())
    names = list(model.state_sizes)
    zero = {name: np.zeros((1, size), np.int16) for name, size in model.state_sizes.items()}
    found = list(steps(session, names, expected["x"][:, None], zero))
    assert len(found) == 2000
    np.testing.assert_array_equal(np.concatenate([y for y, _ in found]), expected["y"])
    for name, column in {"h0": "h", "c0": "c"}.items():
        if column in expected:
            states = np.concatenate([state[name] for _, state in found])
            np.testing.assert_array_equal(states, expected[column])
