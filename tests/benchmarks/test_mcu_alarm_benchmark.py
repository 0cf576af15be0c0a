"""What an emulated microcontroller makes of alarms, and within how many instructions."""

import importlib
import json
import shutil
import sys

import pytest


@pytest.fixture
def program(benchmarks):
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    return importlib.import_module("mcu_alarm")


# Of docs/firmware.md, and a little more.
@pytest.mark.parametrize(
    ("outputs", "is_whitened", "limit", "flash", "ram"),
    [("next frame", False, 650, 1500, 32), ("last eight", True, 16_000, 8000, 137)],
)
def test_a_cortex_m4_decides_within_its_limit(program, outputs, is_whitened, limit, flash, ram):
    target = next(t for t in program.TARGETS if t.cpu == "cortex-m4")
    numbers = program.rule(program.OFFSETS[outputs], 8, is_whitened=is_whitened)
    (row,) = program.measure(numbers, (target,), ("-Os",), 80)
    assert row["differing"] == 0
    assert row["alarms"] == row["alarms_seen"] >= 1
    assert limit / 3 < row["most_instructions"] < limit
    assert row["flash_bytes"] < flash
    assert row["ram_bytes"] == ram
    assert row["stack_bytes"] < 400


@pytest.mark.slow
def test_every_rule_has_the_same_bits(program, capsys, monkeypatch):
    monkeypatch.setattr(program, "LEVELS", ("-O2",))
    monkeypatch.setattr(sys, "argv", ["mcu_alarm.py", "--frames", "40", "--json"])
    program.main()
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert len(rows) == len(program.OFFSETS) * 2 * 2
    assert all(row["differing"] == 0 for row in rows)
    monkeypatch.setattr(program, "OFFSETS", {"next frame": (1,)})
    monkeypatch.setattr(sys, "argv", ["mcu_alarm.py", "--frames", "40"])
    program.main()
    assert "Cortex-M0+" in capsys.readouterr().out
