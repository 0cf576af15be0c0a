"""The units that would fit: of the layers that grow, beside local ones that stay."""

from dataclasses import replace

import pytest
from c_models import Recipe, build

from rnn_edge.pipeline.c_memory import memory_of, order_on
from rnn_edge.pipeline.device_remedies import fitting_hidden
from rnn_edge.spec import all_devices
from rnn_edge.types.c_choices import CChoices

RECIPE = Recipe(
    seed=6, kinds=("gru", "gru"), units=(16, 64), inputs=40, bias="none", along=(0, 8, 4)
)
RECIPES = {
    "local": RECIPE,
    "reset-before": replace(RECIPE, kinds=("gru_reset_before", "gru_reset_before")),
    "wider-than-the-others": replace(RECIPE, units=(64, 24), along=(0, 8, 8)),
    "ordinary": Recipe(seed=7, kinds=("gru", "gru"), units=(48, 48), inputs=40, bias="none"),
}


def with_units(recipe, units):
    others = recipe.units[1:] if recipe.along else recipe.units
    return replace(recipe, units=(*recipe.units[: -len(others)], *(units for _ in others)))


@pytest.mark.parametrize("case", RECIPES)
@pytest.mark.parametrize("choices", [CChoices(), CChoices(frames_at_once=4)], ids=["1", "4"])
@pytest.mark.parametrize("over", [(0, 40), (2000, 0)], ids=["ram", "flash"])
def test_a_model_of_so_many_units_takes_that_much_less(case, choices, over):
    recipe, device = RECIPES[case], all_devices()["qemu-m4"]
    model = build(recipe)
    order = order_on(device, choices)
    units = fitting_hidden(device, model, *over, 1, choices)
    assert 0 < units < recipe.units[-1]

    def saved(hidden):
        now, then = (
            memory_of(each, choices, order) for each in (model, build(with_units(recipe, hidden)))
        )
        ram = sum(now[key] - then[key] for key in ("state", "scratch"))
        return now["constants"] - then["constants"], ram

    assert all(a >= b for a, b in zip(saved(units), over, strict=True))
    # One more would not be enough.
    assert any(a < b for a, b in zip(saved(units + 1), over, strict=True))
