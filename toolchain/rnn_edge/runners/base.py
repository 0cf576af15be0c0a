"""What a runner is.

A runner is one program, or one way to copy a file, that puts an image on a device or runs it.
Adding one is adding a file to this package that defines ``RUNNER``, an instance of a subclass of
`Runner`, and its name to the ``runners`` of the devices that it serves. A runner
says which commands it would call; `rnn_edge.pipeline.flash` calls them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rnn_edge import runners
from rnn_edge.errors import DeviceError
from rnn_edge.registry import discover, known
from rnn_edge.spec import DeviceSpec

ImageKind = Literal["elf", "bin", "hex", "uf2", "program", "project"]
"""What a runner takes: a linked image in one of four forms, a program of Linux, or the folder of an
ecosystem's project."""


WRITE_TIMEOUT_S = 300.0
"""Erasing and writing a large flash over a slow probe takes a minute."""
BUILD_TIMEOUT_S = 1800.0
"""The first build of a project compiles the whole SDK."""


@dataclass(frozen=True)
class Job:
    """What is to be put where.

    Attributes:
        device: The device.
        image: What the runner takes, in the form of its ``image``.
        port: Serial port, or ``user@host``, or mount point of the board: what the runner's ``port``
            says; None where none was given.
        probe: Unique id of a debug probe; None where none was given.
    """

    device: DeviceSpec
    image: Path
    port: str | None = None
    probe: str | None = None


class Runner(ABC):
    """One way to put an image on a device.

    Attributes:
        name: What users type and devices name.
        title: What it does, in a line.
        program: The program that it calls; empty where it needs none.
        module: The Python package that it needs beside the program, by import name; or empty.
        hint: How to get the program or the package.
        version_flag: Makes the program print its version.
        image: The form that it takes.
        port: What `Job.port` is to it: "serial", "host", "folder", or empty where it takes none.
        takes_probe: Whether `Job.probe` means something to it.
        udev: USB vendor ids whose devices Linux shows to root only, unless a rule says otherwise.
        needs: Keys that the table ``[options.<name>]`` of a device's file has to have for it.
        may: Keys that the table may have.
        ecosystem: Which kind of project it builds, where its image is one; or empty.
        timeout_s: For each of its commands.
        runs: Whether it runs the image itself, for as long as somebody speaks to it: the link is
            the input and output of `link`, and `commands` only prepares.
    """

    name: str
    title: str
    program: str = ""
    module: str = ""
    hint: str = ""
    version_flag: str = "--version"
    image: ImageKind
    port: Literal["", "serial", "host", "folder"] = ""
    takes_probe: bool = False
    udev: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    ecosystem: str = ""
    timeout_s: float = WRITE_TIMEOUT_S
    runs: bool = False

    def programs(self, device: DeviceSpec | None = None) -> tuple[str, ...]:
        """Return the programs that it calls.

        Args:
            device: For this device; None for all that it may call.
        """
        return (self.program,) if self.program else ()

    def suits(self, device: DeviceSpec) -> bool:
        """Whether it can serve a device, by what the device's file says."""
        return self.name in device.runners

    def options(self, device: DeviceSpec) -> Mapping[str, str]:
        """Return what the device's file has to say to this runner.

        Raises:
            DeviceError: If a key is missing, or is none of this runner's.
        """
        given = device.options.get(self.name, {})
        place = f"Device {device.name}, options.{self.name}"
        for key in given:
            if key not in (*self.needs, *self.may):
                raise DeviceError(
                    f"{place}: {key}; expected {known((*self.needs, *self.may))}.",
                    "correct the device's file",
                )
        for key in self.needs:
            if key not in given:
                raise DeviceError(
                    f"{place}: {key} is missing; runner {self.name} needs it.",
                    "name another --runner, or add it to the device's file",
                )
        return given

    def required_port(self, job: Job, example: str) -> str:
        """Return where the board is.

        Args:
            job: What is to be put where.
            example: What a user could type.

        Raises:
            DeviceError: If the job does not say.
        """
        if job.port is None:
            raise DeviceError(
                f"Runner {self.name} for {job.device.name}: no port is named; expected one.",
                f'--port {example}; "rnn-edge devices detect" lists what is connected',
            )
        return job.port

    def refuse_unsupported(self, job: Job) -> None:
        """Refuse what the job says and the runner cannot use: nothing is silently left out.

        Raises:
            DeviceError: Naming it, with what to type.
        """
        where = f"Runner {self.name} for {job.device.name}"
        if job.port is not None and not self.port:
            raise DeviceError(
                f"{where}: port {job.port}; it takes none.", "leave --port out, or name a --runner"
            )
        if job.probe is not None and not self.takes_probe:
            raise DeviceError(
                f"{where}: probe {job.probe}; it takes none.",
                "leave the probe out, or name a --runner",
            )

    @abstractmethod
    def commands(self, job: Job) -> tuple[tuple[str, ...], ...]:
        """Return the commands that put the image there, in order; pure.

        Raises:
            DeviceError: If the job lacks what the runner needs, with what to type.
        """

    def link(self, job: Job) -> tuple[str, ...] | None:
        """Return the command whose input and output is the link; None where it is a serial port."""
        return None


def all_runners() -> dict[str, Runner]:
    """Return every runner by name."""
    return discover(runners, "RUNNER", Runner)  # type: ignore[type-abstract]
