"""What an emulated microcontroller makes of sensor rows, and within how many instructions."""

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
    return importlib.import_module("mcu_sensor")


@pytest.mark.parametrize(("shape", "limit"), [((1, 1, False), 2500), ((64, 16, True), 26_000)])
def test_a_cortex_m4_has_a_frame_within_its_limit(program, shape, limit):
    target = next(t for t in program.TARGETS if t.cpu == "cortex-m4")
    found = program.measure(program.IntegerWindowConfig(*shape), (target,), ("-Os",))
    (row,) = found["rows"]
    assert row["differing"] == 0
    assert limit / 3 < row["most_instructions"] < limit
    assert row["stack_bytes"] < 300
    assert row["code_bytes"] < 2000
    ring = 4 * 8 * shape[0] if shape[1] < shape[0] else 0
    features = 16 if shape[2] else 8
    assert found["ram_bytes"] == 8 + 8 * (20 + 16 + 1) + 4 * features + ring
    assert found["table_bytes"] == 16 * (8 + features)


@pytest.mark.slow
def test_every_target_has_the_same_bits(program, capsys, monkeypatch):
    monkeypatch.setattr(program, "LEVELS", ("-O2",))
    monkeypatch.setattr(sys, "argv", ["mcu_sensor.py", "--window", "7", "--deviation", "--json"])
    program.main()
    found = json.loads(capsys.readouterr().out)
    assert [row["target"] for row in found["rows"]] == [t.title for t in program.TARGETS]
    assert all(row["differing"] == 0 for row in found["rows"])
    monkeypatch.setattr(program, "TARGETS", program.TARGETS[:1])
    monkeypatch.setattr(sys, "argv", ["mcu_sensor.py"])
    program.main()
    assert "Cortex-M0+" in capsys.readouterr().out
