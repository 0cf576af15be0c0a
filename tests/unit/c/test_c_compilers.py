"""The exported C by every compiler at every level, and under sanitizers that really look."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from c_models import Recipe, build, export, frames, succeed, tool

from rnn_edge.engines import c_compilers
from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.errors import EngineError, MissingDependencyError
from rnn_edge.exporters.c_arrays import c_matrix
from rnn_edge.firmware.host import Build, without_sanitizers
from rnn_edge.reference import IntegerReference
from rnn_edge.types import GATES

ENGINES = [kind.name for kind in c_compilers.engine_kinds()]
SANITIZED_BY = ["c-gcc-sanitized", pytest.param("c-clang-sanitized", marks=pytest.mark.slow)]
KINDS = tuple(GATES)
RECIPE = Recipe(
    seed=41, kinds=KINDS, units=tuple(range(9, 9 + len(KINDS))), inputs=11, weights="sparse"
)
RECIPES = {
    # A layer of each kind, and one of each whose sums need an int64.
    "wide": replace(
        RECIPE,
        kinds=2 * KINDS,
        units=tuple(range(9, 9 + 2 * len(KINDS))),
        seed=42,
        bias="none",
        cell_exponent=-15,
    ),
    "saturating": replace(RECIPE, seed=43, weights="extreme", cell_exponent=0),
}
STEPS = 600


def widened(matrix):
    """Return a matrix whose sums need an int64, for the sake of one row."""
    bias = matrix.bias.copy()
    bias[0] = 1 << 40
    return replace(matrix, bias=bias)


def model_of(case):
    model = build(RECIPES[case])
    if case != "wide":
        return model
    wide = [replace(each, x=widened(each.x), h=widened(each.h)) for each in model.layers]
    layers = (*model.layers[: len(KINDS)], *wide[len(KINDS) :])
    return replace(model, layers=layers, head=widened(model.head))


@pytest.fixture(autouse=True)
def _default_compiler(monkeypatch):
    monkeypatch.delenv("CC", raising=False)


@pytest.fixture
def open_engine(tmp_path):
    """Return a function that compiles a model, or skips where the compiler is missing."""

    def open_one(name, model):
        export(model, tmp_path)
        try:
            return all_engines()[name].open(EngineSource(None, model, tmp_path, tmp_path / "work"))
        except MissingDependencyError as error:
            pytest.skip(str(error))

    return open_one


def assert_same_bits(engine, recipe, model):
    x = frames(recipe, STEPS)
    expected = IntegerReference(model).run(x[None])
    trace = engine.run(x)
    np.testing.assert_array_equal(trace.outputs, expected.outputs[0])
    assert list(trace.states) == list(expected.states)
    for name, value in expected.states.items():
        np.testing.assert_array_equal(trace.states[name], value[0], err_msg=name)
    # A model that is dead would agree with anything.
    last = list(trace.states.values())[-1]
    assert len(np.unique(last, axis=0)) > STEPS // 3


def test_there_is_an_engine_for_every_compiler_and_level():
    wanted = {"c-gcc-O0", "c-gcc-O3", "c-clang-O0", "c-clang-O3", "c-clang-Os", "c-sanitized"}
    assert wanted <= set(ENGINES)
    assert len(ENGINES) == 2 * 6 + 1
    for name in ENGINES:
        assert all_engines()[name].is_integer
        assert not all_engines()[name].is_emulated


@pytest.mark.parametrize("name", ["c-gcc-O0", "c-clang-O3", "c-sanitized"])
def test_bits_do_not_depend_on_the_compiler(open_engine, name):
    model = model_of("wide")
    narrow = [c_matrix(matrix, "m").is_narrow for matrix in model.matrices.values()]
    assert len(narrow) / 3 < sum(narrow) < len(narrow) / 2
    with open_engine(name, model) as engine:
        assert_same_bits(engine, RECIPES["wide"], model)


@pytest.mark.slow
@pytest.mark.parametrize("case", RECIPES)
@pytest.mark.parametrize("name", ENGINES)
def test_bits_depend_on_no_compiler_and_no_level(open_engine, name, case):
    recipe, model = RECIPES[case], model_of(case)
    with open_engine(name, model) as engine:
        assert_same_bits(engine, recipe, model)
        saved = engine.state()
        x = frames(recipe, 40)
        rest = engine.run(x)
        engine.reset(saved)
        np.testing.assert_array_equal(engine.run(x).outputs, rest.outputs)


@pytest.mark.parametrize("level", ["O0", "O3"])
def test_the_level_is_the_one_that_the_name_says(level, tmp_path):
    # Were the level lost on the way, all of these engines would be the same one.
    tool("gcc")
    tool("readelf")
    model = build(Recipe())
    export(model, tmp_path)
    source = EngineSource(None, model, tmp_path, tmp_path / "work")
    all_engines()[f"c-gcc-{level}"].open(source).close()
    (binary,) = source.work.glob("*.elf")
    code = succeed("readelf", "-sW", binary).decode()
    # Small functions are calls at -O0, and inlined away at -O3.
    assert ("rnn_edge_saturate32" in code) is (level == "O0")


@pytest.mark.parametrize("name", SANITIZED_BY)
def test_sanitizers_are_in_the_program(open_engine, name, tmp_path):
    tool("nm")
    with open_engine(name, build(Recipe())):
        (binary,) = (tmp_path / "work").glob("*.elf")
        symbols = succeed("nm", binary).decode()
    assert "__asan_report" in symbols
    assert "__ubsan_handle" in symbols


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        # One unit too many is written into the scratch memory.
        (
            "next[j] = gru_unit",
            "next[j + (j + 1 == count)] = gru_unit",
            r": AddressSanitizer: global-buffer-overflow rnn_edge_gru_units\.c:\d+",
        ),
        (
            "const int32_t n =",
            "volatile int32_t most = INT32_MAX;\n    most = most + z;\n    const int32_t n =",
            r": rnn_edge_gru_units\.c:\d+:\d+: runtime error: signed integer overflow",
        ),
    ],
    ids=["address", "undefined"],
)
@pytest.mark.parametrize("name", SANITIZED_BY)
def test_a_finding_ends_the_engine_and_is_named(open_engine, name, old, new, finding, tmp_path):
    model = build(Recipe(kinds=("gru",), units=(8,)))
    export(model, tmp_path)
    # Vectors would do these units elsewhere.
    choices = tmp_path / "c" / "rnn_edge_choices.h"
    choices.write_text("#define RNN_EDGE_PORTABLE 1\n" + choices.read_text())
    kernel = tmp_path / "c" / "rnn_edge_gru_units.c"
    text = kernel.read_text()
    assert text.count(old) == 1
    patched = text.replace(old, new)

    source = EngineSource(None, model, tmp_path, tmp_path / "work")
    tool(name.split("-")[1])
    kernel.write_text(patched)
    x = frames(Recipe(), 5)
    with (
        all_engines()[name].open(source) as engine,
        pytest.raises(EngineError, match=finding) as caught,
    ):
        engine.run(x)
    assert name in caught.value.message
    assert "last words" not in caught.value.message
    # The same mistake passes where nobody looks.
    plain = name.replace("sanitized", "O0")
    with all_engines()[plain].open(source) as engine:
        engine.run(x)


@pytest.mark.parametrize("name", ENGINES)
def test_a_missing_compiler_is_named_with_its_package(name, tmp_path, monkeypatch):
    model = build(Recipe())
    export(model, tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MissingDependencyError) as caught:
        all_engines()[name].open(EngineSource(None, model, tmp_path, tmp_path / "work"))
    assert re.search(r"apt-get install (gcc|clang) libc6-dev", caught.value.hint)


@pytest.mark.slow
def test_the_sanitized_engine_takes_the_compiler_of_c(tmp_path, monkeypatch):
    tool("clang")
    model = build(Recipe())
    export(model, tmp_path)
    monkeypatch.setenv("CC", shutil.which("clang"))
    source = EngineSource(None, model, tmp_path, tmp_path / "work")
    all_engines()["c-sanitized"].open(source).close()
    (binary,) = source.work.glob("*.elf")
    assert b"clang version" in binary.read_bytes()
    monkeypatch.setenv("CC", "no-such-cc")
    with pytest.raises(MissingDependencyError, match="no-such-cc"):
        all_engines()["c-sanitized"].open(source)


@pytest.mark.parametrize(
    "words",
    [
        "/usr/bin/ld: cannot find libasan_preinit.o: No such file or directory",
        "/usr/bin/ld: cannot find -lubsan: No such file or directory",
        "/usr/bin/ld: cannot find /usr/lib/clang/14/lib/linux/libclang_rt.asan-x86_64.a: No such",
    ],
)
def test_missing_libraries_of_the_sanitizers_are_named(words, tmp_path, monkeypatch):
    fake = tmp_path / "bin" / "gcc"
    fake.parent.mkdir()
    fake.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo 1 && exit 0\necho "{words}" >&2\nexit 1\n'
    )
    fake.chmod(0o755)
    model = build(Recipe())
    export(model, tmp_path)
    monkeypatch.setenv("PATH", f"{fake.parent}:/usr/bin:/bin")
    source = EngineSource(None, model, tmp_path, tmp_path / "work")
    with pytest.raises(MissingDependencyError, match="'c-gcc-sanitized' needs them") as caught:
        all_engines()["c-gcc-sanitized"].open(source)
    assert "libasan" in caught.value.hint
    # A level asks for no such library: there the compiler's own words are what to show.
    with pytest.raises(EngineError, match="cannot find"):
        all_engines()["c-gcc-O1"].open(source)
    assert without_sanitizers(Build("x", ("gcc",), "sanitized"), "error: expected ';'") is None
