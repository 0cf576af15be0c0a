"""The service, compiled for this host: its answers, its refusals, and programs that are none."""

import struct
import sys
import textwrap

import numpy as np
import pytest
from c_models import Recipe as ModelRecipe
from c_models import build, export, frames, tool
from random_models import Shape, source

from rnn_edge.drift.resets import IntegerResets
from rnn_edge.engines import service
from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.engines.service import ENDINGS, ServiceEngine
from rnn_edge.engines.stream_process import StreamProcess
from rnn_edge.errors import EngineError, MissingDependencyError
from rnn_edge.firmware.program import Recipe, build_program
from rnn_edge.reference import IntegerReference
from rnn_edge.types import SavedState
from rnn_edge.types.resets import NEVER, ResetPolicy

STEPS = 300
MODEL = build(ModelRecipe(seed=5, kinds=("lstm", "gru"), units=(11, 6), inputs=9, name="served"))
OTHER = build(ModelRecipe(seed=6, kinds=("lstm", "gru"), units=(11, 6), inputs=9, name="served"))
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def host_program(model, folder, *flags, reset=NEVER):
    recipe = Recipe(
        target="host",
        compiler=(tool("cc"),),
        version=("--version",),
        flags=("-std=c11", "-D_POSIX_C_SOURCE=200809L", "-O1", *flags),
        templates=("linux/main.c",),
    )
    exported = sorted(export(model, folder, reset).iterdir())
    return build_program(recipe, model, exported, folder / "work")


@pytest.fixture(scope="module")
def binary(tmp_path_factory):
    return host_program(MODEL, tmp_path_factory.mktemp("service"), *SANITIZERS)


def served(binary, model=MODEL):
    return ServiceEngine(model, StreamProcess([str(binary)], "engine 'x'", ENDINGS))


def speaking(code):
    """An engine on a program that says something of its own."""
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return ServiceEngine(MODEL, StreamProcess(command, "engine 'x'", ENDINGS))


def test_service_has_every_bit_of_the_reference(binary):
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


@pytest.mark.parametrize(
    "policy", [NEVER, ResetPolicy("every", 37), ResetPolicy("decay", shift=4)], ids=str
)
def test_an_application_steps_under_the_policy_and_the_link_without(policy, tmp_path):
    x = frames(ModelRecipe(inputs=9), STEPS)
    plain = IntegerReference(MODEL).run(x[None]).outputs[0]
    outputs, states = deployed(x, policy)
    assert np.array_equal(outputs, plain) == (policy == NEVER)
    with served(host_program(MODEL, tmp_path, *SANITIZERS, reset=policy)) as engine:
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


@pytest.mark.parametrize("at", [0, 4, 8, 30, -1])
def test_the_service_refuses_a_damaged_blob_and_keeps_its_state(binary, at):
    state = {name: np.full(size, 77, np.int16) for name, size in MODEL.state_sizes.items()}
    blob = bytearray(SavedState.of(MODEL, state).pack())
    blob[at] ^= 1
    with served(binary) as engine:
        engine.run(frames(ModelRecipe(inputs=9), 20))
        before = engine.state()
        status = engine._ask(b"S" + bytes(blob), 1)[0]
        assert status in (2, 3, 4, 5)
        for name, value in engine.state().items():
            np.testing.assert_array_equal(value, before[name])


def test_a_program_of_another_model_is_refused(binary):
    with pytest.raises(EngineError, match="says it is"):
        served(binary, OTHER)


def test_an_unknown_command_ends_the_program(binary):
    engine = served(binary)
    with pytest.raises(EngineError, match="answered b'x' with b'\\?'"):
        engine._ask(b"x", 0)
    with pytest.raises(EngineError, match="is closed"):
        engine.state()
    with served(binary) as lost, pytest.raises(EngineError, match="100: it lost track"):
        lost._process.exchange(b"F\1\0\0\0x" + b"y" * 60, 10_000, 10.0)


def test_a_program_that_hangs_is_ended(monkeypatch):
    monkeypatch.setattr(service, "START_TIMEOUT_S", 0.5)
    with pytest.raises(EngineError, match=r"did not answer within 0\.5 s.*last words: waiting"):
        speaking("import sys, time; print('waiting', file=sys.stderr, flush=True); time.sleep(60)")


def test_a_program_that_hangs_in_a_step_is_ended(monkeypatch):
    identity = struct.pack(
        "<cB16sIII", b"I", service.VERSION, bytes.fromhex(MODEL.digest())[:16], 9, 3, 28
    )
    monkeypatch.setattr(service, "CALL_TIMEOUT_S", 0.5)
    engine = speaking(f"""
        import sys, time
        sys.stdin.buffer.read(1)
        sys.stdout.buffer.write({identity!r})
        sys.stdout.buffer.flush()
        time.sleep(60)
    """)
    with engine, pytest.raises(EngineError, match="did not answer"):
        engine.step(np.zeros(9, np.int16))


def test_a_program_that_crashes_is_told_with_its_last_words():
    with pytest.raises(EngineError, match=r"101: the processor ended in a fault.*PC=0xdead"):
        speaking("import sys; print('PC=0xdead', file=sys.stderr); sys.exit(101)")
    with pytest.raises(EngineError, match="SIGKILL"):
        speaking("import os; os.kill(os.getpid(), 9)")


def test_a_program_that_says_too_much_is_refused():
    with pytest.raises(EngineError, match=r"says it is|sent more than"):
        speaking("import time; print('hello ' * 100, flush=True); time.sleep(60)")


EMULATED = [name for name, kind in all_engines().items() if kind.is_emulated]


@pytest.fixture
def opened(tmp_path):
    models = source(Shape(("gru",), (5,)))
    return EngineSource(models.float_model, models.model, tmp_path, tmp_path / "work")


@pytest.mark.parametrize("engine", EMULATED)
def test_a_missing_emulator_is_named_with_its_package(opened, engine, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingDependencyError, match=r"qemu-\S+ is not installed") as caught:
        all_engines()[engine].open(opened)
    assert "apt-get install qemu-" in caught.value.hint
    assert engine in caught.value.message


@pytest.mark.parametrize("engine", EMULATED)
def test_a_missing_compiler_is_named_with_its_package(opened, engine, monkeypatch, tmp_path):
    for name in ("qemu-system-arm", "qemu-system-riscv32", "qemu-arm", "qemu-aarch64"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 3\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "ziglang", None)
    with pytest.raises(MissingDependencyError) as caught:
        all_engines()[engine].open(opened)
    text = str(caught.value)
    assert "apt-get install gcc-" in text or "pip install 'rnn-edge[cross]'" in text


def test_a_missing_export_is_named_before_anything_is_compiled(opened):
    tool("arm-none-eabi-gcc")
    tool("qemu-system-arm")
    with pytest.raises(EngineError, match=r"sample\.h is missing"):
        all_engines()["device:qemu-m4"].open(opened)
