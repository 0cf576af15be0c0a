"""What went wrong with a runner's program, and what to do about it.

Source: the messages of pyOCD 0.46, OpenOCD 0.12, stlink 1.7, dfu-util 0.11, picotool 2.2,
esptool 5.6, OpenSSH 9.2, Arduino CLI 1.x, west 1.x and libusb, as the programs print them.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rnn_edge.errors import DeviceError
from rnn_edge.runners.base import Job, Runner
from rnn_edge.runners.udev import SERIAL_GROUP, rule_hint

LAST_LINES = 6
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Sign:
    """What a program's words mean.

    Attributes:
        words: Found anywhere in what it printed.
        meaning: What went wrong, the middle of a sentence.
        remedy: What to do, for a runner and a job.
    """

    words: re.Pattern[str]
    meaning: str
    remedy: Callable[[Runner, Job], str]


def explain(
    runner: Runner, job: Job, command: Sequence[str], output: str, ended: str
) -> DeviceError:
    """Return the error of a command that failed.

    Args:
        runner: Whose command it is.
        job: What it was to do.
        command: Program and arguments.
        output: What it printed, both streams.
        ended: How it ended, e.g. "exit code 1" or "no end within 300 s".
    """
    sign = _found(output)
    meaning = f": {sign.meaning}" if sign else ""
    lines = [_ESCAPES.sub("", line).strip() for line in output.replace("\r", "\n").splitlines()]
    last = [line for line in lines if line][-LAST_LINES:]
    said = f"; its last words: {' / '.join(last)}" if last else ""
    return DeviceError(
        f"Runner {runner.name} for {job.device.name} failed{meaning} "
        f"({shlex.join(command)}: {ended}{said}).",
        sign.remedy(runner, job) if sign else _unknown(runner, job),
    )


def explain_hung(
    runner: Runner, job: Job, command: Sequence[str], output: str, timeout_s: float
) -> DeviceError:
    """Return the error of a command that was ended because it did not end.

    Args:
        runner: Whose command it is.
        job: What it was to do.
        command: Program and arguments.
        output: What it printed until then.
        timeout_s: How long it had.
    """
    error = explain(runner, job, command, output, f"no end within {timeout_s:g} s")
    if _found(output):
        return error
    return DeviceError(error.message, f"connect the board again, then: {shlex.join(command)}")


def missing_rule(runner: Runner) -> str:
    """Return what lets users reach a runner's boards: a rule, a group, or nothing."""
    if not sys.platform.startswith("linux"):
        return ""
    if runner.port == "serial":
        return f"on Linux you have to be in the group dialout: {SERIAL_GROUP}"
    return rule_hint(runner.udev) if runner.udev else ""


def _found(output: str) -> Sign | None:
    return next((sign for sign in _SIGNS if sign.words.search(output)), None)


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _unknown(runner: Runner, job: Job) -> str:
    if runner.ecosystem:
        return f"its words above say what is wrong; the project is {job.image}"
    return f"rnn-edge devices detect; rnn-edge devices show {job.device.name}"


def _connect(runner: Runner, job: Job) -> str:
    boot = {
        "picotool": "hold the button BOOTSEL while you connect the board",
        "pico-sdk": "hold the button BOOTSEL while you connect the board",
        "dfu-util": "start the chip in its boot loader: BOOT0 at 1, then reset, and USB connected",
    }.get(runner.name, "connect the board with a cable that carries data")
    probe = f'; is {job.probe} its probe? "rnn-edge devices detect"' if job.probe else ""
    return _joined(boot + probe, missing_rule(runner))


def _permit(runner: Runner, job: Job) -> str:
    return missing_rule(runner) or _unknown(runner, job)


def _permit_port(_runner: Runner, _job: Job) -> str:
    return f"on Linux you have to be in the group dialout: {SERIAL_GROUP}"


def _right_board(_runner: Runner, job: Job) -> str:
    return (
        f"is it a {job.device.name}, and is it powered? rnn-edge devices detect; "
        f"rnn-edge devices show {job.device.name}"
    )


def _pack(_runner: Runner, job: Job) -> str:
    return f"pyocd pack install {job.device.probe_target}"


def _other_port(_runner: Runner, _job: Job) -> str:
    return '"rnn-edge devices detect" lists the ports; does another program hold this one?'


def _boot_mode(_runner: Runner, _job: Job) -> str:
    return "hold the button BOOT, press RESET, let both go, and flash again"


def _config(_runner: Runner, _job: Job) -> str:
    return "this OpenOCD does not know the board: get a newer one, or name another --runner"


def _core(_runner: Runner, job: Job) -> str:
    fqbn = job.device.options.get("arduino-cli", {}).get("fqbn", "")
    return f"arduino-cli core install {':'.join(fqbn.split(':')[:2])}"


def _workspace(_runner: Runner, _job: Job) -> str:
    return "run it inside of a Zephyr workspace, or set ZEPHYR_BASE"


def _pico_sdk(_runner: Runner, _job: Job) -> str:
    return "export PICO_SDK_PATH=the folder of the Pico SDK"


def _host_keys(_runner: Runner, job: Job) -> str:
    return f"ssh-copy-id {job.port}, then try: ssh {job.port} true"


def _host_known(_runner: Runner, job: Job) -> str:
    return f"ssh {job.port} true, and compare its key"


def _host_there(_runner: Runner, job: Job) -> str:
    return f"is it on, and does it run ssh? Try: ssh {job.port} true"


_SIGNS = tuple(
    Sign(re.compile(words, re.IGNORECASE), meaning, remedy)
    for words, meaning, remedy in (
        # Narrow ones first: "no board" is often said after "no permission".
        (
            r"LIBUSB_ERROR_ACCESS|udev rule|access error|check your permissions|"
            r"insufficient permissions",
            "this user may not use the board's USB",
            _permit,
        ),
        (r"Permission denied \((publickey|password)", "the host refuses this user", _host_keys),
        (r"Host key verification failed", "the host's key is not the known one", _host_known),
        (
            r"Could not resolve hostname|"
            r"connect to host .*(refused|timed out|unreachable|No route)",
            "the host does not answer",
            _host_there,
        ),
        (
            r"\[Errno 13\]|could not open port .*permission",
            "this user may not open the port",
            _permit_port,
        ),
        (
            r"port is busy or doesn.t exist|could not open port|no device found on",
            "the port is not there, or is in use",
            _other_port,
        ),
        (
            r"No connected debug probe|No target device available|"
            r"unable to find a matching CMSIS-DAP|"
            r"No J-Link device found|Invalid serial number|Error: open failed|"
            r"Couldn.t find any ST-Link|No DFU capable USB device|"
            r"No accessible RP\S* devices in BOOTSEL|"
            r"no accessible RP-series devices|No drive of the boot loader",
            "no board was found",
            _connect,
        ),
        (r"Target type .* not recognized", "pyOCD does not know the chip yet", _pack),
        (
            r"Wrong boot mode detected|No serial data received|Failed to connect to ESP",
            "the chip does not answer in its boot loader",
            _boot_mode,
        ),
        (r"Can.t find \S+\.cfg", "OpenOCD has no such configuration", _config),
        (
            r"Wrong chip argument|unknown chip id|UNEXPECTED|unable to connect to the target|"
            r"Could not find MEM-AP|auto_probe failed|No ACK|Drive \S+ is of the board|"
            r"is the image for this chip",
            "the chip is another one, or does not answer",
            _right_board,
        ),
        (
            r"Platform '.*' not found|platform not installed",
            "the board's core is not installed",
            _core,
        ),
        (r"unknown command \"(build|flash)\"", "west found no Zephyr", _workspace),
        (r"PICO_SDK_PATH|SDK location was not specified", "the Pico SDK was not found", _pico_sdk),
    )
)
