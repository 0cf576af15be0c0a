"""The kernel library's text: compiles cleanly, shifts no sign, needs no runtime."""

import re

import pytest
from c_models import WARNINGS, Recipe, build, export, succeed, tool
from compiled_code import called_outside, functions_that_shift_signed, symbol_kinds

from rnn_edge.fixedpoint import SIGMOID_TABLE
from rnn_edge.resources import data_folder

TEMPLATES = data_folder("firmware_templates")
MIXED = Recipe(kinds=("gru", "lstm"), units=(6, 9))
WIDE = Recipe(kinds=("lstm",), bias="int64", shifts="any")


@pytest.mark.parametrize("recipe", [MIXED, WIDE], ids=["narrow", "wide"])
@pytest.mark.parametrize("level", ["-Os", "-O2", "-O3"])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_folder_compiles_by_itself_without_a_warning(compiler, level, recipe, tmp_path):
    folder = export(build(recipe), tmp_path)
    command = [tool(compiler), *WARNINGS, level, "-c", *sorted(p.name for p in folder.glob("*.c"))]
    succeed(*command, cwd=folder)


def test_harness_compiles_without_a_warning(tmp_path):
    common = TEMPLATES / "common"
    flags = [*WARNINGS, "-Wmissing-prototypes", f"-I{common}"]
    succeed(tool("gcc"), *flags, "-c", TEMPLATES / "host" / "harness.c", "-o", tmp_path / "h.o")


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_api_header_is_cplusplus(compiler, tmp_path):
    folder = export(build(MIXED), tmp_path)
    main = folder / "main.cpp"
    main.write_text(
        '#include "sample.h"\n'
        "int main() {\n"
        "    sample_state state;\n"
        "    sample_init(&state);\n"
        "    return sample_model.name[0] == 's' ? 0 : 1;\n"
        "}\n"
    )
    sources = sorted(folder.glob("*.c"))
    for source in sources:
        succeed(tool("cc"), "-std=c11", "-c", source, "-o", source.with_suffix(".o"))
    objects = [source.with_suffix(".o") for source in sources]
    flags = ["-std=c++11", "-Wall", "-Wextra", "-Werror"]
    succeed(tool(compiler), *flags, main, *objects, "-o", tmp_path / "program")
    succeed(tmp_path / "program")


def test_sigmoid_table_is_the_one_of_the_reference():
    text = (TEMPLATES / "common" / "rnn_edge_activation.c").read_text()
    body = re.search(r"= \{(.*?)\};", text, re.DOTALL).group(1)
    assert [int(n) for n in re.findall(r"\d+", body)] == SIGMOID_TABLE.tolist()


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("level", ["-Os", "-O3"])
def test_code_calls_nothing_but_memory_functions(compiler, level, tmp_path):
    folder = export(build(Recipe(kinds=("gru", "lstm"), units=(6, 9), bias="int64")), tmp_path)
    sources = sorted(p.name for p in folder.glob("*.c"))
    succeed(tool(compiler), "-std=c11", level, "-fno-pic", "-c", *sources, cwd=folder)
    kinds = symbol_kinds(folder)
    outside = {name for name, seen in kinds.items() if seen == {"U"}}
    # The compiler's runtime library keeps there what the processor has; on x86-64 only.
    assert outside <= {"memcpy", "memset", "memcmp", "__stack_chk_fail", "__cpu_model"}
    # Nothing is written to: two streams, threads or interrupts share code and constants only.
    assert not [name for name, seen in kinds.items() if seen & set("BbCD")]
    public = {name for name, seen in kinds.items() if seen & set("TRDB")}
    assert all(name.startswith(("sample_", "rnn_edge_")) for name in public)


@pytest.mark.parametrize("core", ["cortex-m0", "cortex-m4"])
def test_code_needs_no_float_routines_on_a_microcontroller(core, tmp_path):
    compiler = tool("arm-none-eabi-gcc")
    folder = export(build(Recipe(kinds=("gru", "lstm"), units=(6, 9), bias="int64")), tmp_path)
    sources = sorted(p.name for p in folder.glob("*.c"))
    flags = [*WARNINGS, f"-mcpu={core}", "-mthumb", "-Os"]
    succeed(compiler, *flags, "-c", *sources, cwd=folder)
    integer = {"__aeabi_lmul", "__aeabi_llsl", "__aeabi_lasr", "__gnu_thumb1_case_uqi"}
    assert called_outside(folder) <= {"memcpy", "memset", "memcmp"} | integer


@pytest.mark.slow
def test_signed_values_are_shifted_right_in_the_two_helpers_only(tmp_path):
    for source in sorted((TEMPLATES / "common").glob("*.c")):
        found = functions_that_shift_signed(source)
        assert found <= {"rnn_edge_floor_shift32", "rnn_edge_floor_shift64", ""}
        if source.name == "rnn_edge_matrix.c":
            assert "rnn_edge_floor_shift64" in found


def test_code_is_formatted():
    files = sorted([*TEMPLATES.glob("common/*.[ch]"), *TEMPLATES.glob("host/*.[ch]")])
    assert len(files) > 8
    succeed(tool("clang-format"), "--dry-run", "--Werror", *files)
