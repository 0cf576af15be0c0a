import numpy as np
import pytest
from outside_graph import GOLDEN, load, vectors

from rnn_edge.cells import lower_model
from rnn_edge.quantize.observation import observe
from rnn_edge.quantize.ranges import analytic_intervals

pytestmark = pytest.mark.skipif(
    not GOLDEN.is_dir(), reason=f"golden vectors not found at {GOLDEN} (RNN_EDGE_GOLDEN)"
)

HELD = 30
FLOORS = {"gru": 0.3, "lstm": 0.19}
"""Share of its bound that the tensor of the loosest bound reaches: the output, of 64 states that
are bounded one by one and never stand at their ends together."""


def extreme_streams(matrix):
    """For each row the frame that drives it highest and the one that drives it lowest, held."""
    high = np.where(matrix.weight > 0, 32767, -32768)
    low = np.where(matrix.weight > 0, -32768, 32767)
    frames = np.concatenate([high, low])
    return np.repeat(frames[:, None, :], HELD, axis=1)


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_every_tensor_stays_within_its_bound_and_comes_close(kind):
    model = load(kind)
    program = lower_model(model)
    bounds = analytic_intervals(program)
    scale = 2.0**model.input_exponent
    recorded = observe(model, program, vectors(kind)["x"][None] * scale)
    extreme = observe(model, program, extreme_streams(model.layers[0].x) * scale)
    reached = {}
    for name, bound in bounds.items():
        low = np.minimum(recorded.low[name], extreme.low[name])
        high = np.maximum(recorded.high[name], extreme.high[name])
        assert (bound.low <= low).all(), name
        assert (high <= bound.high).all(), name
        reached[name] = float(np.median((high - low) / (bound.high - bound.low)))
    # What the input alone decides is met to the unit, in every row.
    assert reached["l0_gx"] == 1.0
    gates = {"gru": "rzn", "lstm": "ifgo"}[kind]
    assert all(reached[f"l0_{gate}"] > 0.999 for gate in gates)
    assert reached["h0_out"] > 0.998
    assert min(reached.values()) > FLOORS[kind], reached
