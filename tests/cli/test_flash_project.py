"""A board of an ecosystem from bundle to parity: its project is built, loaded, and asked.

CMake builds the project with stand-ins of the Pico SDK; the program of this test that is called
picotool runs it behind a pseudo-terminal.
"""

import os
import signal
import sys
from pathlib import Path

import pytest
from package_builds import STAND_INS, tool
from untrained import SPEC, replace_training

from rnn_edge.pipeline import build_bundle
from rnn_edge.spec import load_spec

BOARD = Path(__file__).parents[1] / "support" / "board_on_a_terminal.py"


@pytest.fixture
def port(tmp_path, monkeypatch):
    """Where the board will be."""
    pytest.importorskip("serial")
    tool("cmake")
    programs, place = tmp_path / "bin", tmp_path / "ttyBOARD"
    programs.mkdir()
    (programs / "picotool").write_text(f'#!/bin/sh\nexec {sys.executable} {BOARD} "$@"\n')
    (programs / "picotool").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PICO_SDK_PATH", str(STAND_INS / "pico-sdk"))
    monkeypatch.setenv("BOARD_PORT", str(place))
    yield place
    pid = place.with_suffix(".pid")
    if pid.exists():
        os.kill(int(pid.read_text()), signal.SIGTERM)


@pytest.fixture
def bundle(tmp_path):
    (tmp_path / "tiny.toml").write_text(SPEC)
    with pytest.MonkeyPatch.context() as patch:
        replace_training(patch.setattr)
        spec = load_spec(tmp_path / "tiny.toml", [])
        return build_bundle(spec, tmp_path / "out", progress=lambda *_: None).path


@pytest.mark.slow
def test_flash_builds_a_project_and_proves_the_board(bundle, port, rnn_edge):
    result = rnn_edge("flash", str(bundle), "--device", "rpi-pico-2", "--port", str(port), "--json")
    assert result.code == 0, result.err
    found = result.json
    assert found["runner"] == "pico-sdk"
    assert found["where"] == "board"
    assert found["is_passed"]
    assert found["is_running"]
    assert found["parity"]["steps"] == 200
    assert found["image"]["toolchain"] == "pico-sdk"
    project = bundle / ".firmware" / "rpi-pico-2-pico-sdk" / "examples" / "device"
    assert (project / "build" / "device").is_file()
