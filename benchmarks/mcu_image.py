"""Images that measure one part of the firmware on emulated microcontrollers."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rnn_edge.firmware.baremetal import FLAGS, memory_script
from rnn_edge.resources import data_folder
from rnn_edge.spec import all_devices

COMPILER = "arm-none-eabi-gcc"
LIMIT_S = 600
AROUND = ("baremetal/image.ld", "baremetal/memory.c")
"""Templates that every image needs."""


@dataclass(frozen=True)
class Target:
    """A processor, the emulated board that runs its code, and how it is compiled."""

    title: str
    device: str
    cpu: str

    @property
    def instructions_per_tick(self) -> float:
        """Of the timer that the images read."""
        emulator = all_devices()[self.device].emulator
        assert emulator is not None
        return emulator.instructions_per_tick


TARGETS = (
    Target("Cortex-M0+", "qemu-m3", "cortex-m0plus"),
    Target("Cortex-M3", "qemu-m3", "cortex-m3"),
    Target("Cortex-M4", "qemu-m4", "cortex-m4"),
    Target("Cortex-M7", "qemu-m7", "cortex-m7"),
    Target("Cortex-M33", "qemu-m33", "cortex-m33"),
    Target("Cortex-M55", "qemu-m55", "cortex-m55"),
)


def write_around(program: Path, templates: Iterable[str], folder: Path) -> None:
    """Write what an image is made of besides what is generated for it.

    Args:
        program: The C file that measures, on top of `mcu_image.h`.
        templates: Files of the firmware templates.
        folder: Where to.
    """
    source = data_folder("firmware_templates")
    for name in (*AROUND, *templates):
        (folder / Path(name).name).write_bytes((source / name).read_bytes())
    (folder / "freestanding").mkdir()
    string = "freestanding/string.h"
    (folder / string).write_bytes((source / "baremetal" / string).read_bytes())
    for path in (program, Path(__file__).with_suffix(".h")):
        (folder / path.name).write_bytes(path.read_bytes())


def run(target: Target, level: str, folder: Path) -> tuple[int, bytes]:
    """Compile and run; return the bytes of the firmware's code and what the program wrote."""
    device = all_devices()[target.device]
    emulator = device.emulator
    assert emulator is not None
    (folder / "memory.ld").write_text(memory_script(device))
    sources = sorted(path.name for path in folder.glob("*.c"))
    machine = (f"-mcpu={target.cpu}", "-mthumb", "-mfloat-abi=soft", level)
    command = [COMPILER, *FLAGS, *machine, "-I.", *sources, "-lgcc", "-o", "image.elf"]
    subprocess.run(command, cwd=folder, check=True)
    library = [name for name in sources if name.startswith("rnn_edge_")]
    flags = [flag for flag in FLAGS if not flag.startswith(("-Wl", "-static", "-nostdlib"))]
    subprocess.run([COMPILER, *flags, *machine, "-c", *library], cwd=folder, check=True)
    text, _ = sizes(folder)
    (folder / "result.bin").unlink(missing_ok=True)
    semihosting = ("-semihosting-config", "enable=on,target=native", "-nographic")
    start = [emulator.program, *emulator.arguments, *semihosting, "-kernel", "image.elf"]
    subprocess.run(start, cwd=folder, check=True, timeout=LIMIT_S, stdin=subprocess.DEVNULL)
    return text, (folder / "result.bin").read_bytes()


def sizes(folder: Path) -> tuple[int, int]:
    """Return the bytes of code and constants, and of variables, of the firmware's objects."""
    objects = sorted(path.name for path in folder.glob("rnn_edge_*.o"))
    size = subprocess.run(
        ["arm-none-eabi-size", "--totals", *objects], cwd=folder, check=True, capture_output=True
    )
    text, data, bss, *_ = size.stdout.decode().splitlines()[-1].split()
    return int(text), int(data) + int(bss)
