"""Changes that are named are those that help, with their price."""

import json

import numpy as np
import pytest
from random_models import Shape, float_model, quantized_model

from rnn_edge.drift.attribution import attribute
from rnn_edge.drift.attribution_lanes import LaneRuns, cut_lanes
from rnn_edge.drift.recommendation import recommend
from rnn_edge.types import DenseWeights, FloatModel, RecurrentWeights

FRAMES = np.random.default_rng(0).normal(0, 1, (2000, 5)).astype(np.float32)


def on_grid(model):
    """The float model whose weights are what int8 can say: nothing is left of their rounding."""
    quantized = quantized_model(model, -10)

    def real(matrix):
        scale = matrix.weight_scale.astype(np.float64)
        bias = matrix.bias * scale * 2.0**matrix.input_exponent
        return matrix.weight * scale[:, None], bias

    layers = []
    for layer in quantized.layers:
        (w_x, b_x), (w_h, b_h) = real(layer.x), real(layer.h)
        layers.append(RecurrentWeights(layer.kind, w_x, w_h, b_x, b_h))
    head = DenseWeights(*real(quantized.head))
    return FloatModel(model.name, model.task, tuple(layers), head, model.labels)


def recommended(exact, cell_exponent, **more):
    model = quantized_model(exact, cell_exponent)
    cut = cut_lanes(FRAMES, 6, 40, 60)
    found = attribute(exact, model, cut)
    return model, cut, found, recommend(exact, model, cut, found, **more)


def test_a_coarse_cell_is_told_to_be_finer_and_the_effect_is_what_a_build_would_get():
    exact = on_grid(float_model(Shape(("lstm",), (8,), seed=1)))
    _, cut, found, advice = recommended(exact, -8)
    assert found.dominant == "state c0"
    change = advice.changes[0]
    assert change.title == "scale 2^-9 of cell c0 instead of 2^-8"
    assert change.setting.startswith("quantize.headroom_bits <= ")
    assert change.is_available
    assert change.is_measured
    finer = quantized_model(exact, -9)
    assert change.drift == LaneRuns(exact, finer, cut).drift(None).hidden < found.hidden
    assert change.saved == 1 - change.drift / found.hidden > 0.2
    largest = LaneRuns(exact, finer, cut).largest("c0")
    headroom = np.log2(32767 * 2.0**-9 / largest)
    assert change.price == (
        f"headroom of {headroom:.1f} bits over these lanes instead of {headroom + 1:.1f}"
    )
    json.dumps(advice.to_json(), allow_nan=False)


def test_a_cell_that_saturates_is_told_to_be_coarser():
    exact = on_grid(float_model(Shape(("lstm",), (8,), seed=1, gain=2.0)))
    _, _, found, advice = recommended(exact, -14)
    assert found.dominant == "state c0"
    assert advice.changes[0].title == "scale 2^-13 of cell c0 instead of 2^-14"
    assert advice.changes[0].setting.startswith("quantize.headroom_bits > ")


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_where_weights_dominate_fine_tuning_comes_first_and_wider_rows_are_hypothetical(kind):
    exact = float_model(Shape((kind,), (8,), seed=2))
    model, cut, found, advice = recommended(exact, -11)
    first, rounding, *others = advice.changes
    assert rounding.setting == 'quantize.rounding = "compensated"'
    assert (first.title, first.setting) == (
        "fine-tune on the int8 grid",
        "qat.steps > 0, qat.pull > 0",
    )
    assert first.is_available
    assert not first.is_measured
    assert first.drift == found.row("weights").without
    assert others
    assert all(not change.is_available and not change.setting for change in others)
    saved = [change.saved for change in others]
    assert saved == sorted(saved, reverse=True)
    wide = next(c for c in others if c.title == "10-bit weights for all recurrent layers")
    narrow = next(c for c in others if c.title == "9-bit weights for all recurrent layers")
    assert wide.drift < narrow.drift < found.hidden
    bytes_of = sum(m.weight.size for name, m in model.matrices.items() if name != "head")
    assert wide.price.startswith(f"{bytes_of:,} bytes more in flash")
    tuned = recommend(exact, model, cut, found, 1500, "compensated").changes
    assert tuned[0].title.startswith("fine-tune on the int8 grid for longer than 1,500 steps")
    assert not any("rounding" in change.setting for change in tuned)


def test_where_activations_dominate_nothing_is_recommended_and_it_is_said_why():
    exact = on_grid(float_model(Shape(("gru",), (8,), seed=3)))
    _, _, found, advice = recommended(exact, -10)
    assert found.row("weights").alone < 0.01 * found.row("activations").alone
    assert advice.changes == ()
    assert advice.remark.startswith("The rounding of the activations themselves makes 100% of")
    assert advice.drift == found.hidden
