"""Local layers: found in the weights, stored once, and the same bits."""

from dataclasses import replace

import numpy as np
import pytest
from c_models import WARNINGS, Recipe, build, export, frames, succeed, tool
from test_c_against_reference import compare

from rnn_edge.exporters.c_local import local_form, whole_layer
from rnn_edge.exporters.c_matrices import kept_of, locals_of
from rnn_edge.pipeline.c_memory import macs_of, memory_of


def recipe_of(kind="gru", units=8, width=8, stretches=5, step=4, first=0, weights="uniform"):
    return Recipe(
        seed=3,
        kinds=(kind, "gru"),
        units=(units, 12),
        inputs=first + (stretches - 1) * step + width,
        bias="none",
        weights=weights,
        along=(first, width, step),
    )


def local_model(*arguments, **options):
    return build(recipe_of(*arguments, **options))


def input_of(model, steps):
    return frames(Recipe(seed=9, inputs=model.inputs), steps)


def test_a_stretch_is_found():
    model = local_model(first=2)
    form, other = locals_of(model)
    assert other is None
    assert (form.first, form.step, form.stretches) == (2, 4, 5)
    assert (form.one.hidden, form.one.inputs) == (8, 8)
    rebuilt = whole_layer(form, model.inputs)
    for part in ("x", "h"):
        for field in ("weight", "weight_scale", "bias"):
            np.testing.assert_array_equal(
                getattr(getattr(rebuilt, part), field),
                getattr(getattr(model.layers[0], part), field),
            )


@pytest.mark.parametrize("part", ["x", "h"])
@pytest.mark.parametrize("field", ["weight", "weight_scale", "bias"])
def test_one_number_that_differs_makes_it_an_ordinary_layer(part, field):
    model = local_model()
    layer = model.layers[0]
    matrix = getattr(layer, part)
    values = getattr(matrix, field).copy()
    at = -1 if field == "bias" else np.flatnonzero(values.reshape(-1))[-1]
    values.reshape(-1)[at] = values.reshape(-1)[at] / 2 if field == "weight_scale" else 7
    changed = replace(layer, **{part: replace(matrix, **{field: values})})
    assert local_form(layer) is not None
    assert local_form(changed) is None


def test_weights_of_another_stretch_make_it_an_ordinary_layer():
    layer = local_model().layers[0]
    weight = layer.h.weight.copy()
    assert weight[0, -1] == 0
    weight[0, -1] = 1
    assert local_form(replace(layer, h=replace(layer.h, weight=weight))) is None


def test_ordinary_layers_have_no_stretches():
    for kind in ("gru", "lstm", "rnn"):
        assert locals_of(build(Recipe(kinds=(kind,), units=(16,), inputs=8))) == (None,)


def test_an_lstm_is_left_whole():
    model = local_model("lstm")
    assert locals_of(model) == (None, None)
    compare(model, input_of(model, 40), 1)


@pytest.mark.parametrize("kind", ["gru", "gru_reset_before", "rnn"])
@pytest.mark.parametrize(
    ("units", "width", "stretches", "step", "first"),
    [(16, 8, 9, 4, 0), (8, 8, 5, 8, 0), (5, 7, 3, 1, 1), (1, 3, 2, 3, 0), (33, 12, 2, 5, 2)],
)
def test_same_bits(kind, units, width, stretches, step, first):
    model = local_model(kind, units, width, stretches, step, first)
    form = locals_of(model)[0]
    assert form is not None
    compare(model, input_of(model, 60), 1)


def test_same_bits_where_a_stretch_leaves_columns_out():
    model = local_model(units=12, width=24, stretches=4, step=8, weights="pruned")
    assert locals_of(model)[0].stretches == 4
    assert kept_of(model)["layer0.x"] is not None
    compare(model, input_of(model, 60), 1)


def test_memory_and_work_are_those_of_a_stretch(tmp_path):
    model = local_model(units=16, stretches=9)
    one, second = locals_of(model)[0].one, model.layers[1]
    own = one.x.weight.size + one.h.weight.size
    others = second.x.weight.size + second.h.weight.size
    assert memory_of(model)["weights"] == own + others + 4 * model.head.columns
    assert macs_of(model) == 9 * own + others + model.head.weight.size
    folder = export(model, tmp_path)
    succeed(tool("gcc"), "-std=c11", "-O1", "-c", "sample_data.c", cwd=folder)
    symbols = succeed(tool("nm"), "-S", "-t", "d", folder / "sample_data.o").decode()
    found = [line.split() for line in symbols.splitlines() if len(line.split()) == 4]
    sizes = {name: int(size) for _, size, _, name in found}
    ends = ("_weights", "_bias", "_multipliers")
    counted = sum(size for name, size in sizes.items() if name.endswith(ends))
    assert counted == memory_of(model)["constants"]
    assert sizes["sample_layer0_local"] == 192
    assert sizes["sample_layers"] == 2 * 176


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_files_compile_without_a_warning(compiler, tmp_path):
    folder = export(local_model(), tmp_path)
    sources = sorted(path.name for path in folder.glob("*.c"))
    for level in ("-Os", "-O3"):
        succeed(tool(compiler), *WARNINGS, level, "-c", *sources, cwd=folder)
    single = folder.parent / "c_single"
    succeed(tool(compiler), *WARNINGS, "-c", *single.glob("*_all.c"), cwd=single)
