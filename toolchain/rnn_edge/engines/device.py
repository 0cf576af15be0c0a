"""Emulated devices of ``devices/``: the exported C in an image for one, run by its emulator."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from rnn_edge.engines.base import Engine, EngineKind, EngineSource
from rnn_edge.engines.service import ENDINGS, ServiceEngine, exported_sources
from rnn_edge.engines.stream_process import StreamProcess
from rnn_edge.errors import EngineError
from rnn_edge.firmware.baremetal import build_image
from rnn_edge.firmware.tools import program
from rnn_edge.spec import DeviceSpec, EmulatorSection, all_devices

_WITHOUT_A_SCREEN = ("-display", "none", "-monitor", "none", "-serial", "none", "-parallel", "none")
_CONSOLE = ("-semihosting-config", "enable=on,target=native")
"""Without a character device of its own the console is standard input and output."""


def command(emulator: EmulatorSection, path: str, image: Path) -> list[str]:
    """Return what runs an image.

    Args:
        emulator: What the device's file says of it.
        path: The emulator's path.
        image: The ELF file.
    """
    return [
        path,
        *emulator.arguments,
        *_WITHOUT_A_SCREEN,
        *_CONSOLE,
        "-kernel",
        str(image),
    ]


def open_engine(device: DeviceSpec, source: EngineSource) -> Engine:
    """Compile the image of the exported model, unless that was done before, and start it.

    Raises:
        EngineError: If nothing emulates the device, or the program does not answer.
    """
    name = engine_name(device)
    if device.emulator is None:
        raise EngineError(f"Device {device.name} has no emulator; an engine runs in one.")
    path = program(device.emulator.program, f"the engine {name!r}")
    image = build_image(device, source.model, exported_sources(source), source.work)
    process = StreamProcess(command(device.emulator, path, image.path), f"engine {name!r}", ENDINGS)
    return ServiceEngine(source.model, process)


def engine_name(device: DeviceSpec) -> str:
    """Return what users type."""
    return f"device:{device.name}"


def engine_kinds() -> tuple[EngineKind, ...]:
    """Return an engine for every device that has an emulator.

    Raises:
        SpecError: If a device's file has mistakes.
    """
    return tuple(
        EngineKind(
            name=engine_name(device),
            summary=f"the exported C on {device.title}",
            is_integer=True,
            extra="",
            exporter="c",
            open=partial(open_engine, device),
            is_emulated=True,
        )
        for device in all_devices().values()
        if device.emulator is not None
    )
