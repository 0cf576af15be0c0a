"""Devices: what a file in ``devices/`` says about a board, or about an emulated one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from rnn_edge.errors import SpecError
from rnn_edge.resources import data_folder
from rnn_edge.spec.load import read_toml, validate
from rnn_edge.spec.section import Section

ADDRESS_LIMIT = 1 << 32
"""Addresses of the processors that images are built for lie below this."""

ALIGNMENT_BYTES = 1024
"""Of both origins: a vector table lies at a multiple of its size, rounded up to a power of two."""

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

Address = Annotated[int, Field(ge=0, lt=ADDRESS_LIMIT)]
MemorySize = Annotated[int, Field(ge=1024, lt=ADDRESS_LIMIT)]
Words = Annotated[tuple[str, ...], Field(min_length=1)]


class MemorySection(Section):
    """Where code and data lie; emulators often have RAM where a board has flash."""

    flash_origin: Address
    """First address of what holds code and constants; the processor starts there."""

    flash_bytes: MemorySize
    """Its size."""

    ram_origin: Address
    """First address of what holds variables."""

    ram_bytes: MemorySize
    """Its size."""

    stack_bytes: Annotated[int, Field(ge=512, le=65536)]
    """Part of the RAM that is kept for the stack."""

    @model_validator(mode="after")
    def _check(self) -> MemorySection:
        regions = {
            "flash": (self.flash_origin, self.flash_bytes),
            "ram": (self.ram_origin, self.ram_bytes),
        }
        for name, (origin, size) in regions.items():
            if origin % ALIGNMENT_BYTES:
                raise ValueError(
                    f"{name}_origin = {origin:#x}; expected a multiple of {ALIGNMENT_BYTES}"
                )
            if origin + size > ADDRESS_LIMIT:
                raise ValueError(
                    f"{name}_origin = {origin:#x} and {name}_bytes = {size} reach beyond 2^32"
                )
        (flash, flash_size), (ram, ram_size) = regions.values()
        if flash < ram + ram_size and ram < flash + flash_size:
            raise ValueError(f"flash at {flash:#x} and RAM at {ram:#x} overlap")
        if self.stack_bytes >= self.ram_bytes:
            raise ValueError(
                f"stack_bytes = {self.stack_bytes}; expected less than ram_bytes = {self.ram_bytes}"
            )
        return self


class BuildSection(Section):
    """How an image is compiled."""

    compiler: Literal["arm-none-eabi-gcc", "riscv64-unknown-elf-gcc"]
    """The program that compiles and links."""

    startup: Literal["cortex_m", "riscv"]
    """Which ``startup_*.c`` of the template ``baremetal`` begins."""

    flags: Words
    """Processor, instruction set and optimisation, as the compiler takes them."""


class EmulatorSection(Section):
    """What runs the image on this host."""

    program: Literal["qemu-system-arm", "qemu-system-riscv32"]
    """The emulator."""

    arguments: Words
    """Machine and whatever else is special about it; the image is added."""

    instructions_per_tick: Annotated[float, Field(ge=1.0, le=1000.0)]
    """Of the counter that the startup code reads, where the emulated time advances by 1 ns with
    each instruction: 10^9 over the counter's rate in Hz, or 1 where it counts instructions."""


class DeviceSpec(Section):
    """One device."""

    name: Annotated[str, Field(min_length=1)]
    """The name of its file, without ending."""

    title: Annotated[str, Field(min_length=1)]
    """What it is, in a line."""

    cpu: Annotated[str, Field(min_length=1)]
    """Its processor."""

    source: Annotated[str, Field(min_length=1)]
    """Where the figures are from."""

    verified: tuple[Literal["emulator", "hardware"], ...]
    """What the images of this device were really run on."""

    memory: MemorySection
    build: BuildSection
    emulator: EmulatorSection


def load_device(file: Path) -> DeviceSpec:
    """Read and check a device's file; the device is called like the file.

    Raises:
        SpecError: With every mistake.
        EnvironmentFailureError: If it cannot be read.
    """
    if not _NAME.fullmatch(file.stem):
        raise SpecError(
            f"Device file {file}: its name is {file.stem!r}; expected small letters, digits and "
            "single hyphens."
        )
    raw = read_toml(file, "device")
    if "name" in raw:
        raise SpecError(f"Device file {file}: name is the file's; expected no such key.")
    return validate(DeviceSpec, {"name": file.stem, **raw}, f"Device file {file}")


def all_devices(folder: Path | None = None) -> dict[str, DeviceSpec]:
    """Return every device of a folder by name, in order of the names.

    Args:
        folder: Holds the files; None for the shipped one.

    Raises:
        SpecError: With every mistake of the first file that has any.
    """
    files = sorted((folder or data_folder("devices")).glob("*.toml"))
    return {file.stem: load_device(file) for file in files}
