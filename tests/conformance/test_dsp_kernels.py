"""The kernels for two int16 in a register, on a Cortex-M4 and on an ARM1176, bit by bit.

Sizes that fill no block, weights and inputs at the ends of their range, inputs at any even address.
"""

import numpy as np
import pytest
from c_models import Recipe, build, frames

from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.errors import MissingDependencyError
from rnn_edge.exporters.base import ExportSource
from rnn_edge.exporters.c_arrays import c_matrix
from rnn_edge.exporters.c_source import EXPORTER
from rnn_edge.reference import IntegerReference
from rnn_edge.types.c_choices import CChoices

STEPS = 40
# The layers after one with an odd number of units have their state between two words. Every cell
# exponent has a rounding of its own.
MODELS = {
    "odd": Recipe(
        seed=2,
        kinds=("lstm", "gru", "lstm", "gru", "rnn", "gru_reset_before", "lstm"),
        units=(7, 8, 3, 13, 1, 5, 2),
        inputs=3,
        outputs=1,
        cell_exponent=-15,
    ),
    "extreme": Recipe(
        seed=4,
        kinds=("lstm", "gru"),
        units=(40, 20),
        inputs=36,
        weights="extreme",
        outputs=12,
        head="softmax",
        cell_exponent=-13,
    ),
    "shifted": Recipe(
        seed=5,
        kinds=("gru", "lstm"),
        units=(12, 9),
        inputs=1,
        outputs=5,
        shifts="large",
        bias="none",
        cell_exponent=-14,
    ),
    "coarse": Recipe(seed=7, kinds=("lstm",), units=(18,), inputs=66, cell_exponent=0),
}
QUICK = (("odd", "int8"), ("extreme", "int16"))
CASES = [
    pytest.param(
        "device:qemu-m4",
        name,
        weights,
        marks=() if (name, weights) in QUICK else pytest.mark.slow,
    )
    for name in MODELS
    for weights in ("int8", "int16")
] + [
    ("c-armv6", "odd", "int8"),
    ("c-armv6", "extreme", "int16"),
    ("c-armv6", "shifted", "int8"),
]


def opened(engine, model, weights, folder):
    choices = CChoices(optimize="speed", weights=weights)
    EXPORTER.export(ExportSource(None, model, c=choices), folder)
    try:
        return all_engines()[engine].open(EngineSource(None, model, folder, folder / "work"))
    except MissingDependencyError as error:
        pytest.skip(error.message)


@pytest.mark.parametrize(("engine", "name", "weights"), CASES)
def test_every_bit_of_the_reference(engine, name, weights, tmp_path):
    recipe = MODELS[name]
    model = build(recipe)
    x = frames(recipe, STEPS)
    rng = np.random.default_rng(recipe.seed)
    start = {
        state: rng.choice(np.array([-32768, -1, 0, 1, 32767], np.int16), size)
        for state, size in model.state_sizes.items()
    }
    reference = IntegerReference(model)
    with opened(engine, model, weights, tmp_path) as running:
        for state in (None, start):
            running.reset(state)
            reference.reset(state)
            actual, expected = running.run(x), reference.run(x[None])
            for key, values in expected.states.items():
                np.testing.assert_array_equal(actual.states[key], values[0], err_msg=key)
            np.testing.assert_array_equal(actual.outputs, expected.outputs[0])


def test_models_need_both_kinds_of_shift():
    shifts = [
        c_matrix(matrix, "matrix").narrow_shift
        for recipe in MODELS.values()
        for layer in build(recipe).layers
        for matrix in (layer.x, layer.h)
    ]
    assert 32 in shifts
    assert max(shifts) > 33
    # 0 is the wide form, which no target has a kernel for.
    assert 0 not in shifts
