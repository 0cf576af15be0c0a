"""What an emulated microcontroller makes of sound, and within how many instructions."""

import importlib
import json
import shutil
import sys

import pytest

LIMIT = 60_000
"""Instructions per frame of 20 ms on a Cortex-M4, everything included."""


@pytest.fixture
def program(benchmarks):
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    return importlib.import_module("mcu_frontend")


def test_a_cortex_m4_has_a_frame_within_its_limit(program):
    target = next(t for t in program.TARGETS if t.cpu == "cortex-m4")
    config = program.IntegerLogMelConfig(noise_suppression=True, gain_normalisation=True)
    found = program.measure(config, (target,), ("-Os", "-O2"), 8)
    assert [row["level"] for row in found["rows"]] == ["-Os", "-O2"]
    for row in found["rows"]:
        assert row["differing"] == 0
        assert 20_000 < row["most_instructions"] < LIMIT
        assert row["stack_bytes"] < 600
        assert row["code_bytes"] < 4500
    assert found["ram_bytes"] == 4 * (514 + 40 + 40) + 4 + 960
    assert 3000 < found["table_bytes"] < 5000


@pytest.mark.slow
def test_every_target_has_the_same_bits(program, capsys, monkeypatch):
    monkeypatch.setattr(program, "LEVELS", ("-O2",))
    monkeypatch.setattr(sys, "argv", ["mcu_frontend.py", "--frames", "8", "--noise", "--json"])
    program.main()
    found = json.loads(capsys.readouterr().out)
    assert [row["target"] for row in found["rows"]] == [t.title for t in program.TARGETS]
    assert all(row["differing"] == 0 for row in found["rows"])
    monkeypatch.setattr(program, "TARGETS", program.TARGETS[:1])
    monkeypatch.setattr(sys, "argv", ["mcu_frontend.py", "--frames", "4"])
    program.main()
    assert "Cortex-M0+" in capsys.readouterr().out
