"""Models that are driven down their longest path: as much work as the given one, and no less."""

import numpy as np
import pytest
from c_models import Recipe, build

from rnn_edge.exporters.c_local import local_form
from rnn_edge.exporters.c_matrices import gates_of, kept_of, locals_of
from rnn_edge.pipeline.stress_models import stress_batches, stress_models
from rnn_edge.reference import IntegerReference
from rnn_edge.types import GATES

RECIPES = {
    "dense": Recipe(seed=1, kinds=("gru", "lstm"), units=(16, 9), inputs=13, bias="none"),
    "few-inputs": Recipe(seed=2, kinds=("lstm",), units=(12,), inputs=2, bias="none"),
    "pruned": Recipe(
        seed=3, kinds=("gru", "lstm"), units=(40, 24), inputs=22, weights="pruned", bias="none"
    ),
    "local": Recipe(
        seed=5, kinds=("gru", "lstm"), units=(8, 9), inputs=20, bias="none", along=(0, 8, 4)
    ),
    "wide": Recipe(seed=4, kinds=("gru", "rnn"), units=(9, 8), bias="int64", shifts="any"),
}


@pytest.mark.parametrize("case", RECIPES)
def test_no_more_is_left_out_than_of_the_model(case):
    model = build(RECIPES[case])
    kept, forms = kept_of(model), stress_models(model)
    assert len(forms) == len(model.layers)
    assert any(kept.values()) == (case == "pruned")
    for k, stressed in enumerate(forms):
        found = kept_of(stressed)
        assert [form is None for form in locals_of(stressed)] == [locals_of(model)[k] is None]
        assert gates_of(stressed)["layer0.x"] == gates_of(model)[f"layer{k}.x"]
        pairs = [(kept[f"layer{k}.{part}"], found[f"layer0.{part}"]) for part in ("x", "h")]
        # Only the last layer has the model's own head behind it.
        pairs.append((kept["head"] if k == len(forms) - 1 else None, found["head"]))
        for own, made in pairs:
            assert (own is None) == (made is None)
            if own is not None:
                assert np.array_equal(own.starts, made.starts)


@pytest.mark.parametrize("case", ["dense", "local", "pruned"])
def test_all_units_take_the_same_path_through_many_values(case):
    for stressed in stress_models(build(RECIPES[case])):
        reference = IntegerReference(stressed)
        seen = []
        for state, frames in stress_batches(stressed):
            if local_form(stressed.layers[0]) is None:
                assert not frames[:, len(GATES[stressed.layers[0].kind]) :].any()
            reference.reset(state)
            hidden = reference.run(frames[None]).states["h0"][0]
            assert (np.ptp(hidden, axis=1) == 0).all()
            seen.append(hidden[:, 0])
        values = np.concatenate(seen)
        assert len(np.unique(values)) > 200
        assert values.min() < -20000
        assert values.max() > 20000
