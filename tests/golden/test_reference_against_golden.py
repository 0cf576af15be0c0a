import numpy as np
import pytest
from outside_graph import GOLDEN, load, vectors

from rnn_edge.reference import IntegerReference

pytestmark = pytest.mark.skipif(
    not GOLDEN.is_dir(), reason=f"golden vectors not found at {GOLDEN} (RNN_EDGE_GOLDEN)"
)


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_integer_reference_reproduces_every_step(kind):
    expected = vectors(kind)
    trace = IntegerReference(load(kind)).run(expected["x"][None])
    assert len(expected["x"]) == 2000
    np.testing.assert_array_equal(trace.states["h0"][0], expected["h"])
    if kind == "lstm":
        np.testing.assert_array_equal(trace.states["c0"][0], expected["c"])
    np.testing.assert_array_equal(trace.outputs[0], expected["y"])
