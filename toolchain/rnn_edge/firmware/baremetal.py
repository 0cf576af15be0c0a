"""Images for microcontrollers: startup code, service and model, placed in a device's memory."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rnn_edge.errors import EngineError, ModelError
from rnn_edge.firmware.app_config import AppConfig
from rnn_edge.firmware.elf_sections import elf_sections
from rnn_edge.firmware.program import LINK, Maker, Recipe, build_program
from rnn_edge.firmware.toolchain import toolchain_for
from rnn_edge.registry import known
from rnn_edge.resources import data_folder
from rnn_edge.spec import BuildSection, DeviceSpec, MemorySection
from rnn_edge.types import QuantizedModel

TEMPLATE = "baremetal"
_BOARD = "board"
_NUMBERS = f"{_BOARD}/numbers.h"
_SHARED = (
    "app/rnn_edge_board.h",
    "device/rnn_edge_receive.h",
    "device/rnn_edge_retained.h",
)
"""What boards of all kinds share."""
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
_OVERFLOW = re.compile(r"region [`'](FLASH|RAM)'(?::)? overflowed by (\d+) bytes")
"""In the words of GNU ld, once for a region, and of lld, once for a section."""
FLASH_SECTIONS = (".vectors", ".text", ".rodata", ".data")


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
        f"    FLASH (rx) : ORIGIN = {memory.flash_origin:#010x}, LENGTH = {device.flash_bytes}\n"
        f"    RAM (rwx) : ORIGIN = {memory.ram_origin:#010x}, LENGTH = {memory.ram_bytes}\n"
        "}\n"
    )


def board_header(device: DeviceSpec, numbers: Mapping[str, int]) -> str:
    """Return the numbers of a device's board as the parts include them."""
    lines = [f"#define BOARD_{name.upper()} {value:#x}U" for name, value in sorted(numbers.items())]
    return "\n".join(
        [
            f"/* What the parts know of {device.name}. */",
            "#ifndef RNN_EDGE_BOARD_NUMBERS_H",
            "#define RNN_EDGE_BOARD_NUMBERS_H",
            *lines,
            "#endif",
            "",
        ]
    )


def recipe(device: DeviceSpec) -> Recipe:
    """Return how images for a device are compiled.

    Raises:
        MissingDependencyError: If its compiler is not installed.
        EngineError: If no image is built for the device.
    """
    _, build = placed(device)
    toolchain = toolchain_for(build.compiler, f"firmware for {device.name}")
    names = (
        "main.c",
        "memory.c",
        "platform.h",
        f"startup_{build.startup}.c",
        "image.ld",
        "freestanding/string.h",
    )
    parts = board_files(device)
    numbers = {} if device.board is None else device.board.numbers
    return Recipe(
        target=device.name,
        compiler=toolchain.compiler,
        version=toolchain.version,
        flags=(*toolchain.flags((*FLAGS, *build.flags)), *toolchain.graphs),
        templates=(*(f"{TEMPLATE}/{name}" for name in names), *parts),
        generated={"memory.ld": memory_script(device), _NUMBERS: board_header(device, numbers)},
        libraries=toolchain.libraries,
        variables=toolchain.variables,
    )


def board_files(device: DeviceSpec) -> tuple[str, ...]:
    """Return the parts of a device's board and what they share, in ``firmware_templates/``.

    Raises:
        EngineError: If the device's file names no parts, or one that is not there.
    """
    if device.board is None:
        raise EngineError(
            f"Device {device.name} has no firmware: its file is without the table [board]; "
            "expected the parts of its board.",
            "docs/devices.md",
        )
    folder = f"{TEMPLATE}/{_BOARD}"
    there = {path.name for path in (data_folder("firmware_templates") / folder).iterdir()}
    wanted = ("begin.c", *(f"{part}.c" for part in device.board.parts))
    for name in wanted:
        if name not in there:
            parts = sorted(other.removesuffix(".c") for other in there if other.endswith(".c"))
            raise EngineError(
                f"Device {device.name}: unknown part {name.removesuffix('.c')!r}; known are "
                f"{known(parts)}.",
                f"add firmware_templates/{folder}/{name}",
            )
    headers = sorted(name for name in there if name.endswith(".h"))
    return (*_SHARED, *(f"{folder}/{name}" for name in (*wanted, *headers)))


def build_image(
    device: DeviceSpec,
    model: QuantizedModel,
    sources: Sequence[Path],
    work: Path,
    service: Sequence[str] = LINK,
    app: AppConfig | None = None,
    beside: Mapping[str, Maker] | None = None,
) -> Image:
    """Compile the image of a model for a device, unless that was done before.

    Args:
        device: The device.
        model: The model that was exported.
        sources: The exported C, headers too.
        work: Where the image is kept.
        service: Files of what serves the model.
        app: What the application does; None for one that decides nothing.
        beside: As for `rnn_edge.firmware.program.build`.

    Raises:
        MissingDependencyError: If the compiler is not installed.
        ModelError: If the device's memory is too small, with the numbers.
        EngineError: If the export is not there or does not compile.
        EnvironmentFailureError: If the image cannot be written, or the compiler does not run.
    """
    path = build_program(
        recipe(device),
        model,
        sources,
        work,
        lambda text: does_not_fit(device, model, text),
        service,
        app,
        beside,
    )
    return measured(device, path)


def does_not_fit(device: DeviceSpec, model: QuantizedModel, output: str) -> ModelError | None:
    """Return what to say where a linker printed that a region is too small, or else None."""
    over: dict[str, int] = {}
    for region, count in _OVERFLOW.findall(output):
        over[region] = max(over.get(region, 0), int(count))
    memory, _ = placed(device)
    sizes = {"FLASH": device.flash_bytes or 0, "RAM": memory.ram_bytes}
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
    """Return an image with the sizes that its sections say, gaps between them included.

    Raises:
        EngineError: If it is no ELF file, or has no code.
    """
    memory, _ = placed(device)
    sections = elf_sections(path)
    stored = [(s.stored_at, s.stored_at + s.size) for s in sections if s.stored_at is not None]
    if not stored:
        raise EngineError(f"Image {path} has no code; expected some.", "delete it")
    ram_end = memory.ram_origin + memory.ram_bytes
    ends = [
        section.address + section.size
        for section in sections
        if section.is_allocated and memory.ram_origin <= section.address < ram_end
    ]
    return Image(
        path,
        max(end for _, end in stored) - min(begin for begin, _ in stored),
        max(ends, default=memory.ram_origin) - memory.ram_origin,
    )
