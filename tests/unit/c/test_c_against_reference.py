"""Generated C against the integer reference, every output and state of every step."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from c_models import Recipe, build, export, frames
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_edge.engines.base import EngineSource
from rnn_edge.engines.c_host import ENGINE
from rnn_edge.exporters.c_arrays import c_matrix
from rnn_edge.reference import IntegerReference
from rnn_edge.types import GATES, HeadKind, QuantizedLayer, QuantizedMatrix, QuantizedModel

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler on this host")


@st.composite
def recipes(draw):
    kinds = tuple(draw(st.lists(st.sampled_from(sorted(GATES)), min_size=1, max_size=3)))
    size = st.integers(1, 130)
    return Recipe(
        seed=draw(st.integers(0, 2**32 - 1)),
        kinds=kinds,
        units=tuple(draw(size) for _ in kinds),
        inputs=draw(size),
        outputs=draw(size),
        weights=draw(st.sampled_from(["uniform", "extreme", "sparse", "pruned"])),
        bias=draw(st.sampled_from(["none", "small", "int32", "int64"])),
        shifts=draw(st.sampled_from(["usual", "usual", "large", "any"])),
        cell_exponent=draw(st.integers(-15, 0)),
        head=draw(st.sampled_from(get_args(HeadKind))),
    )


def compare(model, x, seed, start=None):
    reference = IntegerReference(model)
    rng = np.random.default_rng(seed)
    start = start or {
        name: rng.choice(np.array([-32768, -1, 0, 1, 32767], np.int16), size)
        for name, size in model.state_sizes.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        export(model, Path(folder))
        source = EngineSource(None, model, Path(folder), Path(folder) / "work")
        with ENGINE.open(source) as engine:
            for state in (None, start):
                engine.reset(state)
                reference.reset(state)
                np.testing.assert_array_equal(engine.step(x[0]), reference.step(x[:1])[0])
                trace, expected = engine.run(x[1:]), reference.run(x[None, 1:])
                assert list(trace.states) == list(expected.states)
                for name, values in expected.states.items():
                    np.testing.assert_array_equal(trace.states[name], values[0], err_msg=name)
                    np.testing.assert_array_equal(engine.state()[name], values[0, -1])
                np.testing.assert_array_equal(trace.outputs, expected.outputs[0])
    return expected


def compare_random(recipe, steps=60):
    return compare(build(recipe), frames(recipe, steps), recipe.seed)


@settings(max_examples=6, deadline=None, derandomize=True)
@given(recipes())
def test_random_models(recipe):
    compare_random(recipe)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, derandomize=True)
@given(recipes())
def test_many_random_models(recipe):
    compare_random(recipe, steps=120)


@pytest.mark.parametrize("kind", GATES)
def test_thousand_steps_without_reset(kind):
    recipe = Recipe(kinds=(kind, kind), units=(11, 8), weights="sparse", bias="none")
    states = compare_random(recipe, steps=1200).states["h1"]
    # A model that is dead or stuck would agree with anything.
    assert len(np.unique(states[0], axis=0)) > 600


@pytest.mark.parametrize(
    ("recipe", "is_narrow"),
    [
        (Recipe(bias="int32", shifts="usual"), True),
        (Recipe(bias="none", shifts="large"), True),
        (Recipe(bias="none", shifts="any", units=(40,)), False),
        (Recipe(bias="int64", shifts="usual"), False),
    ],
    ids=["small-sums", "large-shifts", "shifts-far-apart", "large-bias"],
)
def test_both_forms_of_a_matrix(recipe, is_narrow):
    matrix = build(recipe).layers[0].h
    assert c_matrix(matrix, "h").is_narrow is is_narrow
    compare_random(recipe, steps=200)


def test_sums_too_wide_for_int32():
    # 600 * 127 * 32768 is beyond 2^31: in an int32 these sums would change their sign.
    recipe = Recipe(inputs=600, units=(5,), bias="none", shifts="large")
    model = build(recipe)
    layer = model.layers[0]
    weight = np.full(layer.x.weight.shape, 127)
    weight[::2] = -127
    model = replace(model, layers=(replace(layer, x=replace(layer.x, weight=weight)),))
    assert not c_matrix(model.layers[0].x, "x").is_narrow
    assert c_matrix(model.layers[0].h, "h").is_narrow
    x = np.repeat(np.array([[-32768], [32767]], np.int16), 600, axis=1)
    compare(model, x, recipe.seed)


@pytest.mark.parametrize("bias", [0, 1 << 40], ids=["narrow", "wide"])
def test_ties_of_the_matrix_product(bias):
    # A GRU that keeps its state and a head that gives each unit times 1/4, 1/8 or 1/16: unlike
    # random scales, these put many sums exactly between two results.
    units = 60
    still = QuantizedMatrix(
        np.zeros((3 * units, units)),
        np.full(3 * units, 2.0**-9),
        np.repeat([0, 1 << 28, 0], units),
        -15,
        -11,
    )
    offsets = np.zeros(units, np.int64)
    offsets[0] = bias
    scale = np.repeat(2.0 ** np.arange(-2, -5, -1), units // 3)
    head = QuantizedMatrix(np.eye(units), scale, offsets, -15, -15)
    assert c_matrix(head, "head").is_narrow is (bias == 0)
    labels = tuple(f"unit {k}" for k in range(units))
    model = QuantizedModel(
        "ties", "kws", (QuantizedLayer("gru", still, still, None),), head, labels
    )
    start = {"h0": np.random.default_rng(5).integers(-32768, 32768, units).astype(np.int16)}
    trace = compare(model, np.zeros((12, units), np.int16), 5, start)
    kept = trace.states["h0"][0].astype(np.int64)
    divisor = np.repeat([4, 8, 16], units // 3)
    ties = kept % divisor == divisor // 2
    assert (ties & (kept > 0)).any()
    assert (ties & (kept < 0)).any()


@pytest.mark.parametrize("excess", [0, 1], ids=["int32-to-the-last-unit", "int64"])
@pytest.mark.parametrize("sign", [-1, 1])
def test_the_form_changes_exactly_at_the_bound(sign, excess):
    # Weights of one sign and -32768 everywhere: the worst input reaches the bound to the unit.
    recipe = Recipe(inputs=500, units=(4,), bias="none", shifts="large")
    model = build(recipe)
    layer = model.layers[0]
    weight = np.full(layer.x.weight.shape, -127 * sign)
    bias = np.full(layer.x.rows, sign * (2**31 - 1 + excess - 500 * 127 * 32768))
    model = replace(model, layers=(replace(layer, x=replace(layer.x, weight=weight, bias=bias)),))
    assert c_matrix(model.layers[0].x, "x").is_narrow is (excess == 0)
    x = np.repeat(np.array([[-32768], [32767], [-1]], np.int16), 500, axis=1)
    sums = x.astype(np.int64) @ weight.T.astype(np.int64) + bias
    assert np.abs(sums).max() == 2**31 - 1 + excess
    compare(model, x, recipe.seed)
