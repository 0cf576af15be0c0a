"""Commands of runners as they are run: tools on the path that say, fail, hang and do not start."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from rnn_edge.errors import DeviceError
from rnn_edge.pipeline.device_commands import run_command
from rnn_edge.runners.base import BUILD_TIMEOUT_S, WRITE_TIMEOUT_S, Job, all_runners
from rnn_edge.spec import find_device

RUNNERS = all_runners()
OPENOCD = RUNNERS["openocd"]
JOB = Job(find_device("nucleo-f401re"), Path("x.elf"))


@pytest.fixture
def tool(tmp_path, monkeypatch):
    """A function that puts a program called openocd on the path."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    def write(body):
        file = tmp_path / "openocd"
        file.write_text(f"#!/bin/sh\n{body}\n")
        file.chmod(0o755)
        (command,) = OPENOCD.commands(JOB)
        return command

    return write


def test_words_are_passed_on_as_they_come(tool):
    command = tool("echo out; echo err >&2; printf '10%%\\r50%%\\r100%%\\n'; printf last")
    heard = []
    run_command(OPENOCD, JOB, command, heard.append)
    assert heard[0].startswith("$ openocd -f board/st_nucleo_f4.cfg -c 'program {x.elf}")
    assert sorted(heard[1:3]) == ["err", "out"]
    assert heard[3:] == ["10%", "50%", "100%", "last"]


def test_a_tool_that_fails_is_explained(tool):
    command = tool("echo 'Error: open failed' >&2; exit 1")
    with pytest.raises(DeviceError) as caught:
        run_command(OPENOCD, JOB, command, lambda line: None)
    assert "failed: no board was found (openocd " in caught.value.message
    assert "exit code 1; its last words: Error: open failed" in caught.value.message
    assert 'ATTR{idVendor}=="0483"' in caught.value.hint


def test_a_tool_that_hangs_is_ended_with_all_that_it_started(tool, tmp_path):
    pid = tmp_path / "pid"
    command = tool(f"sleep 600 & echo $! > {pid}; echo erasing; trap '' TERM; wait; sleep 600")
    begun = time.monotonic()
    with pytest.raises(DeviceError, match="no end within 2 s; its last words: erasing") as caught:
        run_command(OPENOCD, JOB, command, lambda line: None, 2.0)
    assert time.monotonic() - begun < 55
    assert "connect the board again" in caught.value.hint
    child = int(pid.read_text())
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and is_alive(child):
        time.sleep(0.05)
    assert not is_alive(child)


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_tool_that_does_not_start_is_told(tmp_path):
    with pytest.raises(DeviceError, match="No such file or directory"):
        run_command(OPENOCD, JOB, (str(tmp_path / "none"),), lambda line: None)


def test_an_interruption_leaves_nothing_behind(tool, tmp_path):
    pid = tmp_path / "pid"
    command = tool(f"echo $$ > {pid}; echo begun; sleep 60")

    def say(line):
        # Once it speaks, it is waited for.
        if line == "begun":
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()

    # Of a suite that a shell started in the background it would be ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_command(OPENOCD, JOB, command, say)
    finally:
        signal.signal(signal.SIGINT, before)
    assert not is_alive(int(pid.read_text()))


def test_what_builds_has_the_time_to_build():
    for runner in RUNNERS.values():
        builds = runner.image == "project" and runner.name != "esptool"
        assert runner.timeout_s == (BUILD_TIMEOUT_S if builds else WRITE_TIMEOUT_S)
