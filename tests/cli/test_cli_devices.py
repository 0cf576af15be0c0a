"""`rnn-edge devices`: the catalogue, one device, what is connected, and what is refused."""

import pytest

from rnn_edge.links import detection
from rnn_edge.links.detection import DebugProbe, LockedBoard, SerialPort
from rnn_edge.runners import choice
from rnn_edge.spec import all_devices

DEVICES = all_devices()


@pytest.fixture
def connected(monkeypatch):
    """A function that says which ports and probes there are."""

    def connect(ports, probes, locked=()):
        monkeypatch.setattr(detection, "serial_ports", lambda: ports)
        monkeypatch.setattr(detection, "debug_probes", lambda: probes)
        monkeypatch.setattr(detection, "locked_boards", lambda vendors, devices: list(locked))

    return connect


def test_the_list_has_a_row_for_each_device(rnn_edge):
    lines = rnn_edge("devices", "list").out.splitlines()
    assert [line.split()[0] for line in lines] == ["name", *DEVICES]
    (row,) = [line for line in lines if line.startswith("nucleo-h743zi")]
    cells = [cell.strip() for cell in row.split("  ") if cell.strip()]
    assert cells[1:] == [
        "cortex-m7", "400 MHz", "2 MB", "512 KB", "baremetal", "-", DEVICES["nucleo-h743zi"].title,
    ]  # fmt: skip


def test_the_list_says_the_same_to_programs(rnn_edge):
    rows = rnn_edge("devices", "list", "--json").json["devices"]
    assert [row["name"] for row in rows] == list(DEVICES)
    by_name = {row["name"]: row for row in rows}
    assert by_name["qemu-m4"]["engine"] == "device:qemu-m4"
    assert by_name["nucleo-f401re"] == {
        "name": "nucleo-f401re",
        "title": "NUCLEO-F401RE with STM32F401RE",
        "cpu": "cortex-m4",
        "isa": "armv7e-m",
        "clock_hz": 84_000_000,
        "flash_bytes": 262_144,
        "ram_bytes": 98_304,
        "template": "baremetal",
        "verified": ["emulator"],
        "engine": None,
    }
    assert rnn_edge("devices", "list", "--quiet").out.split() == list(DEVICES)


@pytest.mark.parametrize("name", DEVICES)
def test_everything_of_a_device_is_shown(rnn_edge, name):
    device = DEVICES[name]
    text = rnn_edge("devices", "show", name).out
    wanted = [device.title, device.cpu, *device.links, *device.runners]
    wanted += [part for source in device.sources for part in (source.document, source.url or "")]
    wanted += [part for usb in device.usb for part in (usb.id, usb.title)]
    wanted += [device.probe_target or "", device.counted_on or "", device.template or "none here"]
    assert all(part in text for part in wanted)
    assert ("nothing was run on it" in text) == (not device.verified)
    shown = rnn_edge("devices", "show", name, "--json").json
    assert shown["memory"] == (
        None if device.memory is None else device.memory.model_dump(mode="json")
    )
    assert [source["document"] for source in shown["sources"]] == [
        s.document for s in device.sources
    ]


def test_a_tool_that_is_not_there_is_said_to_be_missing(rnn_edge, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(choice.sys, "executable", str(tmp_path / "python"))
    lacks = "which is not installed (rnn-edge doctor)"
    assert f"flashed with  pyocd, {lacks}" in rnn_edge("devices", "show", "nucleo-f401re").out
    shown = rnn_edge("devices", "show", "qemu-m4").out
    assert f"run by        qemu, without qemu-system-arm, {lacks}" in shown
    assert (
        f"flashed with  ssh, without ssh, scp, {lacks}" in rnn_edge("devices", "show", "rpi-4").out
    )
    assert "flashed with  uf2\n" in rnn_edge("devices", "show", "rpi-pico").out


def test_what_simulates_a_board_is_shown(rnn_edge):
    shown = rnn_edge("devices", "show", "nucleo-f401re").out
    assert ("simulated by" in shown) == (DEVICES["nucleo-f401re"].simulator is not None)


def test_a_board_that_may_not_be_used_comes_with_the_rule_that_lets_it(rnn_edge, connected):
    board = LockedBoard("/dev/bus/usb/001/004", "0483:374b", "STM32 STLink", ("nucleo-f401re",))
    connected([], [], [board])
    *told, hint, rule, then = rnn_edge("devices", "detect").out.splitlines()
    assert told == [
        "/dev/bus/usb/001/004  0483:374b  STM32 STLink: may be nucleo-f401re, and this user "
        "may not use its USB"
    ]
    assert hint == (
        "Hint: on Linux the board needs a udev rule; put into /etc/udev/rules.d/60-rnn-edge.rules"
    )
    assert rule.strip() == ('SUBSYSTEM=="usb", ATTR{idVendor}=="0483", MODE="0660", TAG+="uaccess"')
    assert then.strip() == "then: sudo udevadm control --reload && sudo udevadm trigger"
    (locked,) = rnn_edge("devices", "detect", "--json").json["locked"]
    assert locked["usb_id"] == "0483:374b"


@pytest.mark.parametrize("arguments", [("show", "nucleo"), ("fit", "x", "--device", "nucleo")])
def test_an_unknown_device_lists_the_known_ones(rnn_edge, arguments):
    result = rnn_edge("devices", *arguments)
    # A wrong command line, as it is for "flash" and "monitor".
    assert result.code == 2
    assert f"Unknown device: 'nucleo'; known are {', '.join(DEVICES)}." in result.err
    assert "Hint: did you mean nucleo-" in result.err


@pytest.mark.parametrize(
    ("make", "expected"), [(False, "does not exist"), (True, "is not a bundle: it has no manifest")]
)
def test_only_a_bundle_is_fitted(rnn_edge, tmp_path, make, expected):
    if make:
        (tmp_path / "x").mkdir()
    result = rnn_edge("devices", "fit", tmp_path / "x", "--json")
    assert result.code == 1
    assert expected in result.json["error"]["message"]


def test_what_is_connected_is_told_with_what_it_may_be(rnn_edge, connected):
    ports = [
        SerialPort("/dev/ttyACM0", "0483:374b", "STM32 STLink", "A"),
        SerialPort("/dev/ttyACM1", "1d6b:0001", "a modem", "B"),
        SerialPort("/dev/ttyS0", "", "", ""),
    ]
    connected(ports, [DebugProbe("A", "STM32 STLink", "stm32f401retx")])
    result = rnn_edge("devices", "detect")
    assert result.code == 0
    assert result.out.splitlines() == [
        "/dev/ttyACM0  0483:374b  STM32 STLink: may be nucleo-f401re",
        "/dev/ttyACM1  1d6b:0001  a modem: no device of the catalogue",
        "/dev/ttyS0  not on USB  without a name: no device of the catalogue",
        "debug probe A  STM32 STLink, stm32f401retx: may be nucleo-f401re",
    ]
    found = rnn_edge("devices", "detect", "--json").json
    assert [port["may_be"] for port in found["ports"]] == [["nucleo-f401re"], [], []]
    assert found["probes"][0]["target"] == "stm32f401retx"


@pytest.mark.parametrize(
    ("probes", "sentence"),
    [
        ([], "No board is connected: there is no serial port on USB and no debug probe."),
        (None, "No board is connected: there is no serial port on USB; debug probes were not"),
    ],
)
@pytest.mark.parametrize("ports", [[], [SerialPort("/dev/ttyS0", "", "", "")]])
def test_nothing_connected_is_one_sentence_and_a_hint(rnn_edge, connected, ports, probes, sentence):
    connected(ports, probes)
    result = rnn_edge("devices", "detect")
    assert result.code == 0
    told, hint = result.out.splitlines()[-2:]
    assert told.startswith(sentence)
    assert hint.startswith("Hint: ")
    assert "dialout" in hint
    assert "udev" in hint
    assert ("pyOCD is not installed" in result.err) == (probes is None)
    assert rnn_edge("devices", "detect", "--json").json["probes"] == probes
