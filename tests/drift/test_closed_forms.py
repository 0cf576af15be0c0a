"""Models whose true drift is known in closed form, measured through the whole harness."""

import numpy as np
import pytest

from rnn_edge.drift.closed_loop import Side, replay_pair
from rnn_edge.engines.base import EngineSource
from rnn_edge.engines.float_reference import ENGINE as FLOAT
from rnn_edge.engines.integer_reference import ENGINE as INTEGER
from rnn_edge.fixedpoint import logistic, round_scale_up, tanh
from rnn_edge.streams import Chunk, FrameStream
from rnn_edge.types import (
    DenseWeights,
    FloatModel,
    QuantizedLayer,
    QuantizedMatrix,
    QuantizedModel,
    RecurrentWeights,
)
from rnn_edge.types.decisions import Decided
from rnn_edge.types.drift import TrendVerdict

UNIT = 2.0**-15
SCALE = float(round_scale_up(np.array([1.0 / 127.0]))[0])
"""Row scale of a weight that is 127 times it in both models, and so rounds to itself."""
ONE = 127 * SCALE


class Signs(FrameStream):
    """Independent signs of a level at every step, one feature per unit."""

    name = "signs"
    description = "independent signs"

    def __init__(self, levels, steps):
        self._levels = levels
        self.inputs, self.steps = len(levels), steps

    def chunks(self, size=4096):
        generator = np.random.Generator(np.random.PCG64(1))
        for first in range(0, self.steps, size):
            count = min(size, self.steps - first)
            signs = generator.integers(0, 2, (count, self.inputs)) * 2 - 1
            yield Chunk((signs * self._levels).astype(np.float32), np.zeros(0, np.int64))


class NoDecision:
    frame_kind = detection_kind = "none"
    alarm_threshold, settling_frames = None, 0

    def update(self, frames, outputs):
        nothing = np.zeros(len(frames), np.int64)
        return Decided(nothing, nothing, nothing.astype(float))


def matrix(codes, bias, input_exponent):
    rows = len(codes)
    units = np.rint(np.asarray(bias) / (SCALE * 2.0**input_exponent)).astype(np.int64)
    return QuantizedMatrix(
        np.asarray(codes, np.int8), np.full(rows, SCALE), units, input_exponent, -11
    )


def pair(kind, codes_x, bias, hidden, cell_exponent=None):
    """Return a float model and the same one in integers, every weight a multiple of its scale."""
    codes_x = np.asarray(codes_x)
    codes_h = np.zeros((len(codes_x), hidden), int)
    no_bias = np.zeros(len(codes_x))
    head = np.zeros((1, hidden))
    float_model = FloatModel(
        "known",
        "kws",
        (RecurrentWeights(kind, codes_x * SCALE, codes_h * SCALE, bias, no_bias),),
        DenseWeights(head, np.zeros(1)),
        ("only",),
    )
    layer = QuantizedLayer(
        kind, matrix(codes_x, bias, -12), matrix(codes_h, no_bias, -15), cell_exponent
    )
    model = QuantizedModel(
        "known",
        "kws",
        (layer,),
        matrix(head.astype(int), np.zeros(1), -15),
        ("only",),
    )
    return float_model, model


def measured(float_model, model, stream, tmp_path):
    source = EngineSource(float_model, model, tmp_path, tmp_path)
    with FLOAT.open(source) as reference, INTEGER.open(source) as engine:
        return replay_pair(
            stream,
            Side("float", reference, None),
            Side("int8", engine, model),
            (NoDecision(), NoDecision()),
        ).result()


@pytest.mark.slow
def test_a_leaky_integrator_drifts_by_what_its_one_rounding_adds_up_to(tmp_path):
    """h' = h/2 + n/2 with n = +-N: all is exact but one rounding of half a unit.

    The update gate is 1/2 exactly. h - n is even, because h = n + 2 * (...) one step before and
    both n are of one parity, so that its half is exact; the half of that is rounded away from
    zero where it is odd, which is half the time. The error e of h, in units of 2^-15, follows
    e' = e/2 + r - s*E/2, with r = +-1 half the time, of the sign of h - n, which is -s where s is
    the sign of n, and E the error of the table at n. s is independent from step to step, so that
    the mean square of e is (1/2 - E/2 + E^2/4) / (1 - 1/4), E counted away from zero.
    """
    levels = np.linspace(0.25, 1.9, 16)
    levels = np.rint(levels * 4096) / 4096
    hidden = len(levels)
    codes = np.concatenate([np.zeros((2 * hidden, hidden)), 127 * np.eye(hidden)])
    float_model, model = pair("gru", codes, np.zeros(3 * hidden), hidden)
    assert logistic(np.zeros(1, np.int16), -11)[0] == 2**14

    result = measured(float_model, model, Signs(levels, 24_000), tmp_path)

    gates = np.rint(levels * ONE * 2.0**11).astype(np.int64) * 4
    table_error = tanh(gates.astype(np.int16), -13) - np.tanh(levels * ONE) / UNIT
    theory = UNIT * np.sqrt((0.5 - 0.5 * table_error + 0.25 * table_error**2) / 0.75)
    assert result.hidden_rms.value == pytest.approx(np.sqrt(np.mean(theory**2)), rel=0.02)
    assert result.tensor("h0").unit_rms == pytest.approx(theory, rel=0.05)
    assert result.tensor("h0").trend.verdict is TrendVerdict.PLATEAU
    assert result.hidden_rms.low < result.hidden_rms.value < result.hidden_rms.high


def test_a_cell_that_saturates_is_left_behind_by_a_float_one_that_does_not(tmp_path):
    """c grows by i*g at every step; the integer one stops at 32767 * 2^-10, the float one never.

    Gates i and f are as open as a sigmoid of 15.99 is, so that c = g*t until t0 = 32/g, and the
    error from there on is g*(t - t0): its mean square over T steps is g^2 (T - t0)^3 / (3 T).
    """
    hidden, steps = 4, 3000
    levels = np.rint(np.array([0.4, 0.6, 0.8, 1.0]) * 4096) / 4096
    eye, nothing = 127 * np.eye(hidden), np.zeros((hidden, hidden))
    codes = np.concatenate([nothing, nothing, eye, nothing])
    open_gate = 15.99
    bias = np.repeat([open_gate, open_gate, 0.0, 0.0], hidden)
    float_model, model = pair("lstm", codes, bias, hidden, cell_exponent=-10)

    class Constant(Signs):
        def chunks(self, size=4096):
            yield Chunk(np.tile(levels, (steps, 1)).astype(np.float32), np.zeros(0, np.int64))

    result = measured(float_model, model, Constant(levels, steps), tmp_path)

    growth = np.tanh(levels * ONE)
    late = steps - 32.0 / growth
    theory = np.sqrt(growth**2 * late**3 / (3.0 * steps))
    cell = result.tensor("c0")
    assert cell.unit_rms == pytest.approx(theory, rel=0.02)
    assert cell.rms.value == pytest.approx(np.sqrt(np.mean(theory**2)), rel=0.02)
    assert cell.trend.verdict is TrendVerdict.GROWTH
    assert result.tensor("h0").trend.verdict is TrendVerdict.PLATEAU
