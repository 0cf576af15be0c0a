"""A model with every cell, for every target at every level: no warning, calls as documented."""

import platform
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from c_models import WARNINGS, Recipe, build, export, succeed, tool

from rnn_edge.resources import data_folder
from rnn_edge.types import GATES

LEVELS = ("-Os", "-O2", "-O3")
MEMORY = {"memcpy", "memset", "memcmp"}
FREESTANDING = f"-I{data_folder('firmware_templates') / 'baremetal' / 'freestanding'}"
DOCS = Path(__file__).parents[3] / "docs" / "c_api.md"
RECIPE = Recipe(seed=81, kinds=tuple(GATES), units=(9, 6, 5, 8), head="softmax", name="narrow")
WIDE = Recipe(seed=82, kinds=("gru", "lstm"), units=(6, 9), bias="int64", name="wide")
LOCAL = Recipe(seed=84, units=(8,), inputs=16, bias="none", along=(0, 8, 4), name="local")
KEPT = Recipe(seed=83, units=(24,), inputs=16, weights="pruned", bias="none", name="kept")
CHOICES = "rnn_edge_choices.h"
ALIKE = ((RECIPE, WIDE, LOCAL), (KEPT,))
"""Models of one library: how many columns a kept matrix has is among what is chosen for it."""


@dataclass(frozen=True)
class Target:
    """A processor, as a compiler knows it.

    Attributes:
        row: Its name in the documentation.
        prefix: Of the compiler's tools.
        compiler: Behind the prefix.
        flags: What chooses the processor.
    """

    row: str
    prefix: str
    compiler: str
    flags: tuple[str, ...] = ()


def cortex(row, name):
    return Target(row, "arm-none-eabi-", "gcc", (f"-mcpu={name}", "-mthumb"))


def risc_v(row, architecture):
    flags = (f"-march={architecture}", "-mabi=ilp32", "-ffreestanding", FREESTANDING)
    return Target(row, "riscv64-unknown-elf-", "gcc", flags)


TARGETS = {
    "gcc": Target("x86-64", "", "gcc", ("-fno-pic",)),
    "clang": Target("x86-64", "", "clang", ("-fno-pic",)),
    "m0": cortex("Cortex-M0, M0+", "cortex-m0"),
    "m3": cortex("Cortex-M3", "cortex-m3"),
    "m4": cortex("Cortex-M4, M7", "cortex-m4"),
    "m33": cortex("Cortex-M33", "cortex-m33"),
    "m55": cortex("Cortex-M55", "cortex-m55"),
    "rv32imac": risc_v("RISC-V RV32IMAC", "rv32imac"),
}


def called(target, level, recipes, folder):
    """Return the names that the objects need from elsewhere."""
    compiler, names = tool(f"{target.prefix}{target.compiler}"), tool(f"{target.prefix}nm")
    made = [export(build(recipe), folder).joinpath(CHOICES).read_bytes() for recipe in recipes]
    # The kernels that are compiled once are those of every model.
    assert len(set(made)) == 1
    code = folder / "c"
    sources = sorted(path.name for path in code.glob("*.c"))
    succeed(compiler, *WARNINGS, *target.flags, level, "-c", *sources, cwd=code)
    listing = succeed(names, "-P", *sorted(code.glob("*.o"))).decode()
    kinds = {}
    for name, kind in re.findall(r"^(\S+) ([A-Za-z])\b", listing, re.MULTILINE):
        kinds.setdefault(name, set()).add(kind)
    return {name for name, seen in kinds.items() if seen == {"U"}}


def documented():
    """Return the names in each row of the table."""
    text = DOCS.read_text(encoding="utf-8")
    part = text[text.index("## What it calls") :].split("\n## ")[0]
    rows = re.findall(r"^\| ([^|`]+?) \|(.*)\|$", part, re.MULTILINE)
    return {row: set(re.findall(r"`(\w+)`", names)) for row, names in rows if row != "target"}


def test_the_table_has_every_target():
    assert {target.row for target in TARGETS.values()} == set(documented())


@pytest.mark.parametrize(("name", "level"), [("m4", "-O2"), ("rv32imac", "-Os")])
def test_nothing_else_is_called_and_no_compiler_warns(name, level, tmp_path):
    target = TARGETS[name]
    assert called(target, level, [RECIPE], tmp_path) <= MEMORY | documented()[target.row]


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_what_is_documented_is_called_at_some_level(name, tmp_path):
    target, found = TARGETS[name], set()
    if not target.prefix and platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("this host is no x86-64")
    for level in LEVELS:
        for recipes in ALIKE:
            folder = tmp_path / level / recipes[0].name
            folder.mkdir(parents=True)
            found |= called(target, level, recipes, folder)
    assert found - MEMORY == documented()[target.row]
