"""Engines whose runtime is elsewhere, with small stand-ins for the runtimes."""

import os
import sys
import types
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from random_models import Shape, source

from rnn_edge.engines import tflite_runtime, tflm, worker_engine, worker_program
from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.engines.layout import StreamLayout
from rnn_edge.engines.worker import CALL_TIMEOUT_S, START_TIMEOUT_S, Worker
from rnn_edge.engines.worker_engine import RemoteSession, SessionEngine
from rnn_edge.errors import EngineError, EnvironmentFailureError, MissingDependencyError
from rnn_edge.exporters.base import all_exporters

# A runtime in TFLM's manner, whose model adds each input to its state. It prints to stdout, and
# its inputs and outputs stand in another order than the host's.
STAND_IN = """
import os
import types

import numpy as np


def tensor(name):
    return types.SimpleNamespace(name=name.encode())


class Interpreter:
    def __init__(self, content):
        if b"refuse" in content:
            raise RuntimeError("no kernel for this")
        if b"abort" in content:
            os.write(2, b"arena is too small\\n")
            os.abort()
        self.fails = b"fail later" in content
        self.entering = [np.zeros((1, 3), np.int16), np.zeros((1, 3), np.int16)]

    @classmethod
    def from_bytes(cls, content, arena_size):
        assert arena_size >= 65536
        return cls(content)

    def get_input_details(self, index):
        return {"shape": np.array([1, 3], np.int32), "dtype": np.int16}

    get_output_details = get_input_details

    def set_input(self, value, index):
        assert value.shape == (1, 3) and value.dtype == np.int16
        self.entering[index] = value

    def invoke(self):
        os.write(1, b"noise from a library")
        if self.fails and self.entering[1][0, 0] == 9:
            raise RuntimeError("Invoke failed")
        self.state = self.entering[0] + self.entering[1]

    def get_output(self, index):
        return (self.state, -self.state)[index]


def convert_bytearray_to_object(content):
    names = ["h0_in", "x", "h0_out", "y"]
    graph = types.SimpleNamespace(
        tensors=[tensor(name) for name in names], inputs=[0, 1], outputs=[2, 3]
    )
    return types.SimpleNamespace(subgraphs=[graph])


runtime = types.SimpleNamespace(
    Interpreter=Interpreter, convert_bytearray_to_object=convert_bytearray_to_object
)
"""

LAYOUT = StreamLayout("adder", "int16", 3, 3, {"h0": 3})


def adder_file(extra=b""):
    return b"\x1c\0\0\0TFL3" + extra


@pytest.fixture
def open_adder(tmp_path):
    """Return a function that opens the stand-in's model in a worker."""
    (tmp_path / "tflite_micro.py").write_text(STAND_IN)
    code = (
        f"import runpy, sys; sys.path.insert(0, {str(tmp_path)!r}); "
        f"runpy.run_path({worker_program.__file__!r}, run_name='__main__')"
    )
    opened = []

    def open_one(content=None, layout=LAYOUT):
        worker = Worker([sys.executable, "-I", "-c", code], "engine 'tflm'")
        opened.append(worker)
        session = RemoteSession(worker, "tflm", content or adder_file(), tmp_path / "model.tflite")
        return SessionEngine(layout, session, tmp_path / "model.tflite")

    yield open_one
    for worker in opened:
        worker.close()


def assert_adds(trace, frames, start=0):
    expected = start + np.cumsum(frames, axis=0, dtype=np.int16)
    np.testing.assert_array_equal(trace.states["h0"], expected)
    np.testing.assert_array_equal(trace.outputs, -expected)


def frames_of(steps):
    return np.random.default_rng(steps).integers(-9, 9, (steps, 3)).astype(np.int16)


@pytest.mark.parametrize("steps", [0, 1, 6, 7, 8, 20])
def test_a_run_in_several_messages_is_one_stream(open_adder, monkeypatch, steps):
    monkeypatch.setattr(worker_engine, "STEPS_PER_MESSAGE", 7)
    frames = frames_of(steps)
    with open_adder() as engine:
        trace = engine.run(frames)
        assert trace.outputs.shape == (steps, 3)
        assert_adds(trace, frames)
        engine.reset({"h0": np.array([100, 200, 300], np.int16)})
        assert_adds(engine.run(frames), frames, np.array([100, 200, 300], np.int16))


def test_steps_and_runs_share_the_state(open_adder):
    frames = frames_of(9)
    with open_adder() as engine:
        rows = [engine.step(frame) for frame in frames[:4]]
        rest = engine.run(frames[4:])
        np.testing.assert_array_equal(engine.state()["h0"], frames.sum(axis=0))
    expected = -np.cumsum(frames, axis=0, dtype=np.int16)
    np.testing.assert_array_equal(np.vstack([rows, rest.outputs]), expected)


def test_a_failing_runtime_leaves_state_and_worker_usable(open_adder):
    frames = frames_of(3)
    bad = np.array([[9, 0, 0]], np.int16)
    with open_adder(adder_file(b"fail later")) as engine:
        engine.run(frames)
        before = engine.state()["h0"]
        with pytest.raises(EngineError, match=r"fails in its worker: Invoke failed\."):
            engine.run(np.vstack([frames, bad]))
        np.testing.assert_array_equal(engine.state()["h0"], before)
        assert_adds(engine.run(frames), frames, before)


def test_a_refused_file_and_an_aborting_runtime_are_told_apart(open_adder):
    with pytest.raises(EngineError, match=r"model.tflite is refused by tflm: no kernel for this\."):
        open_adder(adder_file(b"refuse"))
    with pytest.raises(EngineError, match=r"ended by SIGABRT; its last words: arena is too small"):
        open_adder(adder_file(b"abort"))
    with pytest.raises(EngineError, match="refused by tflm: it is not a TFLite file"):
        open_adder(b"something else")


def test_a_file_with_other_tensors_is_refused_and_its_worker_ended(open_adder, monkeypatch):
    closed = []
    monkeypatch.setattr(RemoteSession, "close", lambda self: closed.append(self._worker.close()))
    with pytest.raises(EngineError, match=r"has tensors .*h0_in"):
        open_adder(layout=StreamLayout("other", "int16", 3, 3, {"c0": 3}))
    assert len(closed) == 1


def test_an_engine_that_was_closed_says_so(open_adder):
    engine = open_adder()
    engine.close()
    engine.close()
    with pytest.raises(EngineError, match="is closed"):
        engine.step(np.zeros(3, np.int16))


def test_a_runtime_that_is_gone_from_its_environment_is_named(tmp_path):
    command = [sys.executable, "-I", worker_program.__file__]
    worker = Worker(command, "engine 'tflite-runtime'", "remove that folder")
    blocked = "tflm" if find_spec("tflite_micro") is None else "tflite-runtime"
    with pytest.raises(
        EnvironmentFailureError, match="does not load in its environment: No m"
    ) as caught:
        RemoteSession(worker, blocked, adder_file(), tmp_path / "model.tflite")
    assert caught.value.hint == "remove that folder"
    with pytest.raises(ProcessLookupError):
        os.kill(worker.pid, 0)


@pytest.fixture
def exported(tmp_path):
    models = source(Shape(("gru",), (5,)))
    try:
        all_exporters()["tflite"].export(models, tmp_path)
    except MissingDependencyError as error:
        pytest.skip(str(error))
    return EngineSource(models.float_model, models.model, tmp_path, tmp_path / "work")


@pytest.fixture
def no_environment(monkeypatch):
    """Fail where an environment is asked for, with its name."""

    def refuse(environment):
        raise EnvironmentFailureError(f"asked for {environment.name}")

    monkeypatch.setattr(worker_engine, "interpreter_of", refuse)


@pytest.fixture
def put_package(monkeypatch, tmp_path):
    """Return a function that puts a package on the path, and forgets it after the test."""

    def put(name, **files):
        monkeypatch.syspath_prepend(tmp_path / "packages")
        folder = tmp_path / "packages" / name
        folder.mkdir(parents=True)
        for file, content in {"__init__": "", **files}.items():
            (folder / f"{file}.py").write_text(content)
        for module in (name, *(f"{name}.{file}" for file in files if file != "__init__")):
            monkeypatch.delitem(sys.modules, module, raising=False)
            names.append(module)

    names = []
    yield put
    for module in names:
        sys.modules.pop(module, None)


def test_tflite_runtime_runs_here_where_it_loads(exported, monkeypatch, no_environment):
    real = pytest.importorskip("ai_edge_litert.interpreter")
    package = types.ModuleType("tflite_runtime")
    monkeypatch.setitem(sys.modules, "tflite_runtime", package)
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", real)
    frames = np.random.default_rng(1).integers(-4000, 4000, (60, 5)).astype(np.int16)
    with all_engines()["tflite-runtime"].open(exported) as engine:
        actual = engine.run(frames)
    with all_engines()["int8"].open(exported) as engine:
        expected = engine.run(frames)
    np.testing.assert_array_equal(actual.outputs, expected.outputs)
    np.testing.assert_array_equal(actual.states["h0"], expected.states["h0"])


@pytest.mark.parametrize(
    "content", ["raise ImportError('numpy.core.multiarray')", "raise AttributeError('_ARRAY_API')"]
)
@pytest.mark.parametrize(
    ("engine", "package", "file"),
    [("tflite-runtime", "tflite_runtime", "interpreter"), ("tflm", "tflite_micro", "__init__")],
)
def test_a_runtime_for_another_numpy_goes_to_its_environment(
    exported, put_package, monkeypatch, no_environment, engine, package, file, content
):
    monkeypatch.setattr(tflite_runtime, "NEWEST_PYTHON", sys.version_info[:2])
    put_package(package, **{file: content})
    with pytest.raises(EnvironmentFailureError, match=f"asked for {engine}"):
        all_engines()[engine].open(exported)


def test_tflm_runs_here_where_it_loads(exported, put_package, no_environment):
    put_package("tflite_micro", __init__=STAND_IN)
    # The stand-in has other tensors than the file: it was asked, and no environment was.
    with pytest.raises(EngineError, match=r"has tensors .*expected"):
        all_engines()["tflm"].open(exported)


def test_tflite_runtime_is_refused_for_a_python_without_wheels(
    exported, monkeypatch, no_environment
):
    monkeypatch.setitem(sys.modules, "tflite_runtime", None)
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", None)
    monkeypatch.setattr(tflite_runtime, "NEWEST_PYTHON", (3, 10))
    with pytest.raises(MissingDependencyError, match="no wheels for Python 3") as caught:
        all_engines()["tflite-runtime"].open(exported)
    assert "ai-edge-litert" in caught.value.hint


@pytest.mark.parametrize("engine", ["tflite-runtime", "tflm"])
def test_a_missing_or_foreign_export_is_told_before_anything_is_installed(
    exported, monkeypatch, no_environment, engine
):
    for module in ("tflite_runtime", "tflite_runtime.interpreter", "tflite_micro"):
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr(tflite_runtime, "NEWEST_PYTHON", sys.version_info[:2])
    path = exported.exports / "model.tflite"
    path.write_bytes(b"another model")
    with pytest.raises(EngineError, match="of another model"):
        all_engines()[engine].open(exported)
    path.unlink()
    with pytest.raises(EngineError, match="cannot be read"):
        all_engines()[engine].open(exported)


def test_versions_that_decide_about_bits_are_exact():
    for module in (tflite_runtime, tflm):
        assert "==" in module.ENVIRONMENT.requirements[0]
        assert module.ENVIRONMENT.name == module.ENGINE.name
        assert module.ENGINE.is_integer


def test_the_document_names_the_versions_and_limits_in_force():
    text = (Path(__file__).parents[3] / "docs" / "engines.md").read_text()
    for module in (tflite_runtime, tflm):
        assert f"| `{module.ENGINE.name}` | `{module.ENVIRONMENT.requirements[0]}`" in text
    assert f"messages of {worker_engine.STEPS_PER_MESSAGE:,} frames" in text
    limits = f"limit of {CALL_TIMEOUT_S:g} s, the first one {START_TIMEOUT_S:g} s"
    assert limits in " ".join(text.split())
