"""Images by both toolchains: the same bytes wherever they are made, the same bits when they run."""

import os

import numpy as np
import pytest
from c_models import Recipe, build, export, frames, succeed, tool
from device_kinds import one_of_each, options_and_parts

from rnn_edge.cache import CACHE_VARIABLE
from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.errors import MissingDependencyError
from rnn_edge.firmware.baremetal import TEMPLATE, build_image
from rnn_edge.firmware.elf_sections import elf_sections
from rnn_edge.firmware.program import LINK
from rnn_edge.firmware.toolchain import GCC, VARIABLE, ZIG
from rnn_edge.reference import IntegerReference
from rnn_edge.spec import all_devices

DEVICES = {name: d for name, d in all_devices().items() if d.template == TEMPLATE and d.board}
QUICK = "qemu-m4"
OF_A_KIND = one_of_each(DEVICES, options_and_parts)
# A processor without instructions for products of 64 bits, a board that starts by its own code, and
# another family.
OTHERS = ("qemu-m0", "rpi-pico", "qemu-rv32")
RECIPE = Recipe(seed=31, kinds=("gru", "lstm"), units=(6, 9))
# Sums and shifts of 64 bits, which a Cortex-M0 takes from its compiler's library.
WIDE = Recipe(seed=34, kinds=("lstm",), units=(7,), bias="int64", shifts="any", cell_exponent=-15)
STEPS = 300


def slow_unless_quick(name):
    return () if name == QUICK else pytest.mark.slow


def image(name, folder):
    model = build(RECIPE)
    folder.mkdir(exist_ok=True, parents=True)
    sources = sorted(export(model, folder).iterdir())
    try:
        return build_image(DEVICES[name], model, sources, folder / "work", LINK)
    except MissingDependencyError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(
    ("toolchain", "name"),
    [
        *(pytest.param(GCC, name, marks=slow_unless_quick(name)) for name in OF_A_KIND),
        # zig compiles its library of helpers for every processor anew, with nothing kept.
        *(pytest.param(ZIG, name, marks=pytest.mark.slow) for name in ("qemu-m0", "qemu-rv32")),
    ],
)
def test_an_image_has_the_same_bytes_twice(toolchain, name, tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, toolchain)
    # Nothing that is kept of one may be taken for the other.
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    first = image(name, tmp_path / "one")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "other cache"))
    for variable, value in {
        "LANG": "de_DE.UTF-8",
        "LC_ALL": "tr_TR.UTF-8",
        "TZ": "Pacific/Auckland",
        "SOURCE_DATE_EPOCH": "86400",
    }.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.chdir(tmp_path)
    before = os.umask(0o077)
    try:
        second = image(name, tmp_path / "another folder" / "deeper")
    finally:
        os.umask(before)
    assert first.path != second.path
    assert first.path.name == second.path.name
    assert first.path.read_bytes() == second.path.read_bytes()
    assert 4000 < first.flash_bytes < 40_000
    assert DEVICES[name].memory.stack_bytes < first.ram_bytes < 8000
    for trace in (str(tmp_path), str(tmp_path.name), "zig-cache", ".scratch-"):
        assert trace.encode() not in first.path.read_bytes()


@pytest.mark.slow
def test_compilers_differ_in_their_code_and_in_nothing_else(tmp_path, monkeypatch):
    made = {}
    for toolchain in (GCC, ZIG):
        monkeypatch.setenv(VARIABLE, toolchain)
        made[toolchain] = image(QUICK, tmp_path / toolchain)
    assert made[GCC].path.name != made[ZIG].path.name
    sections = {
        key: {s.name: s for s in elf_sections(value.path) if s.is_allocated}
        for key, value in made.items()
    }
    # Names and addresses are the linker script's; what is kept for the stack is the device's.
    assert list(sections[GCC]) == list(sections[ZIG])
    for name in (".vectors", ".stack"):
        assert sections[GCC][name].address == sections[ZIG][name].address
        assert sections[GCC][name].size == sections[ZIG][name].size
    assert abs(sections[GCC][".bss"].size - sections[ZIG][".bss"].size) < 64


@pytest.mark.parametrize(
    ("toolchain", "name"),
    [
        *(pytest.param(GCC, name, marks=slow_unless_quick(name)) for name in (QUICK, *OTHERS)),
        *(pytest.param(ZIG, name, marks=pytest.mark.slow) for name in (QUICK, "qemu-rv32")),
    ],
)
def test_sizes_are_those_that_binutils_print(toolchain, name, tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, toolchain)
    path = image(name, tmp_path).path
    size = tool(f"{DEVICES[name].build.compiler.removesuffix('gcc')}size")
    printed = succeed(size, "-A", "-d", path).decode().splitlines()
    rows = {
        row[0]: (int(row[1]), int(row[2])) for line in printed[2:] if len(row := line.split()) == 3
    }
    found = {s.name: (s.size, s.address) for s in elf_sections(path) if s.is_allocated and s.size}
    assert len(found) >= 5
    assert found == {key: value for key, value in rows.items() if key in found}


@pytest.mark.parametrize(
    ("recipe", "name"),
    [
        # One of each kind of inner loop.
        *(
            pytest.param(RECIPE, name, marks=slow_unless_quick(name))
            for name in (QUICK, "qemu-m0", "qemu-m55", "qemu-rv32")
        ),
        *(pytest.param(WIDE, name, marks=pytest.mark.slow) for name in ("qemu-m0", "qemu-rv32")),
    ],
)
def test_zig_makes_images_that_give_every_bit(recipe, name, tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, ZIG)
    model, x = build(recipe), frames(recipe, STEPS)
    export(model, tmp_path)
    source = EngineSource(None, model, tmp_path, tmp_path / "work")
    try:
        engine = all_engines()[f"device:{name}"].open(source)
    except MissingDependencyError as error:
        pytest.skip(str(error))
    with engine:
        trace = engine.run(x)
    wanted = IntegerReference(model).run(x[None])
    np.testing.assert_array_equal(trace.outputs, wanted.outputs[0])
    for state, value in wanted.states.items():
        np.testing.assert_array_equal(trace.states[state], value[0])
    # A stream that goes nowhere would be equal too.
    assert len(np.unique(np.concatenate(list(trace.states.values()), axis=1))) > 100
