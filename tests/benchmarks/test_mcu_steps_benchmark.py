"""The benchmark of steps on microcontrollers: every count is of a run with the reference's bits."""

import itertools
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "mcu" / "steps.py"
TOOLS = {
    "qemu-m4": ("arm-none-eabi-gcc", "qemu-system-arm"),
    "qemu-m0": ("arm-none-eabi-gcc", "qemu-system-arm"),
    "qemu-m55": ("arm-none-eabi-gcc", "qemu-system-arm"),
    "qemu-rv32": ("riscv64-unknown-elf-gcc", "qemu-system-riscv32"),
}
CHOICES = {
    "balanced": (),
    "size": ("--optimize", "size"),
    "speed": ("--optimize", "speed"),
    "int16": ("--weights", "int16"),
    "frames": ("--frames-at-once", "4"),
    "ram": ("--tables", "ram"),
    "pruned": ("--density", "0.3"),
}


def rows_of(device, *arguments):
    for name in TOOLS[device]:
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
    command = [sys.executable, str(PROGRAM), "--devices", device, "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["rows"]


QUICK = [("qemu-m4", "int16")]
# Every choice on one processor; on the others, those that have code of their own there.
PAIRS = [
    *itertools.product(["qemu-m4"], CHOICES),
    *itertools.product(["qemu-m0"], ["balanced", "size"]),
    *itertools.product(["qemu-m55"], ["balanced", "int16", "frames"]),
    *itertools.product(["qemu-rv32"], ["balanced", "ram"]),
]


@pytest.mark.parametrize(
    ("device", "choice"),
    [pytest.param(*pair, marks=() if pair in QUICK else pytest.mark.slow) for pair in PAIRS],
)
def test_counts_are_of_the_bits_of_the_reference(device, choice):
    rows = rows_of(device, "--shapes", "gru 10 7,lstm 21 5", *CHOICES[choice])
    for row in rows:
        assert row["is_exact"]
        assert row["macs"] < row["instructions"] < 300 * row["macs"]
        assert row["advance_instructions"] < row["instructions"]
        assert 0 < row["image_bytes"] - row["constants_bytes"] - row["code_bytes"] < 2000
        assert 200 < row["ram_bytes"] < 6000
        if row["stack_bound"] is not None:
            # On Cortex-M4 a frame is gone by a jump in the place of a call; the bound counts both.
            slack = 72 if device == "qemu-m4" else 64
            assert row["all_stack_bytes"] <= row["stack_bound"] <= row["all_stack_bytes"] + slack


@pytest.mark.slow
def test_choices_cost_what_they_are_told_to():
    balanced, size, words, frames, ram = (
        rows_of("qemu-m4", "--shapes", "gru 64 40", *CHOICES[choice])[0]
        for choice in ("balanced", "size", "int16", "frames", "ram")
    )
    assert size["instructions"] > 2 * balanced["instructions"]
    assert size["code_bytes"] <= balanced["code_bytes"]
    assert words["constants_bytes"] - balanced["constants_bytes"] == 192 * 104 + 12 * 64
    assert frames["ram_bytes"] - balanced["ram_bytes"] == 4 * 192 * 2
    # Two tables of 513 values, and one of 256.
    assert ram["ram_bytes"] - balanced["ram_bytes"] == pytest.approx(2 * (513 + 513 + 256), abs=8)


@pytest.mark.slow
def test_the_chart_is_the_same_again(tmp_path):
    pytest.importorskip("matplotlib")
    for name in ("a.svg", "b.svg"):
        rows_of("qemu-m4", "--shapes", "gru 32 8", "--chart", str(tmp_path / name))
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
