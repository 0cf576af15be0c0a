"""Reset policies on emulated processors, as an application steps them, against the numpy twin."""

import numpy as np
import pytest
from c_models import Recipe, build, export, frames

from rnn_edge.drift.resets import IntegerResets
from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.errors import MissingDependencyError
from rnn_edge.reference import IntegerReference
from rnn_edge.types.resets import ResetPolicy

pytestmark = pytest.mark.slow

STEPS = 400
RECIPE = Recipe(seed=31, kinds=("gru", "lstm"), units=(12, 9), inputs=8)
POLICIES = [
    ResetPolicy("every", 61),
    ResetPolicy("quiet", 3, 0.5, "magnitude"),
    ResetPolicy("decay", shift=6),
]


def gappy():
    x = frames(RECIPE, STEPS).copy()
    for start in range(7, STEPS, 23):
        x[start : start + start % 6] = 0
    return x


@pytest.mark.parametrize("policy", POLICIES, ids=lambda p: p.kind)
@pytest.mark.parametrize("name", ["device:qemu-m0", "device:qemu-m4", "device:qemu-rv32"])
def test_an_image_has_the_bits_of_the_twin(name, policy, tmp_path):
    model, x = build(RECIPE), gappy()
    export(model, tmp_path, policy)
    reference, outputs, count = IntegerReference(model), [], 0
    resets = IntegerResets(policy, 1, model.inputs, model.input_exponent)
    for frame in x:
        count += int(resets.prepare(reference.state, frame[None])[0])
        outputs.append(reference.step(frame[None])[0])
    assert (count > 5) == (policy.kind != "decay")
    try:
        engine = all_engines()[name].open(EngineSource(None, model, tmp_path, tmp_path / "work"))
    except MissingDependencyError as error:
        pytest.skip(str(error))
    with engine:
        np.testing.assert_array_equal(engine.run_deployed(x).outputs, outputs)
        # What proves the bits of the model knows nothing of the policy.
        engine.reset()
        plain = IntegerReference(model).run(x[None]).outputs[0]
        np.testing.assert_array_equal(engine.run(x).outputs, plain)
