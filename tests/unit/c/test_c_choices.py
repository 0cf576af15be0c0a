"""What a spec chooses of the generated C: every choice gives the same bits."""

import itertools
import re
from dataclasses import replace

import numpy as np
import pytest
from c_models import WARNINGS, Recipe, build, frames, succeed, tool

from rnn_edge.errors import SpecError
from rnn_edge.exporters.base import ExportSource
from rnn_edge.exporters.c_source import EXPORTER, scratch_values
from rnn_edge.reference import IntegerReference
from rnn_edge.spec import load_spec
from rnn_edge.types.c_choices import CChoices

STEPS = 61
RECIPES = {
    "gru": Recipe(seed=51, kinds=("gru", "rnn"), units=(11, 6), inputs=7, head="softmax"),
    "lstm": Recipe(seed=52, kinds=("lstm",), units=(34,), inputs=4, outputs=5),
    "before": Recipe(seed=53, kinds=("gru_reset_before", "gru"), units=(8, 9), inputs=13),
    "wide": Recipe(seed=54, kinds=("gru",), units=(9,), bias="int64", shifts="any"),
    "local": Recipe(seed=56, kinds=("gru", "rnn"), units=(6, 9), inputs=12, along=(0, 6, 3)),
    "kept": Recipe(seed=55, units=(36,), inputs=22, weights="pruned", bias="none"),
}
CHOICES = {
    "size": CChoices(optimize="size"),
    "speed": CChoices(optimize="speed"),
    "int16": CChoices(weights="int16"),
    "two": CChoices(frames_at_once=2),
    "four": CChoices(frames_at_once=4, weights="int16"),
    "ram": CChoices(tables="ram"),
    "small": CChoices(optimize="size", frames_at_once=4, tables="ram"),
}
PROGRAM = """
#include <stdio.h>
#include "sample.h"

/* Frames by NAME_steps, as many at a time as the argument says; outputs, then the state. */
int main(int count, char **arguments) {
    static sample_state state;
    static int16_t x[16][SAMPLE_INPUTS];
    static int16_t y[16][SAMPLE_OUTPUTS];
    const size_t most = (size_t)(arguments[count - 1][0] - 'a' + 1);
    sample_init(&state);
    size_t got;
    while ((got = fread(x, sizeof x[0], most, stdin)) != 0) {
        sample_steps(&state, x[0], (uint32_t)got, y[0]);
        fwrite(y, sizeof y[0], got, stdout);
    }
    fwrite(state.values, sizeof state.values, 1, stdout);
    return 0;
}
"""


def exported(case, choices, folder):
    model = build(RECIPES[case])
    EXPORTER.export(ExportSource(None, model, c=choices), folder)
    return model, folder / "c"


def compiled(folder, *flags, name="program"):
    (folder / "main.c").write_text(PROGRAM)
    files = sorted(path.name for path in folder.glob("*.c"))
    succeed(tool("gcc"), *WARNINGS, *flags, *files, "-o", name, cwd=folder)
    return folder / name


def assert_same_bits(program, case, model, at_a_time):
    x = frames(RECIPES[case], STEPS)
    expected = IntegerReference(model).run(x[None])
    out = succeed(program, chr(ord("a") + at_a_time - 1), input=x.tobytes())
    last = [value[0, -1] for value in expected.states.values()]
    wanted = np.concatenate([expected.outputs[0].ravel(), *last])
    np.testing.assert_array_equal(np.frombuffer(out, np.int16), wanted)


QUICK = (("int16", "gru"), ("four", "before"), ("small", "lstm"), ("two", "wide"))
# Every choice with every other model, and every model with every other choice.
PAIRS = {
    *QUICK,
    *(
        (choice, case)
        for (i, choice), (j, case) in itertools.product(enumerate(CHOICES), enumerate(RECIPES))
        if (i + j) % 2
    ),
}


@pytest.mark.parametrize(
    ("choice", "case"),
    [
        pytest.param(*pair, marks=() if pair in QUICK else pytest.mark.slow)
        for pair in sorted(PAIRS)
    ],
)
def test_every_choice_has_the_bits_of_the_reference(choice, case, tmp_path):
    model, folder = exported(case, CHOICES[choice], tmp_path)
    portable = compiled(folder, "-O2", "-DRNN_EDGE_PORTABLE", name="portable")
    native = compiled(folder, "-O1", "-fsanitize=undefined,address", "-fno-sanitize-recover=all")
    for program, at_a_time in itertools.product((portable, native), (1, 3, 9)):
        assert_same_bits(program, case, model, at_a_time)


def test_what_is_not_chosen_is_not_in_the_files(tmp_path):
    texts = {}
    for name, choices in {"balanced": CChoices(), **CHOICES}.items():
        (tmp_path / name).mkdir()
        _, folder = exported("gru", choices, tmp_path / name)
        texts[name] = (folder / "sample_data.c").read_text()
    assert "RNN_EDGE_BLOCK(" in texts["balanced"]
    assert "RNN_EDGE_WORDS(" not in texts["balanced"]
    assert "RNN_EDGE_WORDS(" in texts["int16"]
    assert "RNN_EDGE_BLOCK(" not in texts["size"]
    assert texts["speed"] == texts["ram"] == texts["balanced"]


def sections(program):
    text = succeed(tool("nm"), "-P", program).decode()
    return {line.split()[0]: line.split()[1].lower() for line in text.splitlines()}


@pytest.mark.slow
def test_tables_are_where_they_are_chosen_to_be(tmp_path):
    tables = ("sigmoid", "exp", "reciprocal")
    for place, letter in (("flash", "r"), ("ram", "d")):
        (tmp_path / place).mkdir()
        _, folder = exported("gru", CChoices(tables=place), tmp_path / place)
        found = sections(compiled(folder, "-O3"))
        assert [found[f"rnn_edge_{table}_table"] for table in tables] == [letter] * 3


@pytest.mark.parametrize("choice", ["size", "balanced"])
def test_only_the_kernels_of_the_choice_are_called(choice, tmp_path):
    _, folder = exported("lstm", replace(CHOICES["size"], optimize=choice), tmp_path)
    (folder / "rnn_edge_matrix.c").unlink()
    (folder / "main.c").write_text(PROGRAM)
    files = sorted(path.name for path in folder.glob("*.c"))
    flags = ["-std=c11", "-DRNN_EDGE_PORTABLE"] if choice == "balanced" else ["-std=c11"]
    with pytest.raises(AssertionError, match="rnn_edge_rows_narrow"):
        succeed(tool("gcc"), *flags, *files, "-o", "program", cwd=folder)


@pytest.mark.parametrize("frames_at_once", [2, 4])
def test_products_of_several_frames_take_the_ram_that_is_told(frames_at_once, tmp_path):
    choices = CChoices(frames_at_once=frames_at_once)
    model, folder = exported("lstm", choices, tmp_path)
    assert scratch_values(model, choices) == 34 + frames_at_once * 4 * 34
    text = (folder / "sample_data.h").read_text()
    assert f"SAMPLE_SCRATCH_VALUES {scratch_values(model, choices)} " in text
    assert re.search(rf"SAMPLE_FRAMES_AT_ONCE {frames_at_once} ", text)


def test_a_spec_chooses(tmp_path):
    spec = load_spec("demo", ["c.optimize=speed", "c.weights=int16", "c.frames_at_once=4"])
    assert spec.c.choices() == CChoices("speed", "int16", 4)
    assert load_spec("demo").c.choices() == CChoices()
    with pytest.raises(SpecError, match=r'c\.weights = "int16" with c\.optimize = "size"'):
        load_spec("demo", ["c.optimize=size", "c.weights=int16"])
    with pytest.raises(SpecError, match=r"c\.frames_at_once = 3; expected 1, 2 or 4"):
        load_spec("demo", ["c.frames_at_once=3"])
