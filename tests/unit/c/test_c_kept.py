"""Matrices whose columns of zeros are left out of the C: what is kept, and the same bits."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from c_models import WARNINGS, Recipe, build, export, frames, succeed, tool
from test_c_against_reference import compare, compare_random

from rnn_edge.exporters.c_blocks import in_blocks, in_strips
from rnn_edge.exporters.c_kept import kept_columns, most_kept
from rnn_edge.exporters.c_matrices import gates_of, kept_of
from rnn_edge.pipeline.c_memory import macs_of, memory_of

RECIPE = Recipe(kinds=("gru", "lstm"), units=(24, 16), inputs=18, weights="pruned", bias="none")


def of_columns(*strips, columns):
    """A matrix of one gate with ones in some columns of each four rows."""
    weight = np.zeros((4 * len(strips), columns), np.int8)
    for strip, chosen in enumerate(strips):
        weight[4 * strip : 4 * strip + 4, list(chosen)] = 1
    return weight


def rebuilt(kept, shape, gates):
    """What the kernels take a matrix to be."""
    whole = np.zeros_like(in_strips(np.zeros(shape, np.int8), gates))
    for strip, (start, end) in enumerate(itertools.pairwise(kept.starts)):
        for block, columns in zip(kept.blocks[start:end], kept.columns[start:end], strict=True):
            np.add.at(whole[strip], (slice(None), columns), block)
    return whole


def test_columns_that_are_not_zeros_are_kept_by_fours():
    weight = of_columns([1, 3], [], [0, 2, 5, 7, 9], columns=18)
    kept = kept_columns(weight, 1)
    # Columns of zeros fill up; the strip in the middle has no others.
    assert kept.columns.tolist() == [[1, 3, 0, 2], [0, 1, 2, 3], [0, 2, 5, 7], [9, 1, 3, 4]]
    assert kept.starts.tolist() == [0, 1, 2, 4]
    assert kept.longest == 8
    assert not kept.blocks[1].any()
    np.testing.assert_array_equal(rebuilt(kept, weight.shape, 1), in_strips(weight, 1))


@pytest.mark.parametrize(("rows", "columns", "gates"), [(12, 9, 3), (30, 41, 3), (28, 7, 4)])
def test_nothing_but_zeros_is_left_out(rows, columns, gates):
    rng = np.random.default_rng(rows)
    is_kept = np.repeat(rng.random((-(-rows // 4), columns)) < 0.2, 4, axis=0)[:rows]
    weight = (rng.integers(1, 128, (rows, columns)) * is_kept).astype(np.int8)
    kept = kept_columns(weight, gates)
    np.testing.assert_array_equal(rebuilt(kept, weight.shape, gates), in_strips(weight, gates))


@pytest.mark.parametrize(
    "weight",
    [
        np.ones((16, 16), np.int8),
        of_columns(*[range(12)] * 4, columns=16),
        of_columns([0], columns=257),
    ],
    ids=["dense", "three-quarters", "too-wide"],
)
def test_matrices_stay_whole_where_it_is_not_worth_it(weight):
    assert kept_columns(weight, 1) is None


def test_inputs_to_bring_together_are_rounded_up():
    one = kept_columns(of_columns(range(9), [], columns=60), 1)
    assert one.longest == 12
    assert most_kept([None, one]) == 32
    assert most_kept([None]) == 0


@pytest.mark.parametrize("kind", ["gru", "gru_reset_before", "lstm", "rnn"])
@pytest.mark.parametrize(("units", "inputs"), [(24, 18), (37, 41), (5, 130), (64, 3)])
def test_same_bits(kind, units, inputs):
    compare_random(
        Recipe(kinds=(kind, kind), units=(units, 20), inputs=inputs, weights="pruned", bias="none")
    )


def test_same_bits_where_a_matrix_has_no_weight():
    model = build(RECIPE)
    first = model.layers[0]
    empty = replace(first, h=replace(first.h, weight=np.zeros_like(first.h.weight)))
    model = replace(model, layers=(empty, *model.layers[1:]))
    assert kept_of(model)["layer0.h"].blocks.shape[0] == 18
    compare(model, frames(RECIPE, 60), 1)


def test_memory_is_that_of_the_arrays(tmp_path):
    model = build(RECIPE)
    kept = [each for each in kept_of(model).values() if each is not None]
    assert len(kept) >= 4
    folder = export(model, tmp_path)
    succeed(tool("gcc"), "-std=c11", "-O1", "-c", "sample_data.c", cwd=folder)
    symbols = succeed(tool("nm"), "-S", "-t", "d", folder / "sample_data.o").decode()
    found = [line.split() for line in symbols.splitlines() if len(line.split()) == 4]
    sizes = {name: int(size) for _, size, _, name in found}
    ends = ("_weights", "_starts", "_columns", "_bias", "_multipliers")
    counted = sum(size for name, size in sizes.items() if name.endswith(ends))
    assert counted == memory_of(model)["constants"]
    dense = sum(
        in_blocks(m.weight, gates_of(model)[name]).size for name, m in model.matrices.items()
    )
    assert memory_of(model)["weights"] < 0.75 * dense
    assert macs_of(model) < 0.6 * model.macs
    assert macs_of(build(replace(RECIPE, weights="uniform"))) == model.macs


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_files_compile_without_a_warning(compiler, tmp_path):
    folder = export(build(RECIPE), tmp_path)
    sources = sorted(path.name for path in folder.glob("*.c"))
    for level in ("-Os", "-O3"):
        succeed(tool(compiler), *WARNINGS, level, "-c", *sources, cwd=folder)
    single = folder.parent / "c_single"
    succeed(tool(compiler), *WARNINGS, "-c", *single.glob("*_all.c"), cwd=single)


def test_the_library_of_a_model_with_shorter_strips_is_refused(tmp_path):
    folder = export(build(RECIPE), tmp_path)
    failed = succeed(
        "sh", "-c", f"! {tool('gcc')} -std=c11 -DRNN_EDGE_MOST_KEPT=1 -c sample_data.c 2>&1",
        cwd=folder,
    )  # fmt: skip
    assert b"the kernel library is that of another model" in failed
