"""Forms without vectors give the bits of the portable one: every sum, state and odd size."""

import pytest
from c_models import WARNINGS, succeed, tool
from form_sweeps import HERE, INCLUDES, SWEEP, lines_of, portable_lines

from rnn_edge.resources import data_folder

TEMPLATES = data_folder("firmware_templates")
LINK = ("-nostdlib", "-ffunction-sections", "-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments")


@pytest.fixture(scope="module")
def portable(tmp_path_factory):
    return portable_lines(tmp_path_factory.mktemp("portable"))


SLOW = pytest.mark.slow


@pytest.mark.slow
@pytest.mark.parametrize(
    ("processor", "options"),
    [
        ("cortex-m0", ("-Os",)),
        pytest.param("cortex-m0plus", ("-O3", "-DRNN_EDGE_FAST"), marks=SLOW),
        pytest.param("cortex-m23", ("-O2",), marks=SLOW),
        ("cortex-m3", ("-O2",)),
        pytest.param("cortex-m3", ("-O0",), marks=SLOW),
        pytest.param("cortex-m3", ("-Os", "-DRNN_EDGE_PORTABLE"), marks=SLOW),
        pytest.param("cortex-m33+nodsp", ("-Os",), marks=SLOW),
    ],
    ids=lambda value: value if isinstance(value, str) else "".join(value),
)
def test_a_cortex(processor, options, portable, tmp_path):
    emulator = tool("qemu-system-arm")
    image = tmp_path / "sweep.elf"
    flags = (f"-mcpu={processor}", "-mthumb", *options, *LINK, "-T", HERE / "form_sweep_an385.ld")
    sources = (*SWEEP, HERE / "form_sweep_bare.c")
    command = (tool("arm-none-eabi-gcc"), *WARNINGS, *flags, *INCLUDES, *sources)
    succeed(*command, "-lgcc", "-o", image)
    console = ("-chardev", "stdio,id=out", "-semihosting-config", "enable=on,chardev=out")
    board = ("-M", "mps2-an385", "-display", "none", *console, "-kernel", image)
    assert lines_of(emulator, *board) == portable


@pytest.mark.parametrize("level", ["-O2", pytest.param("-O3", marks=SLOW)])
def test_rv32(level, portable, tmp_path):
    emulator = tool("qemu-system-riscv32")
    image = tmp_path / "sweep.elf"
    processor = ("-march=rv32imac", "-mabi=ilp32", "-mcmodel=medany")
    freestanding = ("-ffreestanding", f"-I{TEMPLATES / 'baremetal' / 'freestanding'}")
    loops = "-fno-tree-loop-distribute-patterns"
    flags = (*processor, level, *freestanding, loops, *LINK, "-T", HERE / "form_sweep_riscv.ld")
    sources = (*SWEEP, HERE / "form_sweep_riscv.c", TEMPLATES / "baremetal" / "memory.c")
    command = (tool("riscv64-unknown-elf-gcc"), *WARNINGS, *flags, *INCLUDES, *sources)
    succeed(*command, "-lgcc", "-o", image)
    board = ("-M", "virt", "-bios", "none", "-display", "none", "-serial", "stdio")
    assert lines_of(emulator, *board, "-monitor", "none", "-kernel", image) == portable
