"""The kernels for Arm's vectors in whole models: sizes that fill none, and ends of every range."""

import numpy as np
import pytest
from c_models import Recipe, build, export, frames

from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.errors import MissingDependencyError
from rnn_edge.reference import IntegerReference
from rnn_edge.types import GATES

ENGINES = ("c-aarch64", "c-armv7", "device:qemu-m55")
STEPS = 60
MODELS = {
    "odd": Recipe(
        seed=81, kinds=(*GATES, "gru", "lstm"), units=(33, 7, 13, 2, 3, 5), inputs=3, outputs=1
    ),
    "extreme": Recipe(
        seed=82,
        kinds=("lstm", "gru"),
        units=(40, 17),
        inputs=33,
        weights="extreme",
        outputs=12,
        head="softmax",
        cell_exponent=-14,
    ),
    "kept": Recipe(
        seed=84, kinds=("gru", "lstm"), units=(37, 24), inputs=18, weights="pruned", bias="none"
    ),
    "least": Recipe(seed=83, kinds=("gru", "lstm"), units=(1, 1), inputs=1, cell_exponent=-15),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", MODELS)
def test_every_bit_of_the_reference(name, engine, tmp_path):
    recipe = MODELS[name]
    model = build(recipe)
    x = frames(recipe, STEPS)
    rng = np.random.default_rng(recipe.seed)
    start = {
        state: rng.choice(np.array([-32768, -1, 0, 1, 32767], np.int16), size)
        for state, size in model.state_sizes.items()
    }
    export(model, tmp_path)
    source = EngineSource(None, model, tmp_path, tmp_path / "work")
    reference = IntegerReference(model)
    try:
        running = all_engines()[engine].open(source)
    except MissingDependencyError as error:
        pytest.skip(error.message)
    with running:
        for state in (None, start):
            running.reset(state)
            reference.reset(state)
            actual, expected = running.run(x), reference.run(x[None])
            for key, values in expected.states.items():
                np.testing.assert_array_equal(actual.states[key], values[0], err_msg=key)
            np.testing.assert_array_equal(actual.outputs, expected.outputs[0])
