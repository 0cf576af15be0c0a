"""Whole random models in every engine: any size and scale, pinned gates, both ends of int16.

Beside the engines stands the definition: the program, operator by operator, with the multipliers
and roundings of the kernels in full.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conformance_cases import assert_same_trace
from extreme_models import Extreme, extremes, frames_of, model_of, state_of
from hypothesis import HealthCheck, example, given, settings
from kernel_definition import DefinitionRun

from rnn_edge.cells import CELLS
from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.errors import MissingDependencyError
from rnn_edge.exporters.base import ExportSource, all_exporters
from rnn_edge.reference import IntegerReference
from rnn_edge.types import GATES

STEPS = 24
QUICK = ("litert", "litert-ref", "onnx-int8")
ALL_HERE = (*QUICK, "c")
COMPILED = ("c-gcc-O0", "c-clang-O2", "c-sanitized")
ELSEWHERE = ("tflite-runtime", "tflm")
EVERY_KIND = tuple(GATES)

examples = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


def run_engines(extreme, engines, steps=STEPS):
    """Compare engines with the reference from a zero state and from any; skip nothing silently."""
    model = model_of(extreme)
    x, start = frames_of(extreme, steps), state_of(extreme, model)
    reference = IntegerReference(model)
    expected = []
    for state in (None, start):
        reference.reset(state)
        expected.append(reference.run(x[None]))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name in {all_engines()[engine].exporter for engine in engines}:
            all_exporters()[name].export(ExportSource(None, model), folder)
        source = EngineSource(None, model, folder, folder / "work")
        for engine in engines:
            try:
                opened = all_engines()[engine].open(source)
            except MissingDependencyError as error:
                pytest.skip(str(error))
            with opened as running:
                for state, wanted in zip((None, start), expected, strict=True):
                    running.reset(state)
                    assert_same_trace(f"{engine} {extreme}", running.run(x), wanted)
    return expected[1]


@settings(examples, max_examples=40)
@given(extremes())
def test_the_reference_is_the_definition(extreme):
    model = model_of(extreme)
    x, start = frames_of(extreme, STEPS)[None], state_of(extreme, model)
    state = {name: value[None] for name, value in start.items()}
    reference = IntegerReference(model)
    reference.reset(state)
    expected = reference.run(x)
    for is_reduced in (False, True):
        actual = DefinitionRun(model, is_reduced).run(x, state)
        assert_same_trace(f"definition of {extreme}", actual, expected)


@settings(examples, max_examples=12)
@given(extremes())
def test_engines_equal_the_reference(extreme):
    for engine in QUICK:
        pytest.importorskip({"onnx-int8": "onnxruntime"}.get(engine, "ai_edge_litert"))
    run_engines(extreme, QUICK)


@pytest.mark.slow
@settings(examples, max_examples=30)
@given(extremes())
@example(Extreme(EVERY_KIND[:3], (130, 129, 128), 130, 130, gain=4.0))
@example(Extreme(EVERY_KIND[1:4], (1, 1, 1), 1, 1, gain=20.0, cell_exponent=-15))
def test_all_engines_equal_the_reference(extreme):
    run_engines(extreme, ALL_HERE)


@pytest.mark.slow
@settings(examples, max_examples=5)
@given(extremes())
def test_compilers_equal_the_reference(extreme):
    run_engines(extreme, COMPILED)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ELSEWHERE)
@settings(examples, max_examples=8)
@given(extreme=extremes())
def test_runtimes_elsewhere_equal_the_reference(engine, extreme):
    run_engines(extreme, (engine,))


def pinned_cases():
    for kind, gates in GATES.items():
        for gate in gates:
            for end in (0.0, 1.0):
                yield Extreme((kind, kind), (9, 5), 6, 3, gain=1.0, pins=((gate, end),), seed=7)


@pytest.mark.parametrize(
    "extreme", list(pinned_cases()), ids=lambda e: f"{e.kinds[0]}-{e.pins[0][0]}-{e.pins[0][1]:g}"
)
def test_every_gate_at_either_end(extreme):
    pytest.importorskip("ai_edge_litert")
    run_engines(extreme, ("litert", "litert-ref"), steps=120)


@pytest.mark.parametrize("cell_exponent", range(-15, 1))
@pytest.mark.parametrize("kind", [k for k, cell in CELLS.items() if "c" in cell.states])
def test_every_scale_of_a_cell_state(kind, cell_exponent):
    pytest.importorskip("ai_edge_litert")
    pytest.importorskip("onnxruntime")
    extreme = Extreme((kind,), (17,), 6, 3, gain=4.0, cell_exponent=cell_exponent, seed=3)
    run_engines(extreme, QUICK, steps=90)


def last_states(extreme, start):
    model = model_of(extreme)
    reference = IntegerReference(model)
    reference.reset(start)
    return reference.run(frames_of(extreme, 90)[None]).states["h0"][0]


def test_a_pinned_gate_is_open_or_shut():
    # The update gate of a GRU decides what is kept: everything, or nothing.
    free = Extreme(("gru",), (12,), 5, 2, seed=11)
    start = {"h0": np.linspace(-30000, 30000, 12).astype(np.int16)}
    shut, opened = replace(free, pins=(("z", 0.0),)), replace(free, pins=(("z", 1.0),))
    kept = last_states(opened, start)
    assert np.abs(kept.astype(int) - start["h0"]).max() < 1000
    assert np.abs(last_states(free, start).astype(int) - start["h0"]).max() > 5000
    assert np.abs(last_states(shut, start).astype(int) - start["h0"]).max() > 5000
