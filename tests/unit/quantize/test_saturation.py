import dataclasses

import numpy as np
import pytest

from rnn_edge.errors import ModelError
from rnn_edge.quantize import model_ranges
from rnn_edge.types import QuantizedLayer, QuantizedMatrix, QuantizedModel
from rnn_edge.types.ranges import Span

STEPS = 20


def matrix(weight, bias, factor=1.0, input_exponent=-12, output_exponent=-11):
    """Rows whose output is ``factor * (weight @ x + bias)`` in integers."""
    weight = np.array(weight, np.int8)
    scale = factor * 2.0 ** (output_exponent - input_exponent)
    return QuantizedMatrix(
        weight, np.full(len(weight), scale), np.array(bias), input_exponent, output_exponent
    )


def gru(x_weight=(0, 0, 0), x_bias=(0, 0, 0), head_bias=0, h_bias=(0, 0, 0)):
    """One unit, one input: all weights zero but those of the input."""
    layer = QuantizedLayer(
        "gru",
        matrix([[w] for w in x_weight], x_bias),
        matrix([[0]] * 3, h_bias, input_exponent=-15),
        None,
    )
    head = matrix([[0]], [head_bias], input_exponent=-15)
    return QuantizedModel("m", "anomaly", (layer,), head, ("a",))


def lstm(biases, cell_exponent, weights=(0, 0, 0, 0)):
    layer = QuantizedLayer(
        "lstm",
        matrix([[w] for w in weights], biases, factor=1.0),
        matrix([[0]] * 4, [0] * 4, input_exponent=-15),
        cell_exponent,
    )
    return QuantizedModel("m", "anomaly", (layer,), matrix([[1]], [0], 1.0, -15), ("a",))


def frames(values):
    """Float (B, T, 1) at the input's scale 2^-12."""
    return np.atleast_2d(np.asarray(values, np.float64))[..., None] * 2.0**-12


QUIET = frames(np.zeros(STEPS))


def rows_of(model, x=QUIET):
    return {row.tensor: row for row in model_ranges(model, x).tensors}


# Case 1: sums beyond 48 bits.


@pytest.mark.parametrize("sign", [-1, 1])
def test_sums_of_48_bits_are_the_widest(sign):
    # A small factor, so that the output itself stays in range; the weight reaches 32768.
    def model(bias):
        layer = gru().layers[0]
        wide = QuantizedMatrix([[0], [1], [0]], [2.0**-23] * 3, [0, sign * bias, 0], -20, -11)
        return QuantizedModel(
            "m", "anomaly", (QuantizedLayer("gru", wide, layer.h, None),), gru().head, ("a",)
        )

    # The sums fit. Divided by 2^32 they come to 32768 or to -32768, of which int16 holds one.
    if sign > 0:
        with pytest.raises(ModelError, match="l0_gx, element 1: at least 16 for every input"):
            model_ranges(model(2**47 - 1 - 32768), QUIET)
    else:
        assert rows_of(model(2**47 - 1 - 32768))["l0_gx"].calibrated.low == -32768
    with pytest.raises(ModelError) as caught:
        model_ranges(model(2**47 - 32768), QUIET)
    assert caught.value.message.startswith("Matrix layer0.x, row 1: sums of up to 49 bits")
    assert "expected at most 48" in caught.value.message
    assert "constant channels" in caught.value.hint


# Case 2: proved for every input.


@pytest.mark.parametrize(
    ("weight", "bias", "is_certain"),
    [
        (0, 32767, False),
        (0, 32768, True),
        (0, -32768, False),
        (0, -32769, True),
        # An input of -32768 brings the sum back to the end of the range, and no further.
        (1, 32767 + 32768, False),
        (1, 32768 + 32768, True),
        (-1, 32767 + 32767, False),
        (-1, 32768 + 32767, True),
        (1, -32768 - 32767, False),
        (1, -32769 - 32767, True),
        (-1, -32768 - 32768, False),
        (-1, -32769 - 32768, True),
    ],
)
def test_a_row_beyond_the_range_for_every_input_is_refused(weight, bias, is_certain):
    model = gru((0, 0, weight), (0, 0, bias))
    if not is_certain:
        assert rows_of(model, frames([0, -32768, 32767] * 7))["l0_gx"].size == 3
        return
    with pytest.raises(ModelError) as caught:
        model_ranges(model, QUIET)
    word, nearest = ("least", "16") if bias > 0 else ("most", "-16.0005")
    assert f"Tensor l0_gx, element 2: at {word} {nearest} for every input" in caught.value.message
    assert "expected -16 to 15.9995, the range at scale 2^-11" in caught.value.message
    assert caught.value.hint


def test_a_gate_that_is_open_for_every_input_is_no_fault():
    # 17 and more into LOGISTIC, 4 and more into TANH: both are flat there.
    row = rows_of(gru(x_bias=(0, 32000, 9000), h_bias=(0, 3000, 0)))
    assert (row["l0_a_z"].verdict, row["l0_a_z"].squashed_by) == ("seen", ("logistic",))
    assert (row["l0_a_n"].verdict, row["l0_a_n"].squashed_by) == ("seen", ("tanh",))
    assert row["l0_a_z"].analytic == Span(35000, 35000)
    assert row["l0_a_z"].saturated == row["l0_a_z"].values == STEPS
    assert not row["l0_a_z"].loses


def test_the_output_is_judged_as_every_tensor():
    assert rows_of(gru(head_bias=32767))["y"].verdict == "never"
    with pytest.raises(ModelError, match="Tensor y, element 0"):
        model_ranges(gru(head_bias=32768), QUIET)


# Case 3: on the calibration data.


def held_from(first, last=STEPS, value=40000):
    """A stream beyond the range from step ``first`` up to before ``last``."""
    x = np.zeros(STEPS)
    x[first:last] = value
    return x


@pytest.mark.parametrize("value", [40000, -40000, 32768, -32769])
def test_an_input_that_saturates_through_the_second_half_is_refused(value):
    # The second half begins at step 10.
    with pytest.raises(ModelError) as caught:
        model_ranges(gru(), frames(held_from(10, value=value)))
    message = caught.value.message
    assert message.startswith("Tensor x, element 0: saturates at every one of the last 10 steps of")
    assert "all 1 calibration streams" in message
    assert f"{value * 2.0**-12:.6g}" in message
    assert "normalised" in caught.value.hint


@pytest.mark.parametrize(
    "streams",
    [
        [held_from(11)],
        [held_from(0, 19)],
        [held_from(10, value=32767)],
        [held_from(10, value=-32768)],
        [held_from(10), held_from(10, 19)],
        [held_from(10), np.zeros(STEPS)],
    ],
    ids=["first step", "last step", "at the top", "at the bottom", "one step", "one stream"],
)
def test_an_input_that_is_held_at_one_step_of_the_second_half_is_not(streams):
    row = rows_of(gru(), frames(streams))["x"]
    # Normalisation cuts off at the ends: what is there may have been beyond.
    cut_off = int(((np.array(streams) >= 32767) | (np.array(streams) <= -32768)).sum())
    assert row.saturated == cut_off
    assert row.verdict == ("seen" if cut_off else "possible")
    assert row.values == np.size(streams)


def test_streams_that_saturate_at_both_ends_are_refused():
    with pytest.raises(ModelError, match="all 2 calibration streams"):
        model_ranges(gru(), frames([held_from(10), held_from(10, value=-40000)]))


def test_a_single_step_is_its_own_second_half():
    with pytest.raises(ModelError, match="last 1 steps"):
        model_ranges(gru(), frames([32768]))
    assert rows_of(gru(), frames([32767]))["x"].saturated == 1
    assert rows_of(gru(), frames([32766]))["x"].saturated == 0


OPEN = [20000, 30000, 20000, 0]
"""Input and forget gate and candidate of an LSTM near 1: its cell grows by 1 at every step."""


def test_a_cell_that_fills_in_the_first_half_is_refused_and_a_larger_scale_is_not():
    # The cell reaches 4 at step 4 and stays there.
    with pytest.raises(ModelError, match="Tensor c0_out, element 0: saturates at every") as caught:
        model_ranges(lstm(OPEN, -13), frames(np.zeros(STEPS)))
    assert "-4 to 3.99988, the range at scale 2^-13" in caught.value.message
    assert "quantize.headroom_bits" in caught.value.hint
    rows = rows_of(lstm(OPEN, -10), frames(np.zeros(STEPS)))
    assert rows["c0_out"].verdict == "possible"
    assert rows["c0_out"].analytic is None


def test_a_cell_that_fills_in_the_second_half_is_counted_only():
    # 1 a step: the fifth is the first that the format does not hold.
    rows = rows_of(lstm(OPEN, -13), frames(np.zeros(7)))
    first = rows["c0_out"].values - rows["c0_out"].saturated
    assert (first, rows["c0_out"].verdict) == (4, "seen")
    with pytest.raises(ModelError, match="c0_out"):
        model_ranges(lstm(OPEN, -13), frames(np.zeros(8)))


@pytest.mark.parametrize("head", ["linear", "softmax"])
def test_a_head_that_is_stuck_on_the_data_is_refused_whatever_follows_it(head):
    # The candidate has the sign of the input, and a weight of 127 carries h beyond the format.
    model = lstm([20000, -30000, 0, 30000], -12, (0, 0, 1, 0))
    steep = dataclasses.replace(model, head=matrix([[127]], [0], 1.0, -15), head_kind=head)
    assert rows_of(steep)["logits" if head == "softmax" else "y"].verdict == "possible"
    with pytest.raises(ModelError, match=r"Tensor \w+, element 0: saturates at every") as caught:
        model_ranges(steep, frames(np.full(STEPS, 20000)))
    assert "quantize.headroom_bits" in caught.value.hint


def test_a_gate_that_stays_open_is_no_fault():
    # c stays above 4, where its TANH is flat: the tensor before it saturates at every step.
    rows = rows_of(lstm(OPEN, -9), frames(np.zeros(STEPS)))
    assert rows["l0_c_fine"].squashed_by == ("tanh",)
    assert rows["l0_c_fine"].verdict == "seen"
    assert not rows["l0_c_fine"].loses


@pytest.mark.parametrize(
    "x", [np.zeros((1, 0, 1)), np.zeros((0, 5, 1)), np.zeros((5, 1)), np.full((1, 5, 1), np.nan)]
)
def test_frames_that_say_nothing_are_refused(x):
    with pytest.raises(ModelError, match=r"Frames \("):
        model_ranges(gru(), x)
