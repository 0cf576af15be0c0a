import math

import numpy as np
import pytest

from rnn_edge.errors import DataError, EngineError
from rnn_edge.replay import compare_bits, concatenate, measure_drift
from rnn_edge.types import Trace


def trace(steps=6):
    generator = np.random.default_rng(0)
    y = generator.integers(-9, 9, (steps, 3)).astype(np.int16)
    h = generator.integers(-9, 9, (steps, 4)).astype(np.int16)
    return Trace(y, {"h0": h})


def altered(base, tensor, changes):
    y, h = base.outputs.copy(), base.states["h0"].copy()
    for step, unit, value in changes:
        (y if tensor == "y" else h)[step, unit] += value
    return Trace(y, {"h0": h})


def test_equal_traces_have_no_difference():
    rows = compare_bits("c", trace(), trace())
    assert [(r.engine, r.tensor, r.steps) for r in rows] == [("c", "y", 6), ("c", "h0", 6)]
    assert all((r.differing, r.max_lsb, r.first_step) == (0, 0, None) for r in rows)


def test_planted_differences_are_counted_from_their_first_step():
    other = altered(trace(), "h0", [(2, 1, 1), (4, 0, -7), (4, 3, 2)])
    y, h = compare_bits("c", trace(), other)
    assert (y.differing, y.max_lsb, y.first_step) == (0, 0, None)
    assert (h.differing, h.max_lsb, h.first_step) == (3, 7, 2)
    y, h = compare_bits("c", trace(), altered(trace(), "y", [(0, 2, 1)]))
    assert (y.differing, y.max_lsb, y.first_step) == (1, 1, 0)
    assert h.differing == 0


def test_the_whole_range_of_int16_can_differ():
    low, high = np.full((1, 1), -32768, np.int16), np.full((1, 1), 32767, np.int16)
    (y,) = compare_bits("c", Trace(low, {}), Trace(high, {}))
    assert y.max_lsb == 65535


def test_other_shapes_types_and_states_are_refused():
    base = trace()
    with pytest.raises(EngineError, match=r"gave y as int16 \(5, 3\); expected int16 \(6, 3\)"):
        compare_bits("c", base, Trace(base.outputs[:5], base.states))
    with pytest.raises(EngineError, match="gave y as float32"):
        compare_bits("c", base, Trace(base.outputs.astype(np.float32), base.states))
    with pytest.raises(EngineError, match="gave the states h1; expected h0"):
        compare_bits("c", base, Trace(base.outputs, {"h1": base.states["h0"]}))


def test_drift_by_hand():
    # Scale 1/4 for the outputs, 1/2 for h0, 1/8 for h1 and c1.
    y = np.array([[1.0, 0.0], [0.5, 2.0]], np.float32)
    qy = np.array([[4, 1], [6, 8]], np.int16)  # errors 0, 1/4, 1, 0
    h0 = np.array([[3.0], [4.0]], np.float32)
    qh0 = np.array([[6], [7]], np.int16)  # errors 0, 1/2
    h1 = np.array([[0.0], [0.0]], np.float32)
    qh1 = np.array([[1], [-1]], np.int16)  # errors 1/8, 1/8
    found = measure_drift(
        Trace(y, {"h0": h0, "h1": h1, "c1": h1}),
        Trace(qy, {"h0": qh0, "h1": qh1, "c1": qh1 * np.int16(8)}),
        {"h0": -1, "h1": -3, "c1": -3},
        -2,
    )
    rows = {row.tensor: row for row in found.rows}
    assert list(rows) == ["y", "h0", "h1", "c1"]
    assert rows["y"].rms == pytest.approx(math.sqrt((1 / 16 + 1) / 4))
    assert rows["y"].maximum == 1.0
    assert rows["y"].relative == pytest.approx(rows["y"].rms / math.sqrt((1 + 0.25 + 4) / 4))
    assert rows["h0"].rms == pytest.approx(math.sqrt(0.25 / 2))
    assert rows["h0"].relative == pytest.approx(rows["h0"].rms / math.sqrt(12.5))
    assert rows["h1"].rms == 0.125
    assert rows["h1"].relative == 0.0  # the float state is zero throughout
    assert rows["c1"].rms == 1.0
    # Hidden states only, every layer with the same weight.
    assert found.hidden_rms == pytest.approx(math.sqrt((0.125 + 1 / 64) / 2))
    assert found.agreement == 1.0
    assert found.steps == 2
    assert rows["h0"].curve == ((1, 0.0), (2, 0.5))


def test_agreement_is_the_share_of_steps_with_the_same_largest_output():
    y = np.eye(4, dtype=np.float32)
    q = (np.eye(4)[[0, 1, 3, 3]] * 8).astype(np.int16)
    h = np.zeros((4, 1))
    found = measure_drift(
        Trace(y, {"h0": h}), Trace(q, {"h0": h.astype(np.int16)}), {"h0": -15}, -3
    )
    assert found.agreement == 0.75


@pytest.mark.parametrize("steps", [1, 2, 39, 1000])
def test_the_curve_covers_every_step_once(steps):
    error = np.arange(1.0, steps + 1)[:, None]
    zero = np.zeros((steps, 1))
    found = measure_drift(
        Trace(error, {"h0": zero}), Trace(zero.astype(np.int16), {"h0": zero}), {"h0": 0}, 0
    )
    curve = found.rows[0].curve
    ends = [end for end, _ in curve]
    assert ends == sorted(set(ends))
    assert ends[-1] == steps
    total, start = 0.0, 0
    for end, rms in curve:
        total += rms**2 * (end - start)
        start = end
    assert total == pytest.approx((error**2).sum())


def pieces():
    return [np.full((length, 2), k, np.float32) for k, length in enumerate((3, 5, 2))]


def whole_sequences(stream):
    """Return the pieces a stream is made of; fails if one is cut."""
    found, at = [], 0
    while at < len(stream):
        k = int(stream[at, 0])
        length = len(pieces()[k])
        np.testing.assert_array_equal(stream[at : at + length], pieces()[k])
        found.append(k)
        at += length
    return found


@pytest.mark.parametrize("steps", [1, 3, 10, 11, 57])
def test_streams_are_whole_sequences_and_each_pass_has_all_of_them(steps):
    stream = concatenate(pieces(), steps, seed=4)
    order = whole_sequences(stream)
    assert len(stream) >= steps
    # It ends with the sequence that reaches the wanted length.
    assert len(stream) - len(pieces()[order[-1]]) < steps
    for start in range(0, len(order) - len(order) % 3, 3):
        assert sorted(order[start : start + 3]) == [0, 1, 2]


def test_streams_depend_on_their_seed_alone():
    a = concatenate(pieces(), 400, seed=1)
    np.testing.assert_array_equal(a, concatenate(pieces(), 400, seed=1))
    b = concatenate(pieces(), 400, seed=2)
    assert whole_sequences(a) != whole_sequences(b)
    passes = np.array(whole_sequences(a)[:90]).reshape(-1, 3)
    assert len({tuple(row) for row in passes}) > 1  # shuffled anew


@pytest.mark.parametrize("sequences", [[], [np.zeros((0, 2), np.float32)]])
def test_a_stream_of_nothing_is_refused(sequences):
    with pytest.raises(DataError, match="no sequence has a frame"):
        concatenate(sequences, 10, seed=0)
