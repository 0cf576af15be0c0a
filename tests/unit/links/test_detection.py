"""What is connected: recognised from lists of ports and probes, and never opened."""

import importlib.util
import sys
import types

import pytest

from rnn_edge.errors import EnvironmentFailureError, MissingDependencyError
from rnn_edge.links import detection
from rnn_edge.links.detection import (
    DebugProbe,
    LockedBoard,
    SerialPort,
    debug_probes,
    locked_boards,
    recognised,
    serial_ports,
)
from rnn_edge.spec import all_devices

DEVICES = all_devices()
STLINK = ("nucleo-f401re", "nucleo-f446re", "nucleo-h743zi", "stm32f4-discovery")


class Listed:
    """A port as pyserial lists it; whoever opens it fails the test."""

    def __init__(self, device, vid=None, pid=None, description="n/a", serial_number=None):
        self.device, self.vid, self.pid = device, vid, pid
        self.description, self.serial_number = description, serial_number


def with_ports(monkeypatch, *listed):
    def comports():
        for port in listed:
            if isinstance(port, OSError):
                raise port
        return list(listed)

    def no_port(*arguments, **options):
        pytest.fail("a port was opened")

    package, tools = types.ModuleType("serial"), types.ModuleType("serial.tools")
    listing = types.ModuleType("serial.tools.list_ports")
    listing.comports, package.Serial = comports, no_port
    for module in (package, tools, listing):
        monkeypatch.setitem(sys.modules, module.__name__, module)


def with_probes(monkeypatch, probes):
    class Error(Exception):
        pass

    class ConnectHelper:
        @staticmethod
        def get_all_connected_probes(blocking):
            assert blocking is False
            if isinstance(probes, str):
                raise Error(probes)
            return probes

    core = types.ModuleType("pyocd.core")
    helpers = types.ModuleType("pyocd.core.helpers")
    exceptions = types.ModuleType("pyocd.core.exceptions")
    helpers.ConnectHelper, exceptions.Error = ConnectHelper, Error
    package = types.ModuleType("pyocd")
    package.__spec__ = importlib.util.spec_from_loader("pyocd", None)
    for module in (package, core, helpers, exceptions):
        monkeypatch.setitem(sys.modules, module.__name__, module)


def probe(unique_id, target=None):
    info = None if target is None else types.SimpleNamespace(target=target)
    return types.SimpleNamespace(
        unique_id=unique_id, description="STM32 STLink", associated_board_info=info
    )


def test_ports_are_listed_in_order_with_what_they_say(monkeypatch):
    with_ports(
        monkeypatch,
        Listed("/dev/ttyS0"),
        Listed("/dev/ttyACM1", 0x2341, 0x805A, "Nano 33 BLE", "N1"),
        Listed("/dev/ttyACM0", 0x483, 0x374B, "STM32 STLink", "0668FF"),
    )
    assert serial_ports() == [
        SerialPort("/dev/ttyACM0", "0483:374b", "STM32 STLink", "0668FF"),
        SerialPort("/dev/ttyACM1", "2341:805a", "Nano 33 BLE", "N1"),
        SerialPort("/dev/ttyS0", "", "", ""),
    ]


@pytest.mark.parametrize(
    ("usb_id", "names"),
    [
        ("0483:374b", STLINK),
        ("0483:3748", ("stm32f4-discovery",)),
        ("1366:1015", ("nrf52840-dk",)),
        ("2341:805a", ("arduino-nano-33-ble",)),
        ("2341:005a", ("arduino-nano-33-ble",)),
        ("2e8a:000a", ("rpi-pico",)),
        ("2e8a:0009", ("rpi-pico-2",)),
        ("10c4:ea60", ("esp32-c3-devkit", "esp32-s3-devkit")),
        ("303a:1001", ("esp32-s3-devkit",)),
        ("16c0:0483", ("teensy-4.1",)),
        ("1d6b:0002", ()),
        ("", ()),
    ],
)
def test_boards_are_recognised_by_their_usb_id(usb_id, names):
    ports, _ = recognised([SerialPort("/dev/x", usb_id, "", "")], [], DEVICES)
    assert ports[0].may_be == names


def test_a_probe_knows_its_board_and_tells_it_for_its_port():
    ports = [SerialPort(f"/dev/{k}", "0483:374b", "STM32 STLink", k) for k in ("A", "B")]
    asked = [
        DebugProbe("A", "STLink", "stm32f446retx"),
        DebugProbe("B", "STLink", ""),
        DebugProbe("C", "STLink", "stm32u585"),
    ]
    found, probes = recognised(ports, asked, DEVICES)
    assert [port.may_be for port in found] == [("nucleo-f446re",), STLINK]
    assert [one.may_be for one in probes] == [("nucleo-f446re",), (), ()]


def test_probes_are_those_of_pyocd(monkeypatch):
    with_probes(monkeypatch, [probe("0668FF", "stm32f401retx"), probe("0669AA")])
    assert debug_probes() == [
        DebugProbe("0668FF", "STM32 STLink", "stm32f401retx"),
        DebugProbe("0669AA", "STM32 STLink", ""),
    ]


def test_without_pyocd_no_probe_is_looked_for(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert debug_probes() is None


def test_a_probe_that_fails_is_told(monkeypatch):
    with_probes(monkeypatch, "Access denied")
    with pytest.raises(EnvironmentFailureError, match=r"cannot be listed: Access denied") as caught:
        debug_probes()
    assert "udev" in caught.value.hint


def test_a_list_that_cannot_be_had_is_told(monkeypatch):
    with_ports(monkeypatch, OSError("no /sys"))
    with pytest.raises(EnvironmentFailureError, match="Serial ports cannot be listed: no /sys"):
        serial_ports()


def test_without_pyserial_the_extra_is_named(monkeypatch):
    # All of its names: what another test has imported would be found without the package.
    for name in ("serial", "serial.tools", "serial.tools.list_ports"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingDependencyError, match="list of serial ports") as caught:
        serial_ports()
    assert caught.value.hint == f"pip install 'rnn-edge[{detection.EXTRA}]'"


def test_the_real_list_of_ports_is_understood():
    pytest.importorskip("serial", reason="needs pyserial")
    for port in serial_ports():
        assert port.path
        assert port.usb_id == "" or len(port.usb_id) == 9


@pytest.fixture
def usb(tmp_path, monkeypatch):
    """A function that connects something to a USB of its own, which some may open."""
    refused = set()
    monkeypatch.setattr(detection.os, "access", lambda node, mode: str(node) not in refused)

    def connect(name, vendor, product, number, title, *, may_be_opened):
        listed = tmp_path / "devices" / name
        listed.mkdir(parents=True)
        facts = {"idVendor": vendor, "idProduct": product, "busnum": "1", "devnum": number}
        for fact, value in (facts | {"product": title}).items():
            if value is not None:
                (listed / fact).write_text(f"{value}\n")
        node = tmp_path / "nodes" / "001" / f"{int(number):03d}"
        node.parent.mkdir(parents=True, exist_ok=True)
        node.write_text("")
        if not may_be_opened:
            refused.add(str(node))
        return str(node)

    connect.look = lambda vendors: locked_boards(
        vendors, DEVICES, tmp_path / "devices", tmp_path / "nodes"
    )
    return connect


def test_boards_that_may_not_be_used_are_found(usb):
    node = usb("1-1", "0483", "374b", "4", "STM32 STLink", may_be_opened=False)
    usb("1-2", "0483", "374b", "5", "STM32 STLink", may_be_opened=True)
    usb("1-3", "046d", "c52b", "6", "a mouse", may_be_opened=False)
    nameless = usb("1-4", "1366", "ffff", "7", None, may_be_opened=False)
    assert usb.look({"0483", "1366"}) == [
        LockedBoard(node, "0483:374b", "STM32 STLink", STLINK),
        LockedBoard(nameless, "1366:ffff", ""),
    ]
    assert usb.look(set()) == []


def test_no_board_is_locked_where_nothing_is_listed(tmp_path):
    assert locked_boards({"0483"}, DEVICES, tmp_path / "none", tmp_path) == []
