"""TFLM and tflite-runtime, the real packages: every bit of streams that are never reset."""

import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from conformance_cases import assert_same_trace
from random_models import INPUT_EXPONENT, Shape, source

from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.errors import EngineError, MissingDependencyError
from rnn_edge.exporters.base import ExportSource, all_exporters
from rnn_edge.reference import IntegerReference

pytestmark = pytest.mark.slow

STEPS = 2000
RUNTIMES = ("tflite-runtime", "tflm")
MODELS = {
    "gru": Shape(("gru",), (64,), inputs=40, outputs=12, seed=31),
    "lstm": Shape(("lstm",), (64,), inputs=40, outputs=12, seed=32),
    "gru-gru": Shape(("gru", "gru"), (48, 33), inputs=40, outputs=12, seed=33),
    "lstm-lstm": Shape(("lstm", "lstm"), (31, 64), inputs=13, outputs=2, seed=34),
    "rnn-before": Shape(("rnn", "gru_reset_before"), (48, 33), inputs=40, outputs=12, seed=36),
    "before-lstm-rnn": Shape(("gru_reset_before", "lstm", "rnn"), (31, 9, 24), 13, 2, seed=37),
    "steep-before": Shape(("gru_reset_before",), (64,), 40, 12, gain=6.0, seed=38),
    "steep-lstm": Shape(("lstm",), (64,), 40, 12, cell_exponent=-13, gain=6.0, seed=35),
}


@pytest.fixture
def open_exported(tmp_path):
    """Return a function that exports a model and opens a runtime, or skips without a network."""

    def open_one(runtime, models):
        try:
            all_exporters()["tflite"].export(models, tmp_path)
            return all_engines()[runtime].open(
                EngineSource(models.float_model, models.model, tmp_path, tmp_path / "work")
            )
        except MissingDependencyError as error:
            pytest.skip(str(error))

    return open_one


def mixed_stream(shape):
    """Features that vary slowly, then extremes, then silence, int16 (STEPS, D)."""
    rng = np.random.default_rng(shape.seed)
    frames = rng.normal(0, 1, (STEPS, shape.inputs))
    for t in range(1, STEPS):
        frames[t] = 0.8 * frames[t - 1] + 0.6 * frames[t]
    frames = np.clip(np.rint(frames * 2.0**-INPUT_EXPONENT), -32768, 32767).astype(np.int16)
    frames[1200:1300] = rng.choice(np.array([-32768, 32767], np.int16), (100, shape.inputs))
    frames[1700:] = 0
    return frames


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_random_models_have_every_bit_of_the_reference(open_exported, runtime, name):
    models = source(MODELS[name])
    frames = mixed_stream(MODELS[name])
    with open_exported(runtime, models) as engine:
        actual = engine.run(frames)
    assert_same_trace(runtime, actual, IntegerReference(models.model).run(frames[None]))


@pytest.mark.parametrize("kind", ["gru", "lstm"])
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_golden_vectors_are_reproduced(open_exported, runtime, kind):
    outside_graph = pytest.importorskip("outside_graph")
    if not outside_graph.GOLDEN.is_dir():
        pytest.skip(f"golden vectors not found at {outside_graph.GOLDEN} (RNN_EDGE_GOLDEN)")
    expected = outside_graph.vectors(kind)
    models = ExportSource(None, outside_graph.load(kind))
    with open_exported(runtime, models) as engine:
        trace = engine.run(expected["x"])
    assert len(expected["x"]) == STEPS
    np.testing.assert_array_equal(trace.states["h0"], expected["h"])
    if kind == "lstm":
        np.testing.assert_array_equal(trace.states["c0"], expected["c"])
    np.testing.assert_array_equal(trace.outputs, expected["y"])


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_comparison_of_these_traces_can_fail(open_exported, runtime):
    models, other = source(Shape(("gru",), (9,))), source(Shape(("gru",), (9,), seed=1))
    frames = mixed_stream(Shape(("gru",), (9,)))[:50]
    with open_exported(runtime, models) as engine:
        actual = engine.run(frames)
    with pytest.raises(pytest.fail.Exception, match=rf"engine {runtime}: step \d+, tensor"):
        assert_same_trace(runtime, actual, IntegerReference(other.model).run(frames[None]))


@pytest.fixture
def in_worker(runtime):
    """Skip where the runtime is installed beside this package, and so runs in this process."""
    package = {"tflite-runtime": "tflite_runtime", "tflm": "tflite_micro"}[runtime]
    if find_spec(package) is not None:
        pytest.skip(f"{package} is installed here")


@pytest.mark.usefixtures("in_worker")
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_damaged_file_does_not_take_this_process_with_it(open_exported, runtime, tmp_path):
    models = source(Shape(("gru",), (9,)))
    open_exported(runtime, models).close()
    path = tmp_path / "model.tflite"
    content = path.read_bytes()
    from_source = EngineSource(models.float_model, models.model, tmp_path, tmp_path / "work")
    damaged = content[:8] + b"\xff" * 400 + content[408:]
    assert models.model.digest().encode() in damaged
    path.write_bytes(damaged)
    with pytest.raises(EngineError, match=r"refused|Worker of the engine"):
        all_engines()[runtime].open(from_source)


@pytest.mark.usefixtures("in_worker")
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_no_worker_outlives_its_engine(open_exported, runtime):
    engine = open_exported(runtime, source(Shape(("lstm",), (7,))))
    engine.step(np.zeros(5, np.int16))
    children = set(children_of(os.getpid()))
    engine.close()
    assert set(children_of(os.getpid())) < children


def children_of(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
