"""The tests of tests/hardware, run as they are run against a board: on an emulator, and here."""

import subprocess
import sys
from pathlib import Path

import pytest
from c_models import tool

ROOT = Path(__file__).parents[2]
PROGRAMS = {"host": ("cc",), "qemu-m4": ("arm-none-eabi-gcc", "qemu-system-arm")}


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_hardware_tests_pass_on_what_is_no_hardware(name):
    for program in PROGRAMS[name]:
        tool(program)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/hardware",
         "--device", name],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "9 passed" in done.stdout
