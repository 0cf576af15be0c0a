"""What failed and what to do: from the words of the real programs, and of some that are faked."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from rnn_edge.runners import failures
from rnn_edge.runners.base import Job, all_runners
from rnn_edge.runners.choice import find_program, resolved
from rnn_edge.runners.failures import explain, explain_hung
from rnn_edge.spec import all_devices

DEVICES = all_devices()
RUNNERS = all_runners()
ST_RULE = 'SUBSYSTEM=="usb", ATTR{idVendor}=="0483", MODE="0660", TAG+="uaccess"'
PI_RULE = 'SUBSYSTEM=="usb", ATTR{idVendor}=="2e8a", MODE="0660", TAG+="uaccess"'
RELOAD = "sudo udevadm control --reload && sudo udevadm trigger"
DIALOUT = "sudo usermod -aG dialout $USER, then log in again"
NOBODY = "999999999"
"""A probe that nobody has: what is connected to this host is not touched."""


@pytest.fixture(autouse=True)
def linux(monkeypatch):
    monkeypatch.setattr(failures.sys, "platform", "linux")


# Real programs, with nothing to flash.


@pytest.mark.parametrize(
    ("runner", "device", "said"),
    [
        ("pyocd", "nrf52840-dk", "No connected debug probe"),
        ("openocd", "nucleo-f401re", "Error: open failed"),
        ("openocd", "nucleo-h743zi", "Error: open failed"),
        ("openocd", "stm32f4-discovery", "Error: open failed"),
        ("openocd", "nrf52840-dk", "No J-Link device found"),
        ("openocd", "rpi-pico", "unable to find a matching CMSIS-DAP device"),
        ("st-flash", "nucleo-f401re", "Couldn't find any ST-Link devices"),
        ("dfu-util", "stm32f4-discovery", "No DFU capable USB device available"),
    ],
)
def test_a_program_that_finds_no_board_says_so_and_is_understood(
    runner, device, said, tmp_path, link_like_elf
):
    found = RUNNERS[runner]
    if find_program(runner) is None:
        pytest.skip(f"{runner} is not installed")
    image = link_like_elf(tmp_path / f"x.{found.image}")
    job = Job(DEVICES[device], image, probe=NOBODY)
    (command,) = found.commands(job)
    done = subprocess.run(resolved(command), capture_output=True, text=True, timeout=60)
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert said in output
    error = explain(found, job, command, output, f"exit code {done.returncode}")
    assert error.message.startswith(f"Runner {runner} for {device} failed: no board was found (")
    assert f"{runner} " in error.message
    assert said in error.message
    assert NOBODY in error.hint
    assert "/etc/udev/rules.d/60-rnn-edge.rules" in error.hint
    assert (PI_RULE if device == "rpi-pico" else ST_RULE) in error.hint
    assert RELOAD in error.hint


def test_every_configuration_is_one_of_the_installed_openocd():
    scripts = Path("/usr/share/openocd/scripts")
    if shutil.which("openocd") is None or not scripts.is_dir():
        pytest.skip("openocd is not installed")
    named = {
        file
        for device in DEVICES.values()
        for file in device.options.get("openocd", {}).get("config", "").split()
    }
    assert len(named) >= 5
    assert [file for file in sorted(named) if not (scripts / file).is_file()] == []


def test_esptool_without_its_port_is_understood(tmp_path, link_like_elf):
    if find_program("esptool") is None:
        pytest.skip("esptool is not installed")
    image = link_like_elf(tmp_path / "x.bin")
    command = ("esptool", "--chip", "esp32c3", "--port", "/dev/rnn-edge-none", "write-flash", "0x0")
    done = subprocess.run(
        [*resolved(command), str(image)], capture_output=True, text=True, timeout=60
    )
    job = Job(DEVICES["esp32-c3-devkit"], image, port="/dev/rnn-edge-none")
    output = done.stdout + done.stderr
    error = explain(RUNNERS["esptool"], job, command, output, f"exit code {done.returncode}")
    assert "failed: the port is not there, or is in use (" in error.message
    assert "rnn-edge devices detect" in error.hint


def test_esptool_takes_the_words_of_the_runner():
    if find_program("esptool") is None:
        pytest.skip("esptool is not installed")
    shown = subprocess.run(
        resolved(("esptool", "write-flash", "--help")), capture_output=True, text=True, timeout=60
    )
    for word in ("--flash-mode", "--flash-size", "--flash-freq"):
        assert word in shown.stdout
    shown = subprocess.run(
        resolved(("esptool", "--help")), capture_output=True, text=True, timeout=60
    )
    for word in ("--chip", "--port", "--before", "default-reset", "--after", "hard-reset"):
        assert word in shown.stdout


def test_a_host_that_is_not_there_is_understood():
    if shutil.which("ssh") is None:
        pytest.skip("ssh is not installed")
    job = Job(DEVICES["rpi-4"], Path("x"), port="pi@nosuchhost.invalid")
    command = RUNNERS["ssh"].commands(job)[0]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 255
    error = explain(RUNNERS["ssh"], job, command, done.stderr, "exit code 255")
    assert "failed: the host does not answer (" in error.message
    assert "ssh pi@nosuchhost.invalid true" in error.hint


@pytest.fixture
def link_like_elf():
    """A function that writes a file that flash tools read without a complaint."""

    def write(path):
        if path.suffix != ".elf":
            path.write_bytes(bytes(1024))
            return path
        compiler = shutil.which("arm-none-eabi-gcc")
        if compiler is None:
            pytest.skip("arm-none-eabi-gcc is not installed")
        source = path.with_suffix(".c")
        source.write_text("void begin(void) { for (;;) {} }\n")
        subprocess.run(
            [
                *(compiler, "-mcpu=cortex-m0", "-mthumb", "-nostdlib", "-Wl,-e,begin"),
                *("-Wl,-Ttext=0x08000000", str(source), "-o", str(path)),
            ],
            check=True,
        )
        return path

    return write


# The words of programs, from one on the path that says nothing else.

SAID = [
    (
        "pyocd",
        "nucleo-f401re",
        "0000544 E Target type stm32f401retx not recognized. Use 'pyocd list --targets' to see "
        "currently available target types. [__main__]",
        "pyOCD does not know the chip yet",
        ["pyocd pack install stm32f401retx"],
    ),
    (
        "pyocd",
        "nucleo-f401re",
        "0000313 W STLink V2 (0001): USB error while trying to interrogate a USB device "
        "(VID=0483 PID=374b). This can probably be remedied with a udev rule. "
        "See <https://github.com/pyocd/pyOCD/tree/master/udev> for help. [usb]\n"
        "No connected debug probes",
        "this user may not use the board's USB",
        [ST_RULE, RELOAD],
    ),
    (
        "pyocd",
        "nrf52840-dk",
        "0001204 C No ACK received [__main__]",
        "the chip is another one, or does not answer",
        ["is it a nrf52840-dk, and is it powered?"],
    ),
    (
        "openocd",
        "nucleo-f401re",
        "Error: libusb_open() failed with LIBUSB_ERROR_ACCESS\nError: open failed",
        "this user may not use the board's USB",
        [ST_RULE, RELOAD],
    ),
    (
        "openocd",
        "nucleo-f401re",
        "Error: init mode failed (unable to connect to the target)",
        "the chip is another one, or does not answer",
        ["rnn-edge devices show nucleo-f401re"],
    ),
    (
        "openocd",
        "rpi-pico",
        "embedded:startup.tcl:28: Error: Can't find target/rp2350.cfg",
        "OpenOCD has no such configuration",
        ["get a newer one"],
    ),
    (
        "st-flash",
        "nucleo-f401re",
        "2026-11-22T00:43:49 WARN usb.c: Could not open USB device 0x0483:0x374b, access error.",
        "this user may not use the board's USB",
        [ST_RULE],
    ),
    (
        "st-flash",
        "nucleo-f401re",
        "2026-11-22T00:43:49 WARN common.c: unknown chip id! 0x5fa0004",
        "the chip is another one, or does not answer",
        ["is it a nucleo-f401re"],
    ),
    (
        "dfu-util",
        "stm32f4-discovery",
        "Cannot open DFU device 0483:df11 found on devnum 5 (LIBUSB_ERROR_ACCESS)\n"
        "No DFU capable USB device available",
        "this user may not use the board's USB",
        [ST_RULE],
    ),
    (
        "dfu-util",
        "stm32f4-discovery",
        "No DFU capable USB device available",
        "no board was found",
        ["BOOT0 at 1", ST_RULE],
    ),
    (
        "picotool",
        "rpi-pico",
        "No accessible RP-series devices in BOOTSEL mode were found.",
        "no board was found",
        ["BOOTSEL", PI_RULE],
    ),
    (
        "picotool",
        "rpi-pico",
        "No accessible RP2040 devices in BOOTSEL mode were found.",
        "no board was found",
        ["BOOTSEL", PI_RULE],
    ),
    (
        "picotool",
        "rpi-pico",
        "No accessible RP-series devices in BOOTSEL mode were found.\nbut:\nRP2040 device at bus "
        "1, address 3 appears to be in BOOTSEL mode, but picotool was unable to connect. Maybe "
        "try 'sudo' or check your permissions.",
        "this user may not use the board's USB",
        [PI_RULE, RELOAD],
    ),
    (
        "pico-sdk",
        "rpi-pico-2",
        "CMake Error: PICO_SDK_PATH is ''; expected the folder of the Pico SDK.",
        "the Pico SDK was not found",
        ["export PICO_SDK_PATH="],
    ),
    (
        "esptool",
        "esp32-c3-devkit",
        "A fatal error occurred: Could not open /dev/ttyUSB0, the port is busy or doesn't exist.\n"
        "([Errno 13] could not open port /dev/ttyUSB0: [Errno 13] Permission denied)",
        "this user may not open the port",
        [DIALOUT],
    ),
    (
        "esptool",
        "esp32-c3-devkit",
        "A fatal error occurred: Failed to connect to ESP32-C3: No serial data received.",
        "the chip does not answer in its boot loader",
        ["hold the button BOOT"],
    ),
    (
        "esptool",
        "esp32-c3-devkit",
        "A fatal error occurred: This chip is ESP32-S3, not ESP32-C3. Wrong chip argument?",
        "the chip is another one, or does not answer",
        ["is it a esp32-c3-devkit"],
    ),
    (
        "idf.py",
        "esp32-c3-devkit",
        "could not open port '/dev/ttyUSB0'",
        "the port is not there, or is in use",
        ["devices detect"],
    ),
    (
        "west",
        "nrf52840-dk",
        'west: unknown command "build"; workspace does not define this extension command',
        "west found no Zephyr",
        ["Zephyr workspace"],
    ),
    (
        "arduino-cli",
        "arduino-nano-33-ble",
        "Error during build: Platform 'arduino:mbed_nano' not found: platform not installed",
        "the board's core is not installed",
        ["arduino-cli core install arduino:mbed_nano"],
    ),
    (
        "ssh",
        "rpi-4",
        "pi@there: Permission denied (publickey,password).",
        "the host refuses this user",
        ["ssh-copy-id pi@there"],
    ),
    (
        "ssh",
        "rpi-4",
        "Host key verification failed.",
        "the host's key is not the known one",
        ["ssh pi@there true"],
    ),
    (
        "ssh",
        "rpi-4",
        "ssh: connect to host there port 22: Connection timed out",
        "the host does not answer",
        ["is it on"],
    ),
    (
        "uf2",
        "rpi-pico",
        "No drive of the boot loader of RPI-RP2 is mounted.",
        "no board was found",
        ["connect the board"],
    ),
]


@pytest.mark.parametrize(("runner", "device", "words", "meaning", "remedies"), SAID)
def test_the_words_of_a_program_are_understood(
    runner, device, words, meaning, remedies, tmp_path, monkeypatch
):
    tool = tmp_path / "tool"
    tool.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{words}\nEND\nexit 3\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    done = subprocess.run(["tool"], capture_output=True, text=True)
    job = Job(DEVICES[device], tmp_path / "x", port="pi@there" if runner == "ssh" else None)
    error = explain(RUNNERS[runner], job, ("tool",), done.stderr, f"exit code {done.returncode}")
    assert f"Runner {runner} for {device} failed: {meaning} (tool: exit code 3" in error.message
    assert words.splitlines()[-1][:60] in error.message
    for remedy in remedies:
        assert remedy in error.hint


def test_words_that_nobody_knows_are_passed_on():
    job = Job(DEVICES["nucleo-f401re"], Path("x.elf"))
    lines = [f"line {k}\x1b[0m" for k in range(20)]
    error = explain(RUNNERS["openocd"], job, ("openocd", "-c x"), "\n".join(lines), "exit code 1")
    assert error.message == (
        "Runner openocd for nucleo-f401re failed (openocd '-c x': exit code 1; its last words: "
        + " / ".join(f"line {k}" for k in range(14, 20))
        + ")."
    )
    assert error.hint == "rnn-edge devices detect; rnn-edge devices show nucleo-f401re"
    silent = explain(RUNNERS["openocd"], job, ("openocd",), "", "exit code 1")
    assert silent.message == "Runner openocd for nucleo-f401re failed (openocd: exit code 1)."


def test_a_project_that_does_not_build_is_named(tmp_path):
    job = Job(DEVICES["nrf52840-dk"], tmp_path)
    error = explain(RUNNERS["west"], job, ("west", "build"), "x.c:1: error: y", "exit code 1")
    assert "x.c:1: error: y" in error.message
    assert str(tmp_path) in error.hint


def test_a_program_that_hung_is_told_with_what_it_said():
    job = Job(DEVICES["nucleo-f401re"], Path("x.elf"))
    command = ("pyocd", "flash", "x.elf")
    error = explain_hung(RUNNERS["pyocd"], job, command, "erasing", 300)
    assert "no end within 300 s; its last words: erasing" in error.message
    assert "pyocd flash x.elf" in error.hint
    known = explain_hung(RUNNERS["pyocd"], job, command, "No ACK received", 300)
    assert "is it a nucleo-f401re" in known.hint


def test_there_are_no_rules_where_it_is_not_linux(monkeypatch):
    monkeypatch.setattr(failures.sys, "platform", "darwin")
    job = Job(DEVICES["nucleo-f401re"], Path("x.elf"))
    error = explain(RUNNERS["pyocd"], job, ("pyocd",), "No connected debug probes", "exit code 1")
    assert error.hint == "connect the board with a cable that carries data"
