"""The forms for Arm's vectors give the bits of the portable one: every sum, state and rounding."""

import pytest
from c_models import WARNINGS, succeed, tool
from form_sweeps import COMMON, HERE, INCLUDES, SWEEP, lines_of, portable_lines
from linux_programs import TARGET, linux_program

from rnn_edge.firmware.toolchain import ZIG_COMMAND

BOARDS = [
    ("aarch64", "cortex-a53"),
    ("aarch64", "cortex-a76"),
    ("armv7", "cortex-a7"),
    ("armv6", "arm1176"),
]


@pytest.fixture(scope="module")
def portable(tmp_path_factory):
    return portable_lines(tmp_path_factory.mktemp("portable"))


def zig(*arguments):
    pytest.importorskip("ziglang")
    succeed(*ZIG_COMMAND, *arguments)


# The first program for a processor takes zig its C library too, half a minute or more of it.
@pytest.mark.slow
@pytest.mark.parametrize(("name", "processor"), BOARDS)
def test_a_linux_board(name, processor, portable, tmp_path):
    emulator = tool(TARGET[name].emulator)
    options = [*WARNINGS, "-O3", *INCLUDES]
    if processor != TARGET[name].processor:
        options.append(f"-mcpu={processor.replace('-', '_')}")
    sources = (*SWEEP, HERE / "form_sweep_hosted.c")
    program = linux_program(name, options, sources, tmp_path / "sweep")
    assert lines_of(emulator, "-cpu", processor, program) == portable


@pytest.mark.slow
@pytest.mark.parametrize("level", ["-Os", "-O3"])
def test_a_cortex_m55(level, portable, tmp_path):
    emulator = tool("qemu-system-arm")
    image = tmp_path / "sweep.elf"
    flags = ("-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard", level, "-ffunction-sections")
    script = HERE / "form_sweep.ld"
    link = ("-nostdlib", "-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments", "-T", script)
    sources = (*SWEEP, HERE / "form_sweep_bare.c")
    command = (tool("arm-none-eabi-gcc"), *WARNINGS, *flags, *INCLUDES, *sources, *link)
    succeed(*command, "-lgcc", "-o", image)
    console = ("-chardev", "stdio,id=out", "-semihosting-config", "enable=on,chardev=out")
    board = ("-M", "mps3-an547", "-display", "none", *console, "-kernel", image)
    assert lines_of(emulator, *board) == portable


@pytest.mark.parametrize("level", ["-O0", "-O1", "-Os", "-O2", "-O3"])
@pytest.mark.parametrize(
    "processor",
    [
        ("-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard"),
        ("-mcpu=cortex-a7", "-mfpu=neon-vfpv4", "-mfloat-abi=hard"),
    ],
    ids=["mve", "neon"],
)
def test_gcc_has_nothing_to_say(processor, level, tmp_path):
    sources = [*COMMON.glob("*_mve.c"), *COMMON.glob("*_neon.c")]
    for source in sources:
        command = (tool("arm-none-eabi-gcc"), *WARNINGS, *processor, level, "-c", source)
        succeed(*command, "-o", tmp_path / "out.o")


def test_zig_compiles_the_vectors_of_armv8_1_m(tmp_path):
    target = ("-target", "thumb-freestanding-eabihf", "-mcpu=cortex_m55")
    for level in ("-Os", "-O3"):
        for source in COMMON.glob("*_mve.c"):
            options = (*WARNINGS, *target, level, "-c", source)
            zig(*options, "-o", tmp_path / "out.o")
