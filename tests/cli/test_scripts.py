"""Scripts beside the commands fail as the commands do: one message, no traceback."""

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from rnn_edge.cli.scripts import explained_errors, positive
from rnn_edge.errors import DataError, RnnEdgeError

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_an_error_is_its_message_and_a_failure():
    with pytest.raises(SystemExit) as left, explained_errors():
        raise DataError("Data x: 3 rows; expected 4.", "add one")
    assert left.value.code == "Error: Data x: 3 rows; expected 4.\nHint: add one"


def test_what_the_system_refused_is_named(tmp_path):
    refusal = pytest.raises(SystemExit, match=r"Error: The system refused: .*nothing: N")
    with refusal, explained_errors():
        (tmp_path / "nothing").read_bytes()


def test_a_mistake_of_the_script_is_not_hidden():
    with pytest.raises(ZeroDivisionError), explained_errors():
        raise ZeroDivisionError


def test_every_benchmark_explains_its_errors():
    programs = [
        path
        for path in BENCHMARKS.rglob("*.py")
        if 'if __name__ == "__main__"' in path.read_text()
        # They are run by converter.py, which reports a process that crashed.
        and path.name not in ("converter_worker.py", "converter_replay.py")
    ]
    assert len(programs) > 20
    silent = [p.name for p in programs if "    with explained_errors():\n" not in p.read_text()]
    assert not silent


def test_a_benchmark_of_no_bundle_says_so(tmp_path):
    program = BENCHMARKS / "parity.py"
    done = subprocess.run(
        [sys.executable, str(program), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert f"Error: Folder {tmp_path} is not a bundle" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_number_of_nothing_is_refused():
    assert positive("3") == 3
    with pytest.raises(argparse.ArgumentTypeError, match="0; expected at least 1"):
        positive("0")


def test_a_benchmark_of_an_unknown_device_says_so(tmp_path):
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import boards
    finally:
        sys.path.remove(str(BENCHMARKS))
    assert [place.device.name for place in boards.places("qemu-m4")] == ["qemu-m4"]
    with pytest.raises(RnnEdgeError, match="Unknown device: 'nope'"):
        boards.places("qemu-m4,nope")
    with pytest.raises(RnnEdgeError, match="Devices rpi-4: nothing emulates"):
        boards.places("rpi-4")
