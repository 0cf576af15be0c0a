"""What `rnn-edge doctor` looks for, and how to get what is missing."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rnn_edge.errors import EnvironmentFailureError
from rnn_edge.extras import interpreter_for, wheel_machine
from rnn_edge.runners.base import all_runners
from rnn_edge.runners.choice import find_program

DISTRIBUTION = "rnn-edge"
VERSION_TIMEOUT_S = 10.0
INTERPRETERS = {
    "ai-edge-litert": "litert",
    "tflite-runtime": "tflite",
    "onnxruntime": "onnx",
    "tflite-micro": "",
}
"""Distribution to the extra that brings it, or an empty string."""
WHEEL = "interpreter wheel"
_MARKER = re.compile(
    r"(python_version)\s*(<|>=)\s*['\"](\d+\.\d+)['\"]"
    r"|(platform_machine|sys_platform)\s*(==|!=)\s*['\"]([^'\"]+)['\"]"
)
NO_WHEEL = "none is needed: the exported C is the engine here"
ENGINES_ELSEWHERE = {
    "tflite-runtime": "rnn_edge.engines.tflite_runtime",
    "tflite-micro": "rnn_edge.engines.tflm",
}
"""Distribution to the engine that makes an environment where it is not installed."""


@dataclass(frozen=True)
class Program:
    """A program that some command can use.

    Attributes:
        name: As it is called.
        version_flag: Makes it print its version.
        use: What it is good for.
        source: How to get it.
    """

    name: str
    version_flag: str
    use: str
    source: str


COMPILERS = (
    Program("cc", "--version", "runs the generated C on this host", "apt install gcc libc6-dev"),
    Program("gcc", "--version", "the engines c-gcc-...", "apt install gcc libc6-dev"),
    Program("clang", "--version", "the engines c-clang-...", "apt install clang libc6-dev"),
    Program(
        "arm-none-eabi-gcc", "--version", "firmware for Cortex-M", "apt install gcc-arm-none-eabi"
    ),
    Program(
        "riscv64-unknown-elf-gcc",
        "--version",
        "firmware for RISC-V",
        "apt install gcc-riscv64-unknown-elf",
    ),
    Program(
        "zig",
        "version",
        "C for Linux on Arm, and firmware where no GNU compiler is",
        "pip install 'rnn-edge[cross]'",
    ),
    Program("clang-format", "--version", "checks the layout of C", "apt install clang-format"),
)

EMULATORS = (
    Program("qemu-aarch64", "--version", "runs programs for 64-bit Arm", "apt install qemu-user"),
    Program("qemu-arm", "--version", "runs programs for 32-bit Arm", "apt install qemu-user"),
)


@dataclass(frozen=True)
class Check:
    """One thing that was looked for.

    Attributes:
        group: Heading that it belongs to.
        name: What was looked for.
        is_found: Whether it is there.
        version: Of what was found, or an empty string.
        detail: What it is for, or what is wrong.
        remedy: How to get it; empty where it is found.
    """

    group: str
    name: str
    is_found: bool
    version: str
    detail: str
    remedy: str

    def payload(self) -> dict[str, Any]:
        """Return the check as JSON values."""
        return asdict(self)


def all_checks() -> list[Check]:
    """Look for everything; nothing of it is imported and no device is touched."""
    return [
        *check_extras(),
        *check_interpreters(),
        *(check_program("compilers", program) for program in COMPILERS),
        *(check_program("emulators", program) for program in EMULATORS),
        *check_runners(),
        *check_permissions(),
    ]


def check_runners() -> list[Check]:
    """Say which programs and packages are installed that flash devices, or run their images here.

    They are those of the registered runners: a new runner is looked for without a word here.
    """
    runners = all_runners().values()
    # A program of several is described by the one that is called like it.
    ordered = sorted(runners, key=lambda runner: (not runner.runs, not runner.program, runner.name))
    checks: dict[str, Check] = {}
    for runner in ordered:
        group = "emulators" if runner.runs else "flash tools"
        for name in runner.programs():
            program = Program(name, runner.version_flag, runner.title, runner.hint)
            checks.setdefault(name, check_program(group, program))
        if runner.module:
            version = installed_version(runner.module)
            remedy = "" if version else runner.hint
            found = Check(group, runner.module, bool(version), version, runner.title, remedy)
            checks.setdefault(runner.module, found)
    return list(checks.values())


def installed_version(distribution: str) -> str:
    """Return the version of an installed distribution, or an empty string."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def extras() -> dict[str, tuple[str, ...]]:
    """Return each extra of this distribution with the distributions that it needs here."""
    direct: dict[str, list[str]] = {}
    for line in importlib.metadata.requires(DISTRIBUTION) or []:
        owner = re.search(r"extra == ['\"]([^'\"]+)['\"]", line)
        if owner:
            # An extra that has nothing for this machine is one all the same.
            wanted = direct.setdefault(owner[1], [])
            wanted += [line.split(";")[0].strip()] if _applies(line) else []
    return {name: tuple(sorted(_expand(name, direct))) for name in sorted(direct)}


def check_extras() -> list[Check]:
    """Say which extras are complete and what they lack."""
    checks = []
    for name, needed in extras().items():
        missing = [d for d in needed if not installed_version(d)]
        brought = ", ".join(needed) or f"has nothing to bring for {_here()}"
        lacks = f"lacks {', '.join(missing)}" if missing else brought
        remedy = f"pip install '{DISTRIBUTION}[{name}]'" if missing else ""
        checks.append(Check("extras", name, not missing, "", lacks, remedy))
    return checks


def check_interpreters() -> list[Check]:
    """Say which packages that run models are installed, here or in environments of their own."""
    found = [_check_interpreter(name, extra) for name, extra in INTERPRETERS.items()]
    return [_check_wheel(), *found]


def _here() -> str:
    """Return what wheels have to be for."""
    return f"{wheel_machine()} with Python {sys.version_info[0]}.{sys.version_info[1]}"


def _check_wheel() -> Check:
    """Say which interpreter this machine and this Python have a wheel of."""
    name, where = interpreter_for(wheel_machine(), sys.version_info[:2]), _here()
    if name is None:
        detail = f"there is no wheel of ai-edge-litert or tflite-runtime for {where}"
        return Check("interpreters", WHEEL, False, "", detail, NO_WHEEL)
    brought = f"the extra pi brings {name} for {where}"
    return Check("interpreters", WHEEL, True, "", brought, "")


def _check_interpreter(name: str, extra: str) -> Check:
    version, detail = installed_version(name), "runs exported models"
    remedy = f"pip install '{DISTRIBUTION}[{extra}]'"
    is_lite = name in ("ai-edge-litert", "tflite-runtime")
    if is_lite and interpreter_for(wheel_machine(), sys.version_info[:2]) is None:
        remedy = NO_WHEEL
    elif not version and name in ENGINES_ELSEWHERE:
        version, remedy = _version_elsewhere(ENGINES_ELSEWHERE[name])
        detail += ", in an environment of its own" if version else ""
    found = bool(version)
    return Check("interpreters", name, found, version, detail, "" if found else remedy)


def _version_elsewhere(module: str) -> tuple[str, str]:
    """Return the version in an engine's own environment, or "" and how it gets there."""
    from rnn_edge.engines.environment import python_of

    engine = importlib.import_module(module)
    if sys.version_info[:2] > getattr(engine, "NEWEST_PYTHON", sys.version_info[:2]):
        return "", "use ai-edge-litert: there is no wheel for this Python"
    wanted = engine.ENVIRONMENT
    remedy = f"made when the engine {wanted.name} is first used, from the network"
    try:
        is_made = python_of(wanted).exists()
    except (EnvironmentFailureError, OSError) as error:
        return "", f"{error}"
    return (wanted.requirements[0].partition("==")[2], "") if is_made else ("", remedy)


def check_program(group: str, program: Program) -> Check:
    """Look for a program on the path and ask for its version."""
    path = find_program(program.name)
    if path is None and program.name == "zig" and installed_version("ziglang"):
        version = installed_version("ziglang")
        use = f"as `python -m ziglang`: {program.use}"
        return Check(group, program.name, True, version, use, "")
    if path is None:
        return Check(group, program.name, False, "", program.use, program.source)
    return Check(group, program.name, True, program_version(path, program), program.use, "")


def program_version(path: str, program: Program) -> str:
    """Return the first number with dots that a program prints about itself, or ""."""
    try:
        done = subprocess.run(
            [path, program.version_flag],
            capture_output=True,
            text=True,
            timeout=VERSION_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    match = re.search(r"\d+(?:\.\d+)+", done.stdout + done.stderr)
    return match[0] if match else ""


def check_permissions() -> list[Check]:
    """Say whether serial ports and the working folder can be used."""
    ports = sorted(str(p) for pattern in ("ttyACM*", "ttyUSB*") for p in Path("/dev").glob(pattern))
    usable = [port for port in ports if os.access(port, os.R_OK | os.W_OK)]
    may_open = os.geteuid() == 0 or _is_in_group("dialout")
    group = Check(
        "permissions",
        "serial group",
        may_open,
        "",
        "may open serial ports" if may_open else "not in the group dialout",
        "" if may_open else "sudo usermod -aG dialout $USER, then log in again",
    )
    serial = Check(
        "permissions",
        "serial ports",
        bool(ports) and usable == ports,
        "",
        ", ".join(ports) if ports else "no board is connected",
        "" if ports and usable == ports else "connect a board; check the cable and the group",
    )
    writable = _is_writable(Path.cwd())
    folder = Check(
        "permissions",
        "working folder",
        writable,
        "",
        "bundles can be written here" if writable else "bundles cannot be written here",
        "" if writable else "change to a folder you own, or use --out",
    )
    return [group, serial, folder]


def _applies(requirement: str) -> bool:
    """Whether the markers of a requirement, joined by "and", hold for this Python and machine."""
    for found in _MARKER.finditer(requirement):
        name, sign, value = (part for part in found.groups() if part is not None)
        if name != "python_version":
            own = wheel_machine() if name == "platform_machine" else sys.platform
            holds = (own == value) == (sign == "==")
        else:
            major, _, minor = value.partition(".")
            is_below = sys.version_info[:2] < (int(major), int(minor))
            holds = is_below == (sign == "<")
        if not holds:
            return False
    return True


def _expand(name: str, direct: dict[str, list[str]]) -> set[str]:
    found: set[str] = set()
    for requirement in direct.get(name, []):
        own = re.match(rf"{DISTRIBUTION}\[([^\]]+)\]", requirement)
        if own:
            for inner in own[1].split(","):
                found |= _expand(inner.strip(), direct)
        else:
            matched = re.match(r"[A-Za-z0-9._-]+", requirement)
            assert matched is not None
            found.add(matched[0])
    return found


def _is_in_group(name: str) -> bool:
    import grp

    try:
        return grp.getgrnam(name).gr_gid in os.getgroups()
    except KeyError:
        return False


def _is_writable(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
