"""What is connected: serial ports and debug probes, and which device each may be.

Nothing is opened and nothing is written: ports are listed as the system lists them, and probes say
who they are.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rnn_edge.errors import EnvironmentFailureError
from rnn_edge.extras import require
from rnn_edge.spec import DeviceSpec

EXTRA = "flash"
USB_DEVICES, USB_NODES = Path("/sys/bus/usb/devices"), Path("/dev/bus/usb")
_USB_FACTS = ("idVendor", "idProduct", "busnum", "devnum", "product")


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


@dataclass(frozen=True)
class LockedBoard:
    """What is on a USB of this host and may not be used by this user.

    Attributes:
        node: What would be opened.
        usb_id: Vendor and product in small hexadecimal digits.
        title: What it says of itself, or empty.
        may_be: Names of the devices that it may belong to.
    """

    node: str
    usb_id: str
    title: str
    may_be: tuple[str, ...] = ()


def locked_boards(
    vendors: Collection[str],
    devices: Mapping[str, DeviceSpec],
    listing: Path = USB_DEVICES,
    nodes: Path = USB_NODES,
) -> list[LockedBoard]:
    """Return the boards on USB that this user may not use; nothing where that is not Linux.

    Serial ports of a board may be usable all the same.

    Args:
        vendors: Ids of those who make boards and probes, in small hexadecimal digits.
        devices: The catalogue.
        listing: Where Linux describes what is on USB.
        nodes: Where what is opened is.
    """
    found = []
    for place in sorted(listing.glob("*")):
        told = {name: _told(place / name) for name in _USB_FACTS}
        if told["idVendor"] not in vendors or not told["busnum"].isdigit():
            continue
        node = nodes / f"{int(told['busnum']):03d}" / f"{int(told['devnum'] or 0):03d}"
        if node.exists() and not os.access(node, os.R_OK | os.W_OK):
            usb_id = f"{told['idVendor']}:{told['idProduct']}"
            found.append(
                LockedBoard(str(node), usb_id, told["product"], _by_usb_id(usb_id, devices))
            )
    return found


def _told(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


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
            "connect the board again; on Linux a probe needs a udev rule (docs/runners.md)",
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
    return _by_usb_id(port.usb_id, devices)


def _by_usb_id(usb_id: str, devices: Mapping[str, DeviceSpec]) -> tuple[str, ...]:
    return tuple(
        name for name, device in devices.items() if any(usb.id == usb_id for usb in device.usb)
    )
