"""The export as one file, and by CMake: the same model by other ways to compile it."""

import re
from dataclasses import replace

import numpy as np
import pytest
from c_models import WARNINGS, Recipe, build, frames, succeed, tool

from rnn_edge.exporters.base import ExportSource
from rnn_edge.exporters.c_single import ELSEWHERE
from rnn_edge.exporters.c_source import EXPORTER
from rnn_edge.reference import IntegerReference
from rnn_edge.types.c_choices import CChoices
from rnn_edge.types.resets import ResetPolicy

KINDS = ("gru", "lstm", "gru_reset_before", "rnn")
RECIPE = Recipe(seed=61, kinds=KINDS, units=(9, 5, 7, 6), inputs=7, head="softmax")
OTHER = Recipe(seed=62, kinds=("lstm",), units=(6,), bias="int64", shifts="any", name="other")
STEPS = 40
POLICY = ResetPolicy("every", frames=1000)
MAIN = """
#include <stdio.h>
#include "{header}"
int main(void) {{
    static {name}_stream stream;
    int16_t x[{upper}_INPUTS];
    int16_t y[{upper}_OUTPUTS];
    {name}_stream_init(&stream);
    while (fread(x, sizeof x, 1, stdin) == 1) {{
        {name}_stream_step(&stream, x, y);
        fwrite(y, sizeof y, 1, stdout);
    }}
    return 0;
}}
"""


def exported(folder, recipe=RECIPE, choices=None):
    folder.mkdir(exist_ok=True)
    model = build(recipe)
    EXPORTER.export(ExportSource(None, model, reset=POLICY, c=choices or CChoices()), folder)
    return model


def main(header, name="sample"):
    return MAIN.format(header=header, name=name, upper=name.upper())


def assert_same_bits(program, recipe):
    x = frames(recipe, STEPS)
    expected = IntegerReference(build(recipe)).run(x[None]).outputs[0]
    out = np.frombuffer(succeed(program, input=x.tobytes()), np.int16)
    np.testing.assert_array_equal(out.reshape(expected.shape), expected)


@pytest.mark.parametrize("flags", [(), ("-DRNN_EDGE_PORTABLE",)], ids=["native", "portable"])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_one_file_is_the_whole_model(compiler, flags, tmp_path):
    exported(tmp_path)
    single = tmp_path / "c_single"
    assert {path.name for path in single.iterdir()} == {"sample.h", "sample_all.c"}
    (tmp_path / "c" / "sample.h").unlink()
    # Neither file needs another one: each is compiled where nothing else is.
    for k, text in enumerate(("sample_all.c", "sample.h")):
        (tmp_path / str(k)).mkdir()
        (tmp_path / str(k) / text).write_bytes((single / text).read_bytes())
    (tmp_path / "1" / "main.c").write_text(main("sample.h"))
    for k, source in enumerate(("sample_all.c", "main.c")):
        command = [tool(compiler), *WARNINGS, *flags, "-O2", "-c", source, "-o", f"../part{k}.o"]
        succeed(*command, cwd=tmp_path / str(k))
    succeed(tool(compiler), "part0.o", "part1.o", "-o", "program", cwd=tmp_path)
    assert_same_bits(tmp_path / "program", RECIPE)


def test_the_file_can_be_included_itself(tmp_path):
    exported(tmp_path)
    (tmp_path / "main.c").write_text(main("c_single/sample_all.c"))
    succeed(tool("cc"), *WARNINGS, "-O1", "main.c", "-o", "program", cwd=tmp_path)
    assert_same_bits(tmp_path / "program", RECIPE)


@pytest.mark.parametrize(
    "target",
    [
        ("arm-none-eabi-gcc", "-mcpu=arm7tdmi", "-mthumb"),
        ("arm-none-eabi-gcc", "-mcpu=cortex-m0", "-mthumb"),
        ("arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb"),
        ("arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb"),
        ("arm-none-eabi-gcc", "-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard"),
        ("riscv64-unknown-elf-gcc", "-march=rv32imac", "-mabi=ilp32"),
    ],
    ids=lambda target: target[1].partition("=")[2],
)
def test_one_file_compiles_for_every_target(target, tmp_path):
    exported(tmp_path)
    freestanding = tmp_path / "string.h"
    freestanding.write_text(
        "#ifndef STRING_H\n#define STRING_H\n#include <stddef.h>\n"
        "void *memcpy(void *restrict, const void *restrict, size_t);\n"
        "void *memset(void *, int, size_t);\nint memcmp(const void *, const void *, size_t);\n"
        "#endif\n"
    )
    compiler, *flags = target
    command = [tool(compiler), *flags, *WARNINGS, "-ffreestanding", "-O2", f"-I{tmp_path}"]
    succeed(*command, "-c", "c_single/sample_all.c", "-o", "all.o", cwd=tmp_path)


def test_two_models_share_one_library(tmp_path):
    exported(tmp_path)
    exported(tmp_path, OTHER)
    single = tmp_path / "c_single"
    succeed(tool("cc"), "-std=c11", "-c", "sample_all.c", cwd=single)
    succeed(tool("cc"), "-std=c11", f"-D{ELSEWHERE}", "-c", "other_all.c", cwd=single)
    for name, recipe in (("sample", RECIPE), ("other", OTHER)):
        (single / "main.c").write_text(main(f"{name}.h", name))
        program = tmp_path / f"{name}.elf"
        objects = ("sample_all.o", "other_all.o")
        succeed(tool("cc"), "-std=c11", "main.c", *objects, "-o", program, cwd=single)
        assert_same_bits(program, recipe)


def test_choices_are_those_of_the_folder(tmp_path):
    exported(tmp_path, choices=CChoices(optimize="size", tables="ram"))
    text = (tmp_path / "c_single" / "sample_all.c").read_text()
    assert re.search(r"^#define RNN_EDGE_PORTABLE 1$", text, re.MULTILINE)
    assert re.search(r"^#define RNN_EDGE_TABLES_IN_RAM 1$", text, re.MULTILINE)


def configured(application, program, names, folders):
    """Writes an application of models in folders and configures it; the build's folder."""
    application.mkdir()
    (application / "main.c").write_text(program)
    (application / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.13)\nproject(application LANGUAGES C)\n"
        + "".join(f"add_subdirectory({folder} {name})\n" for name, folder in folders)
        + "add_executable(application main.c)\n"
        f"target_link_libraries(application PRIVATE {' '.join(names)})\n"
    )
    build_folder = application / "build"
    succeed(tool("cmake"), "-S", application, "-B", build_folder, "-DCMAKE_C_COMPILER=gcc")
    return build_folder


@pytest.mark.slow
def test_cmake_makes_a_library_of_the_folder(tmp_path):
    exported(tmp_path)
    application = tmp_path / "application"
    made = configured(application, main("sample.h"), ["sample"], [("sample", tmp_path / "c")])
    succeed(tool("cmake"), "--build", made)
    assert_same_bits(made / "application", RECIPE)
    assert "-O2" in (made / "sample/CMakeFiles/sample.dir/flags.make").read_text()


BOTH = (
    '#include "{0}.h"\nint {0}_too(void);\n'
    "int {0}_too(void) {{\n    static {0}_stream stream;\n    {0}_stream_init(&stream);\n"
    "    return (int){0}_model.layer_count;\n}}\n"
)
"""A program has both models only if it calls both."""


@pytest.mark.slow
@pytest.mark.parametrize("names", [("sample", "other"), ("other", "sample")])
def test_models_of_different_choices_share_a_library_by_cmake(names, tmp_path):
    # Units of several turns: were the two libraries mixed, they would differ in their turns.
    recipes = {
        "sample": replace(RECIPE, kinds=("gru",), units=(40,)),
        "other": replace(OTHER, kinds=("lstm",), units=(36,), bias="small"),
    }
    exported(tmp_path / "sample", recipes["sample"])
    exported(tmp_path / "other", recipes["other"], CChoices(optimize="size"))
    folders = [(name, tmp_path / name / "c") for name in ("sample", "other")]
    for name, too in (names, names[::-1]):
        program = main(f"{name}.h", name).replace("return 0;", f"return {too}_too() == 0;")
        program = BOTH.format(too) + program
        made = configured(tmp_path / f"application_{name}", program, names, folders)
        succeed(tool("cmake"), "--build", made)
        assert_same_bits(made / "application", recipes[name])


def test_cmake_refuses_a_library_that_lacks_a_models_kernels(tmp_path):
    exported(tmp_path / "sample")
    exported(tmp_path / "other", OTHER, CChoices(optimize="size"))
    folders = [(name, tmp_path / name / "c") for name in ("other", "sample")]
    with pytest.raises(AssertionError, match="sample needs kernels that the library of") as refused:
        configured(tmp_path / "application", main("sample.h"), ["sample", "other"], folders)
    assert "add the folder of sample before it" in " ".join(str(refused.value).split())


def test_the_example_in_the_header_is_a_program(tmp_path):
    exported(tmp_path)
    comment = (tmp_path / "c" / "sample.h").read_text().partition("*/")[0]
    lines = [line.removeprefix(" *     ") for line in comment.splitlines() if " *     " in line]
    assert 5 <= len(lines) <= 10
    declared, loop = lines[:3], "\n".join(lines[3:])
    (tmp_path / "c" / "main.c").write_text(
        '#include <stdio.h>\n#include <stdlib.h>\n#include "sample.h"\n'
        "static void read_frame(int16_t *x) {\n"
        "    if (fread(x, 2, SAMPLE_INPUTS, stdin) != SAMPLE_INPUTS) {\n"
        "        exit(0);\n    }\n}\n"
        "static void act_on(const int16_t *y) {\n    fwrite(y, 2, SAMPLE_OUTPUTS, stdout);\n}\n"
        + "\n".join(declared[:1])
        + "\nint main(void) {\n"
        + "\n".join(declared[1:])
        + f"\n{loop}\n}}\n"
    )
    files = sorted(path.name for path in (tmp_path / "c").glob("*.c"))
    succeed(tool("gcc"), *WARNINGS, "-O1", *files, "-o", "../program", cwd=tmp_path / "c")
    assert_same_bits(tmp_path / "program", RECIPE)
