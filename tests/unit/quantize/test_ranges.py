import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_models import Shape, float_model, quantized_model

from rnn_edge.quantize import calibrate, quantize_model, tensor_ranges
from rnn_edge.quantize.ranges import cell_bound
from rnn_edge.quantize.rounding import quantize_matrix
from rnn_edge.reference import IntegerReference
from rnn_edge.types import QuantizedLayer, QuantizedModel

STEPS = 150


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    hidden=st.integers(1, 4),
    inputs=st.integers(1, 3),
    gain=st.sampled_from([0.02, 0.1, 0.5, 2.0]),
    exponent=st.sampled_from([-13, -10, -7]),
)
def test_no_input_drives_a_cell_or_an_output_beyond_its_bound(seed, hidden, inputs, gain, exponent):
    shape = Shape(("lstm",), (hidden,), inputs, 2, exponent, gain, seed)
    model = quantized_model(float_model(shape), exponent)
    generator = np.random.default_rng(seed)
    # Streams held at either end, and streams that jump between the ends.
    held = np.broadcast_to(generator.choice([-32768, 32767], (6, 1, inputs)), (6, STEPS, inputs))
    jumping = generator.choice([-32768, 0, 32767], (6, STEPS, inputs))
    x = np.concatenate([held, jumping]).astype(np.int16)
    trace = IntegerReference(model, len(x)).run(x)
    found = np.abs(trace.states["c0"].astype(np.float64)).max() * 2.0**exponent
    assert found <= cell_bound(model.layers[0])
    rows = {row.tensor: row for row in tensor_ranges(model, calibrate(float_model(shape), x * 0.0))}
    largest = np.abs(trace.outputs.astype(np.float64)).max()
    # An output is rounded by half a unit.
    assert (largest - 0.5) * 2.0**model.output_exponent <= rows["y"].analytic


def one_unit(i, f, g, cell):
    """An LSTM whose gates are set by biases alone."""
    x = quantize_matrix(np.zeros((4, 1)), np.array([i, f, g, 0.0]), -12, -11)
    h = quantize_matrix(np.zeros((4, 1)), np.zeros(4), -15, -11)
    head = quantize_matrix(np.ones((1, 1)), np.zeros(1), -15, -15)
    layer = QuantizedLayer("lstm", x, h, cell)
    return QuantizedModel("m", "anomaly", (layer,), head, ("a",))


@pytest.mark.parametrize("cell", [-13, -10, -7])
@pytest.mark.parametrize(("i", "f"), [(0.0, -1.0), (2.0, 0.0), (-1.0, 2.0), (0.0, 3.5)])
def test_the_bound_is_nearly_reached(i, f, cell):
    # Rounding counts: at a coarse cell scale every step may round up.
    model = one_unit(i, f, 4.0, cell)
    reached = IntegerReference(model).run(np.zeros((1, 300, 1), np.int16)).states["c0"][0, -1, 0]
    bound = cell_bound(model.layers[0])
    exact = 1 / (1 + np.exp(-i)) * np.tanh(4.0) * (1 + np.exp(f))
    assert float(reached) * 2.0**cell <= bound
    # Gates are rounded up by up to two units of 2^-11, cells by up to 1.5 of their own.
    slack = exact * 0.03 + 2.0 * 2.0**cell * (1 + np.exp(f))
    assert exact <= bound + slack
    assert bound <= exact + slack


def test_a_saturated_forget_gate_is_bounded_by_the_table():
    model = one_unit(8.0, 20.0, 8.0, -8)
    assert cell_bound(model.layers[0]) == pytest.approx(2.0**15, rel=0.01)


def test_ranges_name_input_cells_and_output():
    model = float_model(Shape(("lstm", "gru"), (4, 3), seed=3))
    stats = calibrate(model, np.random.default_rng(0).normal(size=(2, 200, 5)))
    found = quantize_model(model, stats)
    rows = {row.tensor: row for row in tensor_ranges(found, stats)}
    assert list(rows) == ["x", "c0", "y"]
    assert rows["x"].limit == pytest.approx(8.0, rel=1e-4)
    assert rows["x"].analytic is None
    assert rows["c0"].exponent == found.layers[0].cell_exponent
    assert rows["c0"].calibrated == stats.cell_max["c0"]
    assert rows["c0"].calibrated * 2 <= rows["c0"].limit * (1 + 1e-4)
    assert rows["y"].calibrated <= rows["y"].analytic
    assert rows["y"].to_json()["tensor"] == "y"


def test_a_gru_has_no_cell_to_bound():
    layer = quantized_model(float_model(Shape(("gru",), (3,))), -10).layers[0]
    with pytest.raises(ValueError, match="no cell"):
        cell_bound(layer)
