"""Who causes the drift: each quantizer alone on and alone off."""

import json

import numpy as np
import pytest
from random_models import Shape, float_model, quantized_model

from rnn_edge.drift.attribution import attribute, groups
from rnn_edge.drift.attribution_lanes import LaneRuns, cut_lanes
from rnn_edge.drift.attribution_suspicion import suspect
from rnn_edge.drift.mixed_quantizers import quantizers
from rnn_edge.quantize import calibrate, quantize_input, quantize_model
from rnn_edge.quantize.compensated import compensate
from rnn_edge.reference import FloatReference, IntegerReference
from rnn_edge.streams import Chunk, FrameStream
from rnn_edge.types import GATES

FRAMES = np.random.default_rng(0).normal(0, 1, (2000, 5)).astype(np.float32)


def pair(*kinds, seed=0, **more):
    exact = float_model(Shape(kinds, tuple(6 for _ in kinds), seed=seed, **more))
    return exact, quantized_model(exact, -10)


def lanes():
    return cut_lanes(FRAMES, 4, 40, 60)


@pytest.mark.parametrize("kind", GATES)
def test_shares_are_of_all_and_the_whole_is_the_drift_of_the_references(kind):
    exact, model = pair(kind)
    cut = lanes()
    found = attribute(exact, model, cut)
    assert sum(row.share for row in found.rows) == pytest.approx(1.0)
    assert sum(row.share_y for row in found.rows) == pytest.approx(1.0)
    assert {row.name for row in found.rows} == {each.name for each in quantizers(model)}
    shares = [row.share for row in found.rows]
    assert shares == sorted(shares, reverse=True)
    errors = []
    for piece in cut.frames:
        one, other = FloatReference(exact), IntegerReference(model)
        for t, x in enumerate(piece):
            one.step(x[None])
            other.step(quantize_input(x[None], model.input_exponent))
            if t >= cut.transient:
                errors.append(one.state["h0"] - other.state["h0"] * 2.0**-15)
    assert 0 <= found.hidden_low < found.hidden < found.hidden_high
    assert found.hidden == pytest.approx(np.sqrt(np.mean(np.square(errors))), rel=1e-3)
    # Rounding errors of a model that forgets are small and independent of each other.
    assert found.added == pytest.approx(found.hidden, rel=0.4)
    assert found.suspicions == suspect(exact, model) == ()
    json.dumps(found.to_json(), allow_nan=False)


def test_all_off_is_no_drift_and_a_quantizer_of_the_head_moves_no_state():
    exact, model = pair("gru", "lstm")
    runs = LaneRuns(exact, model, lanes())
    assert runs.drift(()).hidden == 0.0
    head = runs.drift(("head weights",))
    assert head.hidden == 0.0 < head.y
    whole = runs.drift(None)
    assert whole.hidden == pytest.approx(
        np.sqrt((whole.states["h0"] ** 2 + whole.states["h1"] ** 2) / 2)
    )
    assert whole.hidden_by_lane.shape == (4,)
    assert runs.largest("c1") > 0.1


def test_a_later_layer_does_not_move_an_earlier_one():
    exact, model = pair("gru", "lstm")
    found = LaneRuns(exact, model, lanes()).drift(("state c1",))
    assert found.states["h0"] == 0.0 < found.states["c1"]


def test_the_same_frames_give_the_same_attribution_and_progress_is_told():
    exact, model = pair("lstm")
    told = []
    one = attribute(exact, model, lanes(), progress=lambda *facts: told.append(facts))
    assert one == attribute(exact, model, lanes())
    assert [name for name, _, _ in told] == [
        *(each.name for each in quantizers(model)),
        *groups(model),
    ]
    assert {count for _, _, count in told} == {len(told)}
    assert one.row("weights").members == tuple(
        each.name for each in quantizers(model) if each.kind == "weights"
    )


def test_groups_of_a_layer_are_its_matrices_and_gates():
    _, model = pair("gru")
    assert set(groups(model)) == {
        "weights", "activations", "tables", "sums", "head", "weights l0.x", "weights l0.h",
        "weights l0.*.r", "weights l0.*.z", "weights l0.*.n",
    }  # fmt: skip
    _, model = pair("lstm", "lstm")
    assert groups(model)["states"] == ("state c0", "state h0", "state c1", "state h1")


class Counted(FrameStream):
    name, description, inputs, steps = "counted", "for a test", 1, 200_000

    def __init__(self):
        self.read = 0

    def chunks(self, size=4096):
        for start in range(0, self.steps, size):
            self.read = min(start + size, self.steps)
            frames = np.arange(start, self.read, dtype=np.float32)[:, None]
            yield Chunk(frames, np.zeros(1, np.int64))


def test_lanes_start_at_even_distances_and_a_long_stream_is_read_as_far_as_needed():
    stream = Counted()
    cut = cut_lanes(stream, 3, 10, 90)
    assert cut.starts == (0, 49_950, 99_900)
    assert [piece[0, 0] for piece in cut.frames] == [0, 49_950, 99_900]
    assert (cut.count, cut.steps, cut.transient) == (3, 90, 10)
    assert stream.read < 110_000
    short = cut_lanes(np.zeros((100, 2)), 3, 10, 90)
    assert short.starts == (0, 0, 0)


@pytest.mark.parametrize("kind", GATES)
def test_models_that_are_only_rounded_are_not_suspected(kind):
    for seed in range(4):
        assert not suspect(*pair(kind, seed=seed))


@pytest.mark.parametrize("kind", GATES)
def test_rounding_that_moves_weights_further_on_purpose_is_not_suspected(kind):
    exact, nearest = pair(kind)
    streams = FRAMES.reshape(4, 500, 5)
    model = quantize_model(exact, calibrate(exact, streams), rounded=compensate(exact, streams))
    assert any(
        not np.array_equal(matrix.weight, nearest.matrices[name].weight)
        for name, matrix in model.matrices.items()
    )
    assert not suspect(exact, model)
