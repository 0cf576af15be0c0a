"""Images for microcontrollers: startup code, service and model, placed in a device's memory."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rnn_edge.errors import EngineError, ModelError
from rnn_edge.firmware.program import Recipe, build_program
from rnn_edge.firmware.tools import call, program
from rnn_edge.spec import BuildSection, DeviceSpec, MemorySection
from rnn_edge.types import QuantizedModel

TEMPLATE = "baremetal"
FLAGS = (
    "-std=c11",
    "-ffreestanding",
    "-ffunction-sections",
    "-fdata-sections",
    # The memory functions of the template are loops that must not call themselves.
    "-fno-tree-loop-distribute-patterns",
    "-Ifreestanding",
    "-nostdlib",
    "-static",
    "-Wl,--gc-sections",
    "-Wl,--build-id=none",
    "-Wl,-L.",
    "-Wl,-T,image.ld",
)
_OVERFLOW = re.compile(r"region `(FLASH|RAM)' overflowed by (\d+) bytes")
FLASH_SECTIONS = (".vectors", ".text", ".rodata", ".data")
_RAM_SECTIONS = (".stack", ".data", ".bss")


@dataclass(frozen=True)
class Image:
    """A program for a device.

    Attributes:
        path: The ELF file.
        flash_bytes: Code, constants and the initial values of variables.
        ram_bytes: Variables and the stack's place.
    """

    path: Path
    flash_bytes: int
    ram_bytes: int


def placed(device: DeviceSpec) -> tuple[MemorySection, BuildSection]:
    """Return where an image for a device lies and how it is compiled.

    Raises:
        EngineError: If the template is not the device's.
    """
    memory, build = device.memory, device.build
    if device.template != TEMPLATE or memory is None or build is None:
        raise EngineError(
            f"Device {device.name} has no image: its template is "
            f"{device.template or 'not there yet'}; expected {TEMPLATE}.",
            "rnn-edge devices list",
        )
    return memory, build


def memory_script(device: DeviceSpec) -> str:
    """Return the linker's view of a device's memory."""
    memory, _ = placed(device)
    return (
        f"/* Memory of {device.name}. */\n"
        f"rnn_edge_stack_bytes = {memory.stack_bytes};\n"
        "MEMORY\n{\n"
        f"    FLASH (rx) : ORIGIN = {memory.flash_origin:#010x}, LENGTH = {memory.flash_bytes}\n"
        f"    RAM (rwx) : ORIGIN = {memory.ram_origin:#010x}, LENGTH = {memory.ram_bytes}\n"
        "}\n"
    )


def recipe(device: DeviceSpec) -> Recipe:
    """Return how images for a device are compiled.

    Raises:
        MissingDependencyError: If its compiler is not installed.
        EngineError: If no image is built for the device.
    """
    _, build = placed(device)
    names = (
        "main.c",
        "memory.c",
        "platform.h",
        "semihosting.c",
        f"startup_{build.startup}.c",
        "image.ld",
        "freestanding/string.h",
    )
    return Recipe(
        target=device.name,
        compiler=(program(build.compiler, f"firmware for {device.name}"),),
        version=("--version",),
        flags=(*FLAGS, *build.flags),
        templates=tuple(f"{TEMPLATE}/{name}" for name in names),
        generated={"memory.ld": memory_script(device)},
        libraries=("-lgcc",),
    )


def build_image(
    device: DeviceSpec, model: QuantizedModel, sources: Sequence[Path], work: Path
) -> Image:
    """Compile the image of a model for a device, unless that was done before.

    Args:
        device: The device.
        model: The model that was exported.
        sources: The exported C, headers too.
        work: Where the image is kept.

    Raises:
        MissingDependencyError: If the compiler is not installed.
        ModelError: If the device's memory is too small, with the numbers.
        EngineError: If the export is not there or does not compile.
        EnvironmentFailureError: If the image cannot be written, or the compiler does not run.
    """
    path = build_program(
        recipe(device), model, sources, work, lambda text: does_not_fit(device, model, text)
    )
    return measured(device, path)


def does_not_fit(device: DeviceSpec, model: QuantizedModel, output: str) -> ModelError | None:
    """Return what to say where a linker printed that a region is too small, or else None."""
    over = {region: int(count) for region, count in _OVERFLOW.findall(output)}
    memory, _ = placed(device)
    sizes = {"FLASH": memory.flash_bytes, "RAM": memory.ram_bytes}
    words = {"FLASH": "flash", "RAM": "RAM"}
    needs = [
        f"{sizes[region] + count:,} bytes of {words[region]}; {device.name} has {sizes[region]:,}"
        for region, count in sorted(over.items())
    ]
    if not needs:
        return None
    return ModelError(
        f"Model {model.name} needs {', and '.join(needs)}.",
        "set fewer hidden units in the spec, or use a larger device",
    )


def measured(device: DeviceSpec, path: Path) -> Image:
    """Return an image with the sizes that its sections say.

    Raises:
        MissingDependencyError: If the compiler comes without the program that lists them.
        EngineError: If it has no code, or they are not listed.
    """
    _, build = placed(device)
    tool = program(f"{build.compiler.removesuffix('gcc')}size", "the size of an image")
    done = call([tool, "-A", "-d", str(path)], path.parent)
    rows = {parts[0]: parts[1:] for line in done.stdout.splitlines() if (parts := line.split())}
    try:
        sizes = {name: int(rows[name][0]) if name in rows else 0 for name in _section_names()}
    except (IndexError, ValueError) as error:
        raise EngineError(
            f"Program {tool} printed {done.stdout!r}; expected a table of sections."
        ) from error
    if not sizes[".text"]:
        raise EngineError(f"Image {path} has no code: {done.stderr.strip()}.", "delete it")
    return Image(
        path,
        sum(sizes[name] for name in FLASH_SECTIONS),
        sum(sizes[name] for name in _RAM_SECTIONS),
    )


def _section_names() -> tuple[str, ...]:
    return tuple(dict.fromkeys((*FLASH_SECTIONS, *_RAM_SECTIONS)))
