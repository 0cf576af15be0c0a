"""Engines in programs of this host: their policies, and what is said of programs that fail."""

import signal
import sys
import textwrap
import time

import numpy as np
import pytest
from c_models import Recipe as ModelRecipe
from c_models import build, export, frames, tool

from rnn_edge.drift.resets import IntegerResets
from rnn_edge.engines import program_engine
from rnn_edge.engines.program_engine import ProgramStream, open_program
from rnn_edge.errors import EngineError, LinkError
from rnn_edge.firmware.link import build_link_program
from rnn_edge.reference import IntegerReference
from rnn_edge.types.resets import NEVER, ResetPolicy

STEPS = 300
MODEL = build(ModelRecipe(seed=5, kinds=("lstm", "gru"), units=(11, 6), inputs=9, name="served"))
OTHER = build(ModelRecipe(seed=6, kinds=("lstm", "gru"), units=(11, 6), inputs=9, name="served"))
SANITIZERS = ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def host_program(folder, reset=NEVER):
    exported = sorted(export(MODEL, folder, reset).iterdir())
    return build_link_program([tool("cc")], MODEL, exported, folder / "work", SANITIZERS)


@pytest.fixture(scope="module")
def binary(tmp_path_factory):
    return host_program(tmp_path_factory.mktemp("program"))


def served(binary, model=MODEL):
    return open_program(model, ProgramStream([str(binary)], "engine 'x'"), "engine 'x'")


def speaking(code):
    """A program that says something of its own."""
    return ProgramStream([sys.executable, "-c", textwrap.dedent(code)], "engine 'x'")


def opened(stream):
    """An engine on a program."""
    return open_program(MODEL, stream, "engine 'x'")


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(program_engine, "TIMEOUT_S", 0.3)
    monkeypatch.setattr(program_engine, "ATTEMPTS", 2)


def test_a_program_has_every_bit_of_the_reference(binary):
    x = frames(ModelRecipe(inputs=9), STEPS)
    expected = IntegerReference(MODEL).run(x[None])
    with served(binary) as engine:
        trace = engine.run(x)
        np.testing.assert_array_equal(trace.outputs, expected.outputs[0])
        assert list(trace.states) == ["h0", "c0", "h1"]
        for name, value in trace.states.items():
            np.testing.assert_array_equal(value, expected.states[name][0])
            np.testing.assert_array_equal(engine.state()[name], value[-1])
        counters = engine.counters()
    assert (counters.steps, counters.ticks, counters.stack_bytes) == (STEPS, 0, 0)


def deployed(x, policy):
    """Outputs and states of the integer reference under a policy."""
    reference, outputs, states = IntegerReference(MODEL), [], []
    resets = IntegerResets(policy, 1, MODEL.inputs, MODEL.input_exponent)
    for frame in x:
        resets.prepare(reference.state, frame[None])
        outputs.append(reference.step(frame[None])[0])
        states.append(reference.state["h1"][0].copy())
    return np.array(outputs), np.array(states)


@pytest.mark.slow
@pytest.mark.parametrize(
    "policy", [NEVER, ResetPolicy("every", 37), ResetPolicy("decay", shift=4)], ids=str
)
def test_an_application_steps_under_the_policy_and_the_link_without(policy, tmp_path):
    x = frames(ModelRecipe(inputs=9), STEPS)
    plain = IntegerReference(MODEL).run(x[None]).outputs[0]
    outputs, states = deployed(x, policy)
    assert np.array_equal(outputs, plain) == (policy == NEVER)
    with served(host_program(tmp_path, policy)) as engine:
        np.testing.assert_array_equal(engine.run(x).outputs, plain)
        for start_over in (engine.reset, lambda: engine.reset({"h1": np.zeros(6, np.int16)})):
            start_over()
            trace = engine.run_deployed(x)
            np.testing.assert_array_equal(trace.outputs, outputs)
            np.testing.assert_array_equal(trace.states["h1"], states)


def test_a_run_of_nothing_is_empty(binary):
    with served(binary) as engine:
        trace = engine.run(np.empty((0, 9), np.int16))
    assert trace.outputs.shape == (0, 3)
    assert trace.states["h0"].shape == (0, 11)


def test_a_state_is_the_same_in_c_and_here(binary):
    rng = np.random.default_rng(0)
    state = {
        n: rng.integers(-32768, 32768, k).astype(np.int16) for n, k in MODEL.state_sizes.items()
    }
    with served(binary) as engine:
        engine.reset(state)
        for name, value in engine.state().items():
            np.testing.assert_array_equal(value, state[name])
        engine.reset({"h1": state["h1"]})
        assert not engine.state()["h0"].any()
        np.testing.assert_array_equal(engine.state()["h1"], state["h1"])
        engine.reset()
        assert not any(value.any() for value in engine.state().values())


def test_a_program_of_another_model_is_refused(binary):
    with pytest.raises(EngineError, match=r"serves model 'served', .*; expected 'served', "):
        served(binary, OTHER)


def test_a_program_that_hangs_is_named_with_its_last_words(impatient):
    code = "import sys, time; print('waiting', file=sys.stderr, flush=True); time.sleep(60)"
    stream, deadline = speaking(code), time.monotonic() + 60
    while not stream.last_words() and time.monotonic() < deadline:
        time.sleep(0.01)
    with pytest.raises(LinkError, match=r"^Engine 'x': .*did not answer.*last words: waiting"):
        opened(stream)


def test_a_program_that_hangs_in_a_step_is_named(binary):
    engine = served(binary)
    # It had all the time that it takes to start.
    engine.client._timeout_s, engine.client._attempts = 0.3, 2
    engine.client._port._stream._process.send_signal(signal.SIGSTOP)
    with pytest.raises(LinkError, match=r"^Engine 'x': Device did not answer step in 2 attempts"):
        engine.step(np.zeros(9, np.int16))
    engine.client._port._stream._process.kill()
    engine.close()


def test_a_program_that_crashes_is_told_with_its_last_words():
    with pytest.raises(EngineError, match=r"101: the processor ended in a fault.*PC=0xdead"):
        opened(speaking("import sys; print('PC=0xdead', file=sys.stderr); sys.exit(101)"))
    with pytest.raises(EngineError, match="engine 'x' was ended by SIGKILL"):
        opened(speaking("import os; os.kill(os.getpid(), 9)"))


def test_a_program_that_says_something_else_is_refused(impatient):
    with pytest.raises(EngineError, match="did not answer"):
        opened(speaking("import time; print('hello ' * 100, flush=True); time.sleep(60)"))


def test_a_program_that_does_not_start_is_named():
    with pytest.raises(LinkError, match="Program of the engine 'x' does not start: /no/such"):
        ProgramStream(["/no/such"], "engine 'x'")


def test_a_program_that_goes_on_without_input_is_told_to_end():
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    stream = ProgramStream(command, "engine 'x'", ends_with_input=False)
    process = stream._process
    stream.close()
    # One that was only waited for would be killed.
    assert process.returncode == -signal.SIGTERM
    stream.close()
