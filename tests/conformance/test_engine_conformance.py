import numpy as np
import pytest
from conformance_cases import (
    CASES,
    FLOAT_TOLERANCE,
    INPUTS,
    assert_same_trace,
    float_trace,
    frames_of,
    integer_trace,
    models_of,
    real_units,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnn_edge.engines import c_compilers
from rnn_edge.engines.base import all_engines
from rnn_edge.errors import EngineError
from rnn_edge.types import Trace

# What is emulated is as exact and much slower: tests/firmware holds it to the same cases. Other
# compilers make the engine c once more: tests/unit/c holds each of them to models of every cell.
# What has an arithmetic of its own is held to other things, in test_fused_lstm.py.
COMPILERS = {kind.name for kind in c_compilers.engine_kinds()}
ENGINES = {
    name: kind
    for name, kind in all_engines().items()
    if not (kind.is_emulated or kind.is_approximate or kind.needs_port) and name not in COMPILERS
}
# The link carries the states of any model in the same way, and the C behind it is that of the
# engine c, which steps them all.
LINKED = ("gru", "lstm", "gru-lstm", "softmax")
SETTABLE = [name for name, kind in ENGINES.items() if kind.sets_state]
INTEGER = [name for name, kind in ENGINES.items() if kind.is_integer]
FLOAT = [name for name, kind in ENGINES.items() if not kind.is_integer]

# Steep weights make a chaotic float model, in which the last bit decides after a few steps.
SMOOTH = [name for name in CASES if not name.endswith("steep")]


def pairs(engines, cases):
    """Every engine with every case that is for it."""
    return [
        (engine, case)
        for engine in engines
        for case in cases
        if engine != "c-link" or case in LINKED
    ]


def stream(engine, case, name="random"):
    frames = frames_of(case, name)
    return frames if ENGINES[engine].is_integer else real_units(frames)


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize(("engine", "case"), pairs(INTEGER, CASES))
def test_integer_engine_has_every_bit_of_the_reference(open_engine, engine, case, name):
    with open_engine(engine, case) as running:
        actual = running.run(frames_of(case, name))
    expected = integer_trace(case, name)
    assert len(actual.outputs) >= 1000
    allowed = ENGINES[engine].known_lsb(models_of(case).model)
    assert allowed == (case == "softmax" and engine.startswith("tflm"))
    if allowed:
        apart = np.abs(actual.outputs.astype(int) - expected.outputs[0])
        assert apart.max() <= allowed
        # What is allowed of y is not allowed of any state.
        actual = Trace(expected.outputs[0], actual.states)
    assert_same_trace(engine, actual, expected)


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("case", SMOOTH)
@pytest.mark.parametrize("engine", FLOAT)
def test_float_engine_stays_near_the_reference(open_engine, engine, case, name):
    with open_engine(engine, case) as running:
        actual = running.run(real_units(frames_of(case, name)))
    assert_same_trace(engine, actual, float_trace(case, name), FLOAT_TOLERANCE)


def test_the_cases_reach_what_they_are_for():
    steep = integer_trace("lstm-steep", "saturating")
    assert (np.abs(steep.states["c0"].astype(int)) >= 32767).any()
    for name in [case for case in CASES if case.endswith("steep")]:
        assert (np.abs(integer_trace(name, "saturating").states["h0"].astype(int)) > 32000).any()
    assert integer_trace("gru", "zeros").states["h0"].any()
    for case in CASES:
        assert len(np.unique(integer_trace(case, "random").outputs)) > 10


@pytest.mark.parametrize(("engine", "case"), pairs(ENGINES, ["gru-lstm", "lstm-gru-lstm"]))
def test_steps_give_what_a_run_gives(open_engine, engine, case):
    frames = stream(engine, case)[:50]
    with open_engine(engine, case) as running:
        whole = running.run(frames)
        running.reset()
        outputs, states = [], {name: [] for name in running.state()}
        for frame in frames:
            outputs.append(running.step(frame))
            for name, value in running.state().items():
                states[name].append(value)
    stepped = Trace(np.stack(outputs), {name: np.stack(rows) for name, rows in states.items()})
    assert_same_trace(engine, stepped, whole)


@pytest.mark.parametrize("engine", SETTABLE)
@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_restored_state_goes_on_with_the_same_bits(open_engine, engine, data):
    case = data.draw(st.sampled_from(["gru-gru", "lstm-lstm", "lstm-gru"]))
    at = data.draw(st.integers(0, 59))
    frames = stream(engine, case)[:80]
    with open_engine(engine, case) as first, open_engine(engine, case) as second:
        if at:
            first.run(frames[:at])
        saved = first.state()
        expected = first.run(frames[at:])
        second.run(frames[-7:])
        second.reset(saved)
        assert_same_trace(engine, second.run(frames[at:]), expected)


@pytest.mark.parametrize(("engine", "case"), pairs(ENGINES, ["softmax", "lstm-gru-lstm", "argmax"]))
def test_the_last_output_is_that_of_a_run(open_engine, engine, case):
    frames = stream(engine, case)[:40]
    with open_engine(engine, case) as running:
        trace = running.run(frames)
        running.reset()
        for start in (0, 1, 23):
            stop = {0: 1, 1: 23, 23: 40}[start]
            found = running.run_last(frames[start:stop])
            np.testing.assert_array_equal(found, trace.outputs[stop - 1])
            for name, value in running.state().items():
                np.testing.assert_array_equal(value, trace.states[name][stop - 1])


@pytest.mark.parametrize("engine", ENGINES)
def test_reset_starts_over(open_engine, engine):
    frames = stream(engine, "lstm-gru")[:30]
    with open_engine(engine, "lstm-gru") as running:
        first = running.run(frames)
        running.reset()
        assert all(not value.any() for value in running.state().values())
        assert_same_trace(engine, running.run(frames), first)


@pytest.mark.parametrize("engine", sorted(set(ENGINES) - set(SETTABLE)))
def test_a_state_that_cannot_be_set_is_refused_and_zero_is_not(open_engine, engine):
    frames = stream(engine, "lstm-gru")[:20]
    with open_engine(engine, "lstm-gru") as running:
        first = running.run(frames)
        saved = running.state()
        with pytest.raises(EngineError, match="cannot be set: the runtime keeps it"):
            running.reset(saved)
        with pytest.raises(EngineError, match="cannot be set: the runtime keeps it"):
            running.restore(running.save())
        for name, value in running.state().items():
            np.testing.assert_array_equal(value, saved[name])
        running.reset({name: np.zeros_like(value) for name, value in saved.items()})
        assert_same_trace(engine, running.run(frames), first)


@pytest.mark.parametrize("engine", ENGINES)
def test_states_are_copies(open_engine, engine):
    frames = stream(engine, "gru-lstm")[:6]
    with open_engine(engine, "gru-lstm") as running:
        running.run(frames[:3])
        saved = running.state()
        kept = {name: value.copy() for name, value in saved.items()}
        if ENGINES[engine].sets_state:
            running.reset(saved)
        running.step(frames[3])
        for name, value in saved.items():
            np.testing.assert_array_equal(value, kept[name])
        before = {name: value.copy() for name, value in running.state().items()}
        for value in running.state().values():
            value += 1
        for name, value in running.state().items():
            np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize("engine", ENGINES)
def test_two_engines_do_not_share_a_state(open_engine, engine):
    frames = stream(engine, "gru")[:20]
    with open_engine(engine, "gru") as first, open_engine(engine, "gru") as second:
        expected = first.run(frames)
        rows = [second.step(frame) for frame in frames if first.step(frame) is not None]
    np.testing.assert_array_equal(np.stack(rows), expected.outputs)


@pytest.mark.parametrize("engine", ENGINES)
def test_wrong_input_is_refused(open_engine, engine):
    dtype = "int16" if ENGINES[engine].is_integer else "float32"
    with open_engine(engine, "gru") as running:
        size = models_of("gru").model.inputs
        running.step(np.ones(size, dtype))
        before = running.state()
        with pytest.raises(EngineError, match=f"expected {dtype}"):
            running.step(np.zeros(size + 1, dtype))
        with pytest.raises(EngineError, match=f"expected {dtype}"):
            running.step(np.zeros(size, np.float64))
        with pytest.raises(EngineError, match=f"expected {dtype}"):
            running.run(np.zeros((3, size + 1), dtype))
        with pytest.raises(EngineError, match="known are h0"):
            running.reset({"c0": np.zeros(13, dtype)})
        with pytest.raises(EngineError, match=f"expected {dtype}"):
            running.reset({"h0": np.zeros(12, dtype)})
        with pytest.raises(EngineError, match=f"expected {dtype}"):
            running.reset({"h0": np.zeros(13, np.float64)})
        for name, value in running.state().items():
            np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize(("engine", "case"), pairs(INTEGER, ["gru", "lstm", "rnn", "reset-before"]))
def test_the_float_and_the_integer_models_agree(open_engine, engine, case):
    with open_engine(engine, case) as running:
        h = running.run(frames_of(case, "random")).states["h0"] / 32768.0
    assert np.sqrt(np.mean((h - float_trace(case, "random").states["h0"][0]) ** 2)) < 0.02
