"""Sections of a device's file: memory, build, emulator, USB, and where the figures are from."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from rnn_edge.spec.section import Section

ADDRESS_LIMIT = 1 << 32
"""Addresses of the processors that images are built for lie below this."""

ALIGNMENT_BYTES = 1024
"""Of both origins: a vector table lies at a multiple of its size, rounded up to a power of two."""

_URL = re.compile(r"https://\S+")
_PART = re.compile(r"[a-z][a-z0-9_]*")
_USB_ID = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}")

Address = Annotated[int, Field(ge=0, lt=ADDRESS_LIMIT)]
MemorySize = Annotated[int, Field(ge=1024, lt=ADDRESS_LIMIT)]
Text = Annotated[str, Field(min_length=1)]
Words = Annotated[tuple[Text, ...], Field(min_length=1)]
Options = dict[Text, Text]
Figure = Literal["processor", "clock", "memory", "usb", "probe", "emulator", "board", "options"]


class SourceSection(Section):
    """Where figures of the file are from."""

    of: Annotated[tuple[Figure, ...], Field(min_length=1)]
    """What is from there."""

    document: Text
    """Its title and, where it has one, its number."""

    url: Text | None = None
    """Where it is read."""

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str | None) -> str | None:
        if url is not None and not _URL.fullmatch(url):
            raise ValueError(f'"{url}"; expected an address that begins with https://')
        return url


class RegionSection(Section):
    """A memory beside the one that variables are placed in."""

    name: Text
    """What its manual calls it."""

    origin: Address
    """Its first address."""

    bytes: MemorySize
    """Its size."""


class MemorySection(Section):
    """Where code and data lie; emulators often have RAM where a board has flash."""

    flash_origin: Address
    """First address of what holds code and constants; the processor starts there."""

    flash_bytes: MemorySize
    """Its size, without what a boot loader keeps."""

    ram_origin: Address
    """First address of what holds variables."""

    ram_bytes: MemorySize
    """Its size: one piece, which an image uses without further setting up."""

    stack_bytes: Annotated[int, Field(ge=512, le=65536)]
    """Part of the RAM that is kept for the stack."""

    more: tuple[RegionSection, ...] = ()
    """Further RAM, which images do not use."""

    @model_validator(mode="after")
    def _check(self) -> MemorySection:
        places = {
            "flash": (self.flash_origin, self.flash_bytes),
            "ram": (self.ram_origin, self.ram_bytes),
        }
        for name, (origin, _) in places.items():
            if origin % ALIGNMENT_BYTES:
                raise ValueError(
                    f"{name}_origin = {origin:#x}; expected a multiple of {ALIGNMENT_BYTES}"
                )
        _refuse_overlap(
            places | {region.name: (region.origin, region.bytes) for region in self.more}
        )
        if self.stack_bytes >= self.ram_bytes:
            raise ValueError(
                f"stack_bytes = {self.stack_bytes}; expected less than ram_bytes = {self.ram_bytes}"
            )
        return self


def _refuse_overlap(places: dict[str, tuple[int, int]]) -> None:
    words = {"flash": "flash", "ram": "RAM"}
    for name, (origin, size) in places.items():
        if origin + size > ADDRESS_LIMIT:
            raise ValueError(
                f"{name}_origin = {origin:#x} and {name}_bytes = {size} reach beyond 2^32"
            )
    named = list(places.items())
    for k, (name, (origin, size)) in enumerate(named):
        for other, (start, length) in named[k + 1 :]:
            if origin < start + length and start < origin + size:
                raise ValueError(
                    f"{words.get(name, name)} at {origin:#x} and {words.get(other, other)} at "
                    f"{start:#x} overlap"
                )


class SystemSection(Section):
    """A machine whose operating system places programs."""

    ram_bytes: Annotated[int, Field(ge=1 << 20, lt=1 << 44)]
    """Its RAM; the least that it is sold with."""


class BuildSection(Section):
    """How C is compiled for it."""

    compiler: Literal["arm-none-eabi-gcc", "riscv64-unknown-elf-gcc", "zig", "cc"]
    """The program that compiles and links; "cc" is the compiler of this host."""

    startup: Literal["cortex_m", "riscv"] | None = None
    """Which ``startup_*.c`` of the template ``baremetal`` begins; absent for other templates."""

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


class BoardSection(Section):
    """What an image of the template ``baremetal`` knows of the board."""

    parts: Words
    """Files of ``firmware_templates/baremetal/board/``, without ending: UART, clock, LED, ..."""

    numbers: dict[Text, Annotated[int, Field(ge=0, lt=ADDRESS_LIMIT)]] = Field(default_factory=dict)
    """What the parts need: addresses, interrupts, pins, rates. ``uart_base`` becomes the macro
    ``BOARD_UART_BASE`` of ``board/numbers.h``."""

    @field_validator("parts")
    @classmethod
    def _check_parts(cls, parts: tuple[str, ...]) -> tuple[str, ...]:
        for part in parts:
            if not _PART.fullmatch(part):
                raise ValueError(f'"{part}"; expected small letters, digits and underscores')
        return parts

    @field_validator("numbers")
    @classmethod
    def _check_numbers(cls, numbers: dict[str, int]) -> dict[str, int]:
        for name in numbers:
            if not _PART.fullmatch(name):
                raise ValueError(f'"{name}"; expected small letters, digits and underscores')
        return numbers


class SimulatorSection(Section):
    """What simulates the whole board on this host, where the user asks for it."""

    program: Literal["labwired"]
    """The simulator."""

    chip: Text
    """What the simulator calls the chip."""

    uart: Text | None = None
    """What it calls the UART that is the link; absent for the one that is the chip's console."""

    instructions_per_tick: Annotated[float, Field(ge=0.01, le=1000.0)]
    """Of the counter that the startup code reads, in the simulated time."""

    flags: tuple[Text, ...] = ()
    """Options of the compiler beside those of ``[build]``, for images that it is to run."""


class UsbSection(Section):
    """What the board is on a USB of the host, by itself or through what is soldered onto it."""

    id: Text
    """Vendor and product, in hexadecimal: "0483:374b"."""

    title: Text
    """What has this id."""

    @field_validator("id")
    @classmethod
    def _check_id(cls, value: str) -> str:
        if not _USB_ID.fullmatch(value):
            raise ValueError(f'"{value}"; expected vendor:product in small hexadecimal digits')
        return value
