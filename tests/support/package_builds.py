"""Packages for tests: how they are compiled and run, with stand-ins of the SDKs."""

import shutil
import subprocess
from pathlib import Path

import pytest

from rnn_edge.firmware.package_kinds import all_package_kinds
from rnn_edge.resources import data_folder

ROOT = Path(__file__).resolve().parents[2]
STAND_INS = ROOT / "tests" / "firmware" / "sdk_stand_ins"
KINDS = all_package_kinds()
WARNINGS = ("-Wall", "-Wextra", "-Werror")
SHARED = ("rnn_edge_example.c", "rnn_edge_example_frames.c")
"""The C of the example that compares bits."""

MACHINES = {"Cortex-M0+": "mps2-an385", "Cortex-M4": "mps2-an386"}
"""What QEMU runs a processor's code on; M0+ code is a part of what the first one's M3 knows."""


def tool(name):
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def succeed(*command, cwd=None, variables=None):
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def example_of(name, package):
    return package / KINDS[name].selftest.sources


def run_harness(package, name, objects, work):
    """Return exit code and output of the example's comparison on this host."""
    example = example_of(name, package)
    includes = ("-I", example, "-I", package / KINDS[name].sources)
    sources = [STAND_INS / "main.c", *(example / file for file in SHARED)]
    command = [tool("cc"), "-std=c11", *WARNINGS, "-Wconversion", "-Wshadow", *includes]
    succeed(*command, *sources, *objects, "-o", work / "program")
    done = subprocess.run([work / "program"], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.strip()


def c_library(item):
    """Return options that stand in for the C library of a compiler that comes without one."""
    done = subprocess.run(
        [tool(item.compiler), *item.flags, "-E", "-x", "c", "-"],
        input="#include <string.h>\n",
        capture_output=True,
        text=True,
        check=False,
    )
    freestanding = data_folder("firmware_templates") / "baremetal" / "freestanding"
    folders = () if done.returncode == 0 else (freestanding, STAND_INS / "libc")
    options = [part for folder in folders for part in ("-isystem", folder)]
    # Its stdint.h is the C library's too, unless there is none to be expected.
    return [*options, "-ffreestanding"] if options else []
