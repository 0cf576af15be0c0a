"""Which compiler is taken, and its options in the words of the other."""

import re
import shutil

import pytest

from rnn_edge.errors import EngineError, MissingDependencyError, SpecError
from rnn_edge.firmware import toolchain
from rnn_edge.firmware.baremetal import FLAGS, does_not_fit
from rnn_edge.firmware.link_map import bytes_by_object
from rnn_edge.firmware.toolchain import (
    ALWAYS,
    VARIABLE,
    ZIG_COMMAND,
    described,
    toolchain_for,
    without_linking,
    zig,
    zig_flags,
)
from rnn_edge.spec import all_devices

ARM = "arm-none-eabi-gcc"
LLD_MAP = """\
     VMA      LMA     Size Align Out     In      Symbol
   10000        0        0     1 rnn_edge_stack_bytes = 2048
      40       40      2a8     4 .text
      40       40       28     4         zig-cache/o/85/main.o:(.text.begin)
      41       41       28     1                 begin
      68       68      280     2         /root/.cache/zig/o/11/libcompiler_rt.a(rt.o):(.text.fixed)
     2e8      2e8       1e     1 .rodata
     2e8      2e8       1e     1         <internal>:(.rodata)
       0        0       65     1 .ARM.attributes
       0        0       65     1         <internal>:(.ARM.attributes)
"""


@pytest.fixture
def installed(monkeypatch):
    """Say which programs and packages are there."""

    def say(*names):
        monkeypatch.setattr(
            toolchain.shutil, "which", lambda name: f"/bin/{name}" if name in names else None
        )
        find = toolchain.importlib.util.find_spec
        monkeypatch.setattr(
            toolchain.importlib.util,
            "find_spec",
            lambda name: (name in names or None) if name == "ziglang" else find(name),
        )
        monkeypatch.delenv(VARIABLE, raising=False)

    return say


def test_the_compiler_of_the_device_is_taken_where_it_is_installed(installed):
    installed(ARM, "ziglang")
    found = toolchain_for(ARM, "a test")
    assert (found.name, found.compiler, found.libraries) == ("gcc", (f"/bin/{ARM}",), ("-lgcc",))
    assert found.flags(("-mcpu=cortex-m4", "-anything")) == ("-mcpu=cortex-m4", "-anything")


def test_zig_is_taken_where_it_is_not(installed):
    installed("ziglang")
    found = toolchain_for(ARM, "a test")
    assert (found.name, found.compiler, found.libraries) == ("zig", ZIG_COMMAND, ())


def test_without_both_each_is_named_with_how_to_get_it(installed):
    installed()
    with pytest.raises(MissingDependencyError) as caught:
        toolchain_for(ARM, "firmware for my-board")
    assert caught.value.message == (
        "Neither the program arm-none-eabi-gcc nor the package ziglang is installed; one of them "
        "is needed for firmware for my-board."
    )
    assert "pip install 'rnn-edge[cross]'" in caught.value.hint
    assert "apt-get install gcc-arm-none-eabi" in caught.value.hint


def test_the_environment_chooses(installed, monkeypatch):
    installed(ARM, "ziglang")
    monkeypatch.setenv(VARIABLE, "zig")
    pytest.importorskip("ziglang", reason="zig is not installed")
    assert toolchain_for(ARM, "a test").name == "zig"
    monkeypatch.setenv(VARIABLE, "gcc")
    assert toolchain_for(ARM, "a test").name == "gcc"
    installed("ziglang")
    monkeypatch.setenv(VARIABLE, "gcc")
    with pytest.raises(MissingDependencyError, match="where RNN_EDGE_TOOLCHAIN=gcc"):
        toolchain_for(ARM, "a test")
    monkeypatch.setenv(VARIABLE, "tcc")
    with pytest.raises(SpecError, match="RNN_EDGE_TOOLCHAIN=tcc; expected gcc or zig"):
        toolchain_for(ARM, "a test")


@pytest.mark.parametrize(
    ("flags", "target"),
    [
        (("-mcpu=cortex-m0",), ("thumb-freestanding-eabi", "-mcpu=cortex_m0")),
        (("-mcpu=cortex-m0plus", "-mthumb"), ("thumb-freestanding-eabi", "-mcpu=cortex_m0plus")),
        (
            ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=soft"),
            ("thumb-freestanding-eabi", "-mcpu=cortex_m4"),
        ),
        (
            ("-mcpu=cortex-m55", "-mfloat-abi=hard"),
            ("thumb-freestanding-eabihf", "-mcpu=cortex_m55"),
        ),
        (
            ("-march=rv32imac_zicsr",),
            ("riscv32-freestanding-none", "-mcpu=generic_rv32+i+m+a+c+zicsr"),
        ),
        (("-march=rv32ec",), ("riscv32-freestanding-none", "-mcpu=generic_rv32+e+c")),
    ],
)
def test_a_processor_is_translated(flags, target):
    translated = zig_flags(flags)
    assert translated[:3] == ("-target", *target)
    assert translated[3:] == (*ALWAYS, "-Wl,--entry=rnn_edge_reset")


def test_other_options_keep_their_order():
    flags = ("-mcpu=cortex-m3", "-std=c11", "-O2", "-Ifreestanding", "-DX=1", "-mabi=ilp32")
    assert zig_flags(flags)[-5:] == ("-std=c11", "-O2", "-Ifreestanding", "-DX=1", "-mabi=ilp32")
    linking = zig_flags(("-mcpu=cortex-m3", "-nostdlib", "-Wl,-L.", "-Wl,-T,image.ld", "-lgcc"))
    assert linking[-3:] == ("-L.", "-T", "image.ld")


@pytest.mark.parametrize(
    "flag",
    [
        "-mfloat-abi=softfp",
        "-march=rv64gc",
        "-mcpu=cortex-a7",
        "-fcallgraph-info=su",
        "-Wl,-Map=a",
        "-O9",
    ],
)
def test_an_option_that_is_not_known_is_refused(flag):
    with pytest.raises(EngineError, match=f"Compiler option {flag} has no translation for zig"):
        zig_flags(("-mcpu=cortex-m4", flag))


def test_options_without_a_processor_are_refused():
    with pytest.raises(EngineError, match="-O2 name no processor"):
        zig_flags(("-O2",))


@pytest.mark.parametrize("name", [n for n, d in all_devices().items() if d.template == "baremetal"])
def test_the_options_of_every_device_are_known(name):
    assert zig_flags((*FLAGS, *all_devices()[name].build.flags))[0] == "-target"


def test_a_compiler_that_links_nothing_is_told_nothing_of_linking():
    flags = without_linking(zig_flags((*FLAGS, "-mcpu=cortex-m4")))
    assert "-T" not in flags
    assert "image.ld" not in flags
    assert not [flag for flag in flags if flag.startswith(("-Wl,", "-L"))]
    assert "-mcpu=cortex_m4" in flags


def test_a_map_of_lld_is_added_up_by_object():
    assert bytes_by_object(LLD_MAP, (".text",)) == {"main.o": 0x28, "libcompiler_rt.a": 0x280}
    assert bytes_by_object(LLD_MAP, (".rodata",)) == {"<internal>": 30}


def test_what_lld_says_of_a_full_memory_is_understood():
    class Model:
        name = "big"

    said = (
        "ld.lld: error: section '.text' will not fit in region 'FLASH': overflowed by 2250 bytes\n"
        "ld.lld: error: section '.data' will not fit in region 'FLASH': overflowed by 5780 bytes\n"
        "ld.lld: error: section '.bss' will not fit in region 'RAM': overflowed by 288 bytes\n"
    )
    error = does_not_fit(all_devices()["qemu-m4"], Model, said)
    assert error is not None
    assert "4,200,084 bytes of flash" in error.message
    assert "4,194,592 bytes of RAM" in error.message


def test_the_version_of_a_compiler_is_told(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    if shutil.which(ARM) is None:
        pytest.skip(f"{ARM} is not installed")
    found = toolchain_for(ARM, "a test")
    assert described(found.compiler, found.version).startswith(ARM)


def test_the_version_of_zig_is_told():
    pytest.importorskip("ziglang", reason="zig is not installed")
    assert re.fullmatch(r"zig \d+\.\d+\.\d+.*", described(ZIG_COMMAND, zig().version))
