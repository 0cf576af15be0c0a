"""What each policy takes away of the drift, and the rule that chooses one."""

import numpy as np
import pytest
from random_models import Shape, source

from rnn_edge.drift import reset_trade
from rnn_edge.drift.reset_trade import (
    Judged,
    MetricChange,
    TradeStreams,
    loses,
    reason_of,
    suggest,
    trade_off,
)
from rnn_edge.quantize import quantize_input
from rnn_edge.reference import FloatReference, IntegerReference
from rnn_edge.types.resets import NEVER, ResetPolicy

SHAPE = Shape(kinds=("gru", "lstm"), units=(6, 5), gain=1.5, seed=4)
STEPS = 300
LENGTHS = (300, 251, 1)
EVERY = ResetPolicy("every", 50)
DECAY = ResetPolicy("decay", shift=2)
QUIET = ResetPolicy("quiet", 2, 0.0)


class FirstOutput:
    """A metric whose value is the first output at the last frame of each stream."""

    name = "first output"

    def __init__(self):
        self.seen = []

    def judge(self, outputs):
        self.seen.append(outputs)
        last = np.array([y[n - 1, 0] for y, n in zip(outputs, LENGTHS, strict=True)])
        return Judged(float(last.mean()), last, {"largest": float(last.max())})

    def compare(self, judged, never):
        return MetricChange(judged.value - never.value, None, 1.0)


@pytest.fixture(scope="module")
def pair():
    return source(SHAPE)


@pytest.fixture(scope="module")
def streams():
    x = np.random.default_rng(1).normal(0, 1.0, (3, STEPS, SHAPE.inputs)).astype(np.float32)
    wanted = np.arange(STEPS) < np.array(LENGTHS)[:, None]
    for row, length in zip(x, LENGTHS, strict=True):
        row[length:] = 0.0
    return TradeStreams(x, np.array(LENGTHS), wanted)


def weighed(pair, streams, *policies, metric=None, tell=lambda done, total: None):
    metric = metric or FirstOutput()
    return trade_off(pair.float_model, pair.model, policies, streams, metric, tell)


def plain_rms(pair, x, every=None):
    """Hidden drift of one stream from whole traces, started anew now and then."""
    x_q = quantize_input(x, pair.model.input_exponent)
    pieces = range(0, len(x), every or len(x))
    squares = {"h0": [], "h1": []}
    for start in pieces:
        part = slice(start, start + (every or len(x)))
        real = FloatReference(pair.float_model).run(x[None, part]).states
        integer = IntegerReference(pair.model).run(x_q[None, part]).states
        for name, values in squares.items():
            values.append(np.square(integer[name][0] * 2.0**-15 - real[name][0]))
    return np.sqrt(np.mean([np.concatenate(v).mean() for v in squares.values()]))


def test_drift_is_that_of_the_two_references(pair, streams):
    alone = TradeStreams(streams.frames[:1], streams.lengths[:1], streams.wanted[:1])
    metric = FirstOutput()
    metric.judge = lambda outputs: Judged(0.0, outputs)
    never, every = weighed(pair, alone, EVERY, metric=metric).rows
    x = streams.frames[0]
    assert never.hidden_rms == pytest.approx(plain_rms(pair, x), rel=1e-4)
    assert every.hidden_rms == pytest.approx(plain_rms(pair, x, every=50), rel=1e-4)
    assert every.hidden_rms != pytest.approx(never.hidden_rms, rel=1e-3)
    # Before the frames 50, 100, 150, 200 and 250.
    assert every.resets_per_1000 == pytest.approx(1000 * 5 / 300)
    assert never.resets_per_1000 == 0.0


def test_outputs_are_those_of_the_integer_model(pair, streams):
    metric = FirstOutput()
    weighed(pair, streams, EVERY, metric=metric)
    x_q = quantize_input(streams.frames, pair.model.input_exponent)
    scale = 2.0**pair.model.output_exponent
    for k, length in enumerate(LENGTHS):
        expected = IntegerReference(pair.model).run(x_q[None, k, :length]).outputs[0] * scale
        np.testing.assert_array_equal(metric.seen[0][k, :length], expected)
        # What is not wanted is not computed.
        assert not metric.seen[0][k, length:].any()
    fresh = IntegerReference(pair.model).run(x_q[None, 0, 50:100]).outputs[0] * scale
    np.testing.assert_array_equal(metric.seen[1][0, 50:100], fresh)


def test_padding_counts_for_nothing(pair, streams):
    padded = TradeStreams(
        np.pad(streams.frames, ((0, 0), (0, 20), (0, 0))),
        streams.lengths,
        np.pad(streams.wanted, ((0, 0), (0, 20))),
    )
    one, other = (weighed(pair, s, EVERY, QUIET, DECAY) for s in (streams, padded))
    assert one.frames == other.frames == sum(LENGTHS)
    assert one.to_json() == other.to_json()


def test_policies_do_not_depend_on_what_runs_beside_them(pair, streams, monkeypatch):
    told = []
    together = weighed(pair, streams, EVERY, QUIET, DECAY, tell=lambda *now: told.append(now))
    assert told[-1][0] == told[-1][1]
    monkeypatch.setattr(reset_trade, "PRODUCTS", 1)
    apart = weighed(pair, streams, EVERY, QUIET, DECAY, tell=lambda *now: told.append(now))
    assert together.rows == apart.rows
    assert [row.policy for row in apart.rows] == [NEVER, EVERY, QUIET, DECAY]
    assert told[-1] == (4 * STEPS, 4 * STEPS)


def test_never_and_what_is_named_twice_are_weighed_once(pair, streams):
    found = weighed(pair, streams, NEVER, EVERY, EVERY)
    assert [row.policy for row in found.rows] == [NEVER, EVERY]


def test_the_result_is_json(pair, streams):
    found = weighed(pair, streams, EVERY).to_json()
    row = found["rows"][1]
    assert row["policy"] == "every"
    assert row["parameters"] == {"frames": 50}
    assert row["words"] == "every:frames=50"
    assert row["others"].keys() == {"largest"}
    assert found["suggested"] in {r["words"] for r in found["rows"]}


def change(difference, p_value=1.0):
    return MetricChange(difference, (difference - 0.1, difference + 0.1), p_value)


NONE = change(0.0)


@pytest.mark.parametrize(
    ("rms", "changes", "chosen"),
    [
        # Less drift at no loss.
        ([1.0, 0.5, 0.4], [NONE, NONE, NONE], 2),
        # Not enough less.
        ([1.0, 0.81], [NONE, NONE], 0),
        ([1.0, 0.8], [NONE, NONE], 1),
        # The one with the least drift loses significantly, or too much.
        ([1.0, 0.5, 0.4], [NONE, NONE, change(-0.005, 0.01)], 1),
        ([1.0, 0.5, 0.4], [NONE, NONE, change(-0.02, 0.5)], 1),
        # A small loss by chance is none, and a gain is none at any p-value.
        ([1.0, 0.5, 0.4], [NONE, NONE, change(-0.005, 0.5)], 2),
        ([1.0, 0.5, 0.4], [NONE, NONE, change(0.02, 0.001)], 2),
        # Too little material to tell.
        ([1.0, 0.4], [NONE, MetricChange(-0.001, None, None)], 0),
        # Nothing to gain.
        ([0.0, 0.0], [NONE, NONE], 0),
        ([1.0], [NONE], 0),
    ],
)
def test_the_rule(rms, changes, chosen):
    assert suggest(rms, changes) == chosen
    reasons = [reason_of(k, chosen, rms, changes) for k in range(len(rms))]
    assert reasons.count("suggested") == 1
    assert all((reason == "loses") == loses(c) for reason, c in zip(reasons, changes, strict=True))
