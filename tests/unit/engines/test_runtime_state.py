"""Engines whose state is in the runtime, with stand-ins for runtimes that lie or fail."""

import types

import numpy as np
import pytest
from random_models import Shape, source

from rnn_edge.engines import runtime_state, worker_program
from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.engines.layout import StreamLayout
from rnn_edge.engines.numbers import AffineIntegers, SameIntegers
from rnn_edge.engines.runtime_state import LocalSession, RuntimeStateEngine
from rnn_edge.errors import EngineError, MissingDependencyError
from rnn_edge.exporters.base import all_exporters

LAYOUT = StreamLayout("adder", "int16", 3, 3, {"h0": 3})
NAMES = ["x", "h0", "h0_in", "h0_out", "y"]


class Adder:
    """In TFLM's manner: adds each input to a variable. It may forget, or fail."""

    forgets_at = fails_at = None

    def __init__(self):
        self.tensors = {name: np.zeros((1, 3), np.int16) for name in NAMES}
        self.variable = np.zeros((1, 3), np.int16)
        self.steps = 0

    @classmethod
    def from_bytes(cls, content, arena_size, intrepreter_config):
        assert intrepreter_config == "all"
        return cls()

    def get_input_details(self, index):
        return {"shape": np.array([1, 3], np.int32), "dtype": np.int16}

    get_output_details = get_input_details

    def set_input(self, value, index):
        self.tensors["x"] = value

    def invoke(self):
        if self.steps == self.fails_at:
            raise RuntimeError("Invoke failed")
        if self.steps == self.forgets_at:
            self.variable = np.zeros((1, 3), np.int16)
        self.steps += 1
        self.tensors["h0_in"] = self.variable
        self.tensors["h0_out"] = self.variable + self.tensors["x"]
        self.variable = self.tensors["h0_out"]
        self.tensors["y"] = -self.variable

    def reset(self):
        self.variable = np.zeros((1, 3), np.int16)

    def get_output(self, index):
        return self.tensors["y"]

    def GetTensor(self, index, subgraph):  # noqa: N802 - the name that TFLM has
        return {"tensor_data": self.tensors[NAMES[index]]}


def micro(interpreter=Adder):
    numbers = types.SimpleNamespace(scale=[1.0], zeroPoint=[0])
    tensors = [types.SimpleNamespace(name=n.encode(), quantization=numbers) for n in NAMES]
    graph = types.SimpleNamespace(tensors=tensors)
    return types.SimpleNamespace(
        runtime=types.SimpleNamespace(
            Interpreter=interpreter,
            InterpreterConfig=types.SimpleNamespace(kPreserveAllTensors="all"),
            convert_bytearray_to_object=lambda _: types.SimpleNamespace(subgraphs=[graph]),
        )
    )


def open_adder(tmp_path, interpreter=Adder):
    session = worker_program.MicroStatefulSession(micro(interpreter), b"", ["h0"])
    return RuntimeStateEngine(LAYOUT, SameIntegers(), LocalSession(session), tmp_path / "model")


def frames_of(steps):
    return np.random.default_rng(steps).integers(-9, 9, (steps, 3)).astype(np.int16)


def test_a_run_of_several_messages_is_one_stream(tmp_path, monkeypatch):
    monkeypatch.setattr(runtime_state, "STEPS_PER_MESSAGE", 7)
    frames = frames_of(20)
    engine = open_adder(tmp_path)
    trace = engine.run(frames)
    expected = np.cumsum(frames, axis=0, dtype=np.int16)
    np.testing.assert_array_equal(trace.states["h0"], expected)
    np.testing.assert_array_equal(trace.outputs, -expected)
    np.testing.assert_array_equal(engine.state()["h0"], expected[-1])
    assert engine.run(frames[:0]).outputs.shape == (0, 3)


def test_a_runtime_that_forgets_its_variable_is_caught_at_the_next_step(tmp_path):
    class Forgetful(Adder):
        forgets_at = 3

    engine = open_adder(tmp_path, Forgetful)
    frames = np.ones((5, 3), np.int16)
    engine.run(frames[:3])
    with pytest.raises(EngineError, match="the variable h0 was not what was assigned to it"):
        engine.step(frames[3])


def test_a_failure_of_the_runtime_is_an_engine_error(tmp_path):
    class Failing(Adder):
        fails_at = 2

    engine = open_adder(tmp_path, Failing)
    with pytest.raises(EngineError, match=r"^Runtime fails: Invoke failed\."):
        engine.run(frames_of(4))
    engine.reset()
    assert not engine.state()["h0"].any()


def test_a_state_that_is_zero_is_a_reset_and_any_other_is_refused(tmp_path):
    engine = open_adder(tmp_path)
    engine.run(np.ones((2, 3), np.int16))
    with pytest.raises(EngineError, match="State of adder cannot be set"):
        engine.reset({"h0": np.array([0, 0, 1], np.int16)})
    np.testing.assert_array_equal(engine.state()["h0"], [2, 2, 2])
    engine.reset({"h0": np.zeros(3, np.int16)})
    assert not engine.state()["h0"].any()


def test_a_file_without_the_states_or_with_other_sizes_is_refused(tmp_path):
    with pytest.raises(ValueError, match="it has no c0"):
        worker_program.MicroStatefulSession(micro(), b"", ["h0", "c0"])
    session = worker_program.MicroStatefulSession(micro(), b"", ["h0"])
    wrong = StreamLayout("other", "int16", 4, 3, {"h0": 3})
    with pytest.raises(EngineError, match=r"'x': \(3, 'int16'\).*expected.*'x': \(4"):
        RuntimeStateEngine(wrong, SameIntegers(), LocalSession(session), tmp_path / "model")


def test_real_numbers_become_integers_and_come_back():
    numbers = AffineIntegers({"x": (0.5, 10), "c0": (0.25, 0)})
    np.testing.assert_array_equal(
        numbers.enter("x", np.array([0.0, 1.2, -1.3, 1e9, -1e9], np.float32)),
        np.array([10, 12, 7, 127, -128], np.int8),
    )
    cells = np.arange(-32768, 32768).astype(np.int16)
    real = numbers.leave("c0", cells)
    assert real.dtype == np.float32
    np.testing.assert_array_equal(numbers.enter("c0", real), cells)
    assert (numbers.dtype("h0"), numbers.dtype("c0")) == ("int8", "int16")


@pytest.fixture
def exported(tmp_path):
    models = source(Shape(("gru",), (5,)))
    try:
        all_exporters()["tflite-stateful"].export(models, tmp_path)
    except MissingDependencyError as error:
        pytest.skip(str(error))
    return EngineSource(models.float_model, models.model, tmp_path, tmp_path / "work")


def test_litert_is_asked_for_by_its_extra(exported, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(MissingDependencyError, match=r"rnn-edge\[litert\]"):
        all_engines()["litert-stateful"].open(exported)


def test_a_file_with_explicit_state_is_refused_by_a_stateful_engine(exported):
    pytest.importorskip("ai_edge_litert")
    models = source(Shape(("gru",), (5,)))
    all_exporters()["tflite"].export(models, exported.exports)
    path = exported.exports / "model_stateful.tflite"
    path.write_bytes((exported.exports / "model.tflite").read_bytes())
    with pytest.raises(EngineError, match=r"refused by litert-stateful: .*get_state"):
        all_engines()["litert-stateful"].open(exported)


@pytest.mark.parametrize("engine", ["litert-stateful", "tflm-stateful", "tflite-runtime-stateful"])
def test_a_missing_or_stale_export_is_named_before_any_runtime_is_started(tmp_path, engine):
    models, other = source(Shape(("gru",), (5,))), source(Shape(("gru",), (5,), seed=1))
    opened = EngineSource(models.float_model, models.model, tmp_path, tmp_path / "work")
    with pytest.raises(EngineError, match=r"model_stateful\.tflite cannot be read"):
        all_engines()[engine].open(opened)
    pytest.importorskip("ai_edge_litert")
    all_exporters()["tflite-stateful"].export(other, tmp_path)
    with pytest.raises(EngineError, match="of another model"):
        all_engines()[engine].open(opened)
