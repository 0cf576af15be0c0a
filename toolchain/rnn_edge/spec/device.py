"""Devices: what a file in ``devices/`` says about a board, or about an emulated one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from rnn_edge.errors import SpecError
from rnn_edge.registry import known
from rnn_edge.resources import data_folder
from rnn_edge.spec.device_parts import (
    BoardSection,
    BuildSection,
    EmulatorSection,
    Figure,
    MemorySection,
    Options,
    SimulatorSection,
    SourceSection,
    SystemSection,
    Text,
    UsbSection,
)
from rnn_edge.spec.load import read_toml, validate
from rnn_edge.spec.messages import choice
from rnn_edge.spec.section import Section

_NAME = re.compile(r"[a-z][a-z0-9]*([-.][a-z0-9]+)*")
_PARTS_OF_TEMPLATES = ("app", "common", "device", "example", "host", "link", "service")
"""Folders of ``firmware_templates/`` that no program begins in."""

_BUILT_BY_BUILD = ("baremetal", "linux")
"""Templates whose programs are compiled as ``[build]`` says; others bring tools of their own."""

Isa = Literal[
    "armv6-m",
    "armv7-m",
    "armv7e-m",
    "armv8-m.main",
    "armv8.1-m.main",
    "rv32imc",
    "rv32imac",
    "xtensa-lx7",
    "armv6",
    "armv8-a",
    "host",
]
_RUN_BY: Mapping[str, tuple[str, ...]] = {"rv32imc": ("rv32imac",)}
"""Instruction sets that are part of others."""

Link = Literal["semihosting", "uart", "usb", "ssh", "pipe"]


class DeviceSpec(Section):
    """One device."""

    name: Text
    """The name of its file, without ending."""

    title: Text
    """What it is, in a line."""

    cpu: Text
    """Its processor."""

    isa: Isa
    """The instruction set that its programs are made of."""

    clock_hz: Annotated[int, Field(ge=1_000_000, le=10_000_000_000)] | None = None
    """The highest rate of the processor that its documents allow; absent where there is none."""

    template: Text | None = None
    """Folder of ``firmware_templates/`` that its programs begin in; absent where there is none."""

    links: Annotated[tuple[Link, ...], Field(min_length=1)]
    """What can carry the service's bytes between it and a host, the usual one first."""

    runners: tuple[Text, ...] = ()
    """What puts firmware on it or runs it, the usual one first: modules of `rnn_edge.runners`."""

    verified: tuple[Literal["emulator", "hardware"], ...]
    """What the images of this device were really run on."""

    counted_on: Text | None = None
    """The emulated device whose processor runs the same instructions and counts them."""

    options: dict[Text, Options] = Field(default_factory=dict)
    """What a runner has to be told about it, by runner: the name of the board in an ecosystem, a
    configuration file."""

    probe_target: Text | None = None
    """What pyOCD calls its chip."""

    usb: tuple[UsbSection, ...] = ()
    """What it is on a USB of the host."""

    sources: Annotated[tuple[SourceSection, ...], Field(min_length=1)]
    """Where the figures are from."""

    memory: MemorySection | None = None
    system: SystemSection | None = None
    build: BuildSection | None = None
    board: BoardSection | None = None
    emulator: EmulatorSection | None = None
    simulator: SimulatorSection | None = None

    @property
    def flash_bytes(self) -> int | None:
        """Of what holds code and constants; None where an operating system loads programs.

        What a board keeps for saved states, two places at the end, is no part of it.
        """
        if self.memory is None:
            return None
        kept = 0 if self.board is None else 2 * self.board.numbers.get("flash_place_bytes", 0)
        return self.memory.flash_bytes - kept

    @property
    def ram_bytes(self) -> int | None:
        """Of what holds variables; None where it is this host's."""
        if self.memory is not None:
            return self.memory.ram_bytes
        return None if self.system is None else self.system.ram_bytes

    def as_simulated(self) -> DeviceSpec:
        """Return the device as its simulator takes it; itself where nothing simulates it."""
        if self.build is None or self.simulator is None or not self.simulator.flags:
            return self
        flags = (*self.build.flags, *self.simulator.flags)
        build = self.build.model_copy(update={"flags": flags})
        simulator = self.simulator.model_copy(update={"flags": ()})
        return self.model_copy(update={"build": build, "simulator": simulator})

    @model_validator(mode="after")
    def _check_parts(self) -> DeviceSpec:
        if self.isa != "host" and (self.memory is None) == (self.system is None):
            raise ValueError("expected one of the tables [memory] and [system]")
        if self.template is not None and self.template not in templates():
            raise ValueError(f'template = "{self.template}"; expected {choice(templates())}')
        is_bare = self.template == "baremetal"
        starts = self.build is not None and self.build.startup is not None
        if is_bare != starts or (is_bare and self.memory is None):
            raise ValueError(
                'template "baremetal", build.startup and [memory] belong together; '
                "expected all of them or none of the first two"
            )
        if self.template in _BUILT_BY_BUILD and self.build is None:
            raise ValueError(f'template = "{self.template}" without the table [build]')
        if self.emulator is not None and not is_bare:
            raise ValueError('[emulator] runs images; expected template = "baremetal"')
        if self.emulator is not None and self.simulator is not None:
            raise ValueError("expected one of the tables [emulator] and [simulator]")
        if (self.simulator is not None or self.board is not None) and not is_bare:
            raise ValueError('[board] and [simulator] are for template = "baremetal"')
        if "emulator" in self.verified and self.emulator is None and self.simulator is None:
            raise ValueError(
                'verified = ["emulator"] without one of the tables [emulator] and [simulator]'
            )
        for runner in self.options:
            if runner not in self.runners:
                raise ValueError(f"options.{runner}; expected of its runners {known(self.runners)}")
        if self.counted_on is not None and (self.build is None or self.clock_hz is None):
            raise ValueError("counted_on without clock_hz and the table [build]")
        return self

    @model_validator(mode="after")
    def _check_sources(self) -> DeviceSpec:
        told: set[Figure] = {figure for source in self.sources for figure in source.of}
        given: dict[Figure, bool] = {
            "processor": True,
            "clock": self.clock_hz is not None,
            "memory": self.memory is not None or self.system is not None,
            "usb": bool(self.usb),
            "probe": self.probe_target is not None,
            "emulator": self.emulator is not None or self.simulator is not None,
            "board": self.board is not None,
            "options": bool(self.options),
        }
        for figure, is_given in given.items():
            if is_given != (figure in told):
                what = "has no source" if is_given else "has a source but is not in the file"
                raise ValueError(f"sources: {figure} {what}")
        return self


def templates() -> tuple[str, ...]:
    """Return the folders that programs of devices begin in."""
    folder = data_folder("firmware_templates")
    names = (path.name for path in folder.iterdir() if path.is_dir())
    return tuple(sorted(name for name in names if name not in _PARTS_OF_TEMPLATES))


def load_device(file: Path) -> DeviceSpec:
    """Read and check a device's file; the device is called like the file.

    Raises:
        SpecError: With every mistake.
        EnvironmentFailureError: If it cannot be read.
    """
    if not _NAME.fullmatch(file.stem):
        raise SpecError(
            f"Device file {file}: its name is {file.stem!r}; expected small letters, digits and "
            "single hyphens or dots."
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
        SpecError: With every mistake of the first file that has any, or where a device counts
            its instructions on one that cannot.
    """
    place = folder or data_folder("devices")
    devices = {file.stem: load_device(file) for file in _files(place)}
    for name, device in devices.items():
        if device.counted_on is not None:
            _check_counter(place / f"{name}.toml", device, devices)
    return devices


def _files(folder: Path) -> list[Path]:
    """Return the files of a folder in order of the devices' names."""
    return sorted(folder.glob("*.toml"), key=lambda file: file.stem)


def find_device(name: str) -> DeviceSpec:
    """Return a device by name.

    Raises:
        SpecError: Naming the known ones.
    """
    devices = all_devices()
    if name not in devices:
        raise SpecError(
            f"Unknown device: {name!r}; known are {known(list(devices))}.",
            "rnn-edge devices list",
        )
    return devices[name]


def _check_counter(file: Path, device: DeviceSpec, devices: Mapping[str, DeviceSpec]) -> None:
    """Refuse to count on what is not emulated or does not run the device's instructions."""
    counter = devices.get(device.counted_on or "")
    wanted = (device.isa, *_RUN_BY.get(device.isa, ()))
    if counter is None or counter.emulator is None or counter.isa not in wanted:
        fitting = [
            name for name, other in devices.items() if other.emulator and other.isa in wanted
        ]
        raise SpecError(
            f'Device file {file}: counted_on = "{device.counted_on}"; expected an emulated device '
            f"of {known(wanted)}: {known(fitting)}."
        )
