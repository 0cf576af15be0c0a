"""What is connected: serial ports and debug probes, and which device each may be.

Nothing is opened and nothing is written: ports are listed as the system lists them, and probes say
who they are.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from rnn_edge.errors import EnvironmentFailureError
from rnn_edge.extras import require
from rnn_edge.spec import DeviceSpec

EXTRA = "flash"


@dataclass(frozen=True)
class SerialPort:
    """A serial port of this host.

    Attributes:
        path: What opens it.
        usb_id: Vendor and product in small hexadecimal digits; empty where it is not on USB.
        title: What it says of itself.
        serial_number: Of what is on the USB, or empty.
        may_be: Names of the devices that it may belong to.
    """

    path: str
    usb_id: str
    title: str
    serial_number: str
    may_be: tuple[str, ...] = ()


@dataclass(frozen=True)
class DebugProbe:
    """A debug probe on a USB of this host.

    Attributes:
        serial_number: Its own.
        title: What it says of itself.
        target: What pyOCD calls the chip of the board that it is part of, or empty.
        may_be: Names of the devices that it may belong to.
    """

    serial_number: str
    title: str
    target: str
    may_be: tuple[str, ...] = ()


def serial_ports() -> list[SerialPort]:
    """Return the serial ports of this host in order of their paths.

    Raises:
        MissingDependencyError: If pyserial is not installed.
        EnvironmentFailureError: If the system does not list them.
    """
    listing = require("serial.tools.list_ports", EXTRA, "a list of serial ports")
    try:
        found = list(listing.comports())
    except OSError as error:
        raise EnvironmentFailureError(f"Serial ports cannot be listed: {error}.") from error
    ports = [
        SerialPort(
            path=port.device,
            usb_id="" if port.vid is None else f"{port.vid:04x}:{port.pid:04x}",
            title="" if port.description in (None, "n/a") else port.description,
            serial_number=port.serial_number or "",
        )
        for port in found
    ]
    return sorted(ports, key=lambda port: port.path)


def debug_probes() -> list[DebugProbe] | None:
    """Return the debug probes that pyOCD finds, or None where pyOCD is not installed.

    Raises:
        EnvironmentFailureError: If a probe does not answer or may not be asked.
    """
    if importlib.util.find_spec("pyocd") is None:
        return None
    helpers = importlib.import_module("pyocd.core.helpers")
    problems = importlib.import_module("pyocd.core.exceptions")
    try:
        probes = helpers.ConnectHelper.get_all_connected_probes(blocking=False)
        return [
            DebugProbe(
                serial_number=probe.unique_id or "",
                title=probe.description or "",
                target=getattr(probe.associated_board_info, "target", None) or "",
            )
            for probe in probes
        ]
    except (problems.Error, OSError) as error:
        raise EnvironmentFailureError(
            f"Debug probes cannot be listed: {error}.",
            "connect the board again; on Linux probes need a udev rule: "
            "https://pyocd.io/docs/installing.html",
        ) from error


def recognised(
    ports: Iterable[SerialPort],
    probes: Iterable[DebugProbe],
    devices: Mapping[str, DeviceSpec],
) -> tuple[list[SerialPort], list[DebugProbe]]:
    """Return ports and probes with the devices that they may belong to.

    A probe that says which board it is part of says it for a port with its serial number too.
    """
    told = [
        replace(
            probe,
            may_be=tuple(
                name
                for name, d in devices.items()
                if probe.target and d.probe_target == probe.target
            ),
        )
        for probe in probes
    ]
    by_number = {probe.serial_number: probe.may_be for probe in told if probe.serial_number}
    return [
        replace(port, may_be=by_number.get(port.serial_number) or _by_usb(port, devices))
        for port in ports
    ], told


def _by_usb(port: SerialPort, devices: Mapping[str, DeviceSpec]) -> tuple[str, ...]:
    return tuple(
        name for name, device in devices.items() if any(usb.id == port.usb_id for usb in device.usb)
    )
