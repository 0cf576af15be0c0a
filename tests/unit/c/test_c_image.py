"""Two models in one image, under the sanitizers, with saturating input."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from c_models import Recipe, build, export, frames, succeed, tool

from rnn_edge.reference import IntegerReference

PROGRAM = Path(__file__).with_name("run_streams.c")
STEPS = 150
ONE = Recipe(seed=3, kinds=("gru", "lstm", "gru_reset_before"), units=(9, 5, 7), name="one")
TWO = Recipe(
    seed=4,
    kinds=("lstm", "gru"),
    units=(17, 4),
    inputs=33,
    outputs=1,
    weights="extreme",
    bias="int64",
    shifts="any",
    cell_exponent=-15,
    name="two",
)
SANITIZERS = (
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
    "-g",
    "-O1",
)


def expected(recipe):
    trace = IntegerReference(build(recipe)).run(frames(recipe, STEPS)[None])
    return np.concatenate([trace.outputs[0], *(v[0] for v in trace.states.values())], axis=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("compiler", "flags"),
    [("cc", ("-O2",)), ("gcc", SANITIZERS), ("clang", SANITIZERS)],
    ids=["plain", "gcc-sanitized", "clang-sanitized"],
)
def test_two_models_share_an_image(compiler, flags, tmp_path):
    for recipe in (ONE, TWO):
        folder = export(build(recipe), tmp_path)
    program = tmp_path / "program"
    sources = [PROGRAM, *sorted(folder.glob("*.c"))]
    command = [tool(compiler), "-std=c11", "-Wall", "-Wextra", "-Werror", *flags, f"-I{folder}"]
    succeed(*command, *sources, "-o", program)
    stream = b"".join(frames(recipe, STEPS).tobytes() for recipe in (ONE, TWO))
    out = np.frombuffer(succeed(program, STEPS, input=stream), np.int16)
    wanted = [expected(recipe) for recipe in (ONE, TWO)]
    np.testing.assert_array_equal(out, np.concatenate([w.ravel() for w in wanted]))


@pytest.mark.slow
def test_sanitizers_see_a_short_buffer(tmp_path):
    # The program feeds frames of the size in the header; a model that reads more must be caught.
    compiler = tool("gcc")
    for recipe in (ONE, replace(TWO, weights="uniform")):
        folder = export(build(recipe), tmp_path)
    header = folder / "one_data.h"
    header.write_text(header.read_text().replace("ONE_INPUTS 5", "ONE_INPUTS 4"))
    program = tmp_path / "program"
    sources = [PROGRAM, *sorted(folder.glob("*.c"))]
    succeed(compiler, "-std=c11", *SANITIZERS, f"-I{folder}", *sources, "-o", program)
    stream = b"".join(frames(recipe, STEPS).tobytes() for recipe in (ONE, TWO))
    with pytest.raises(AssertionError, match="heap-buffer-overflow"):
        succeed(program, STEPS, input=stream)
