"""`rnn-edge flash`: onto this host, onto a board behind a terminal, and all that can fail."""

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import threading
import time
import tty
from pathlib import Path

import pytest
from c_models import tool
from device_bundles import device_bundle

from rnn_edge.cli.main import run
from rnn_edge.engines.base import EngineSource
from rnn_edge.engines.link_engine import exported_sources
from rnn_edge.firmware.link import build_link_program
from rnn_edge.pipeline import Bundle
from rnn_edge.pipeline.device_image import FOLDER

PROGRAM = Path(sys.executable).with_name("rnn-edge")
BOARD = ("--device", "nucleo-f401re", "--runner", "st-flash")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    tool("cc")
    return device_bundle(tmp_path_factory.mktemp("flash") / "out" / "sample").path


@pytest.fixture
def copied(bundle, tmp_path):
    """A bundle of one's own, without images."""
    return device_bundle(tmp_path / "out" / "sample").path


def put_st_flash(folder, script, patch):
    folder.mkdir(exist_ok=True)
    (folder / "st-flash").write_text(f'#!/bin/sh\necho "$@" >> {folder}/called\n{script}\n')
    (folder / "st-flash").chmod(0o755)
    patch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder / "called"


@pytest.fixture
def st_flash(tmp_path, monkeypatch):
    """A function that puts a program in the place of st-flash, which gets its arguments."""
    return lambda script: put_st_flash(tmp_path / "tools", script, monkeypatch)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A bundle with the image of the board, which takes seconds to compile."""
    arm()
    folder = tmp_path_factory.mktemp("built")
    path = device_bundle(folder / "out" / "sample").path
    with pytest.MonkeyPatch.context() as patch:
        put_st_flash(folder / "tools", "exit 1", patch)
        assert run(["flash", str(path), *BOARD, "--port", "/dev/ttyNone"]) == 1
    assert list((path / FOLDER).glob("*.elf"))
    return path


@pytest.fixture
def prebuilt(built, tmp_path):
    """A copy of it."""
    return Path(shutil.copytree(built, tmp_path / "out" / "sample"))


@pytest.fixture
def board(tmp_path_factory):
    """A function that serves a bundle's model on a terminal, as a board does on its port."""
    running = []

    def serve(path):
        found, work = Bundle.open(path), tmp_path_factory.mktemp("board")
        source = EngineSource(None, found.model(), found.exports, work)
        program = build_link_program([tool("cc")], found.model(), exported_sources(source), work)
        process = subprocess.Popen(
            [program, "--pty"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        running.append(process)
        return process.stdout.readline().strip()

    yield serve
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def terminal():
    """A port that nothing answers on, and what writes to it."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    yield os.ttyname(theirs), ours
    os.close(ours)
    os.close(theirs)


def arm():
    tool("arm-none-eabi-gcc")


def test_this_host_is_flashed_and_proven(rnn_edge, copied):
    first = rnn_edge("flash", copied, "--device", "host", "--json")
    assert first.code == 0, first.err
    found = first.json
    assert found["is_passed"]
    assert not found["is_running"]
    assert found["parity"]["steps"] == 200
    rows = {row["tensor"]: row for row in found["parity"]["rows"]}
    assert set(rows) == {"y", "h0", "saved state h0"}
    assert not any(row["differing"] for row in rows.values())
    assert found["image"]["is_new"]
    again = rnn_edge("flash", copied, "--device", "host", "--no-build")
    assert again.code == 0, again.err
    assert "built before" in again.out
    assert "every output and state bit equal" in again.out
    monitor = f'"rnn-edge monitor {copied} --device host" starts it again'
    assert f"running: proven; the program has ended with this command, {monitor}" in again.out
    # What was built is no part of the bundle, which is as it was.
    assert Bundle.open(copied)


def test_a_dry_run_prints_the_commands_and_changes_nothing(rnn_edge, copied, st_flash):
    arm()
    called = st_flash("exit 0")
    before = sorted(copied.rglob("*"))
    result = rnn_edge("flash", copied, *BOARD, "--dry-run", "--json")
    assert result.code == 0, result.err
    plan = result.json
    assert plan["build"][0][0].endswith("arm-none-eabi-gcc")
    (command,) = plan["flash"]
    assert command[0].endswith("/st-flash")
    assert command[-2:] == [plan["image"].replace(".elf", ".bin"), "0x08000000"]
    assert "# flashed with st-flash by" in rnn_edge("flash", copied, *BOARD, "--dry-run").out
    assert sorted(copied.rglob("*")) == before
    assert not called.exists()


def test_a_board_is_flashed_asked_who_it_is_and_proven(rnn_edge, copied, st_flash, board):
    arm()
    called = st_flash("echo Flash written and verified")
    result = rnn_edge("flash", copied, *BOARD, "--port", board(copied))
    assert result.code == 0, result.err
    assert called.read_text().split()[-1] == "0x08000000"
    assert Path(called.read_text().split()[-2]).suffix == ".bin"
    assert "Flash written and verified" in result.err
    assert result.out.splitlines()[-1] == (
        "running: nucleo-f401re goes on by itself, its state at zero"
    )


def test_the_wrong_firmware_on_a_board_is_named(rnn_edge, prebuilt, tmp_path, st_flash, board):
    st_flash("exit 0")
    other = device_bundle(tmp_path / "other" / "sample", seed=7).path
    result = rnn_edge("flash", prebuilt, *BOARD, "--port", board(other), "--json")
    assert result.code == 1
    message = result.json["error"]["message"]
    assert message.startswith("Device serves model 'sample', ")
    assert Bundle.open(prebuilt).model().digest()[:32] in message
    assert "flash the image of this bundle" in result.json["error"]["hint"]


def test_a_board_that_never_answers_is_told(rnn_edge, prebuilt, st_flash, terminal):
    st_flash("exit 0")
    start = time.monotonic()
    result = rnn_edge("flash", prebuilt, *BOARD, "--port", terminal[0], "--timeout", "1.5")
    assert result.code == 1
    assert f"Device nucleo-f401re on {terminal[0]} did not answer within 1.5 s" in result.err
    assert "is it powered, is this its port" in result.err
    assert time.monotonic() - start < 90


def test_a_board_that_speaks_something_else_is_told(rnn_edge, prebuilt, st_flash, terminal):
    st_flash("exit 0")
    ends = threading.Event()

    def babble():
        while not ends.wait(0.02):
            os.write(terminal[1], b"\0ESP-ROM:esp32c3-api1-20210207\r\n\0")

    thread = threading.Thread(target=babble)
    thread.start()
    try:
        result = rnn_edge("flash", prebuilt, *BOARD, "--port", terminal[0], "--timeout", "1.5")
    finally:
        ends.set()
        thread.join()
    assert result.code == 1
    assert "bytes came that are no frames of the link" in result.err
    assert "is the rate of the port right" in result.err


def test_a_port_that_is_not_there_is_told(rnn_edge, prebuilt, st_flash):
    st_flash("exit 0")
    result = rnn_edge("flash", prebuilt, *BOARD, "--port", "/dev/ttyNone", "--timeout", "0.5")
    assert result.code == 1
    assert "/dev/ttyNone" in result.err
    assert "Traceback" not in result.err


def test_a_runner_that_fails_is_explained(rnn_edge, prebuilt, st_flash, terminal):
    st_flash('echo "Couldn\'t find any ST-Link devices" >&2; exit 1')
    result = rnn_edge("flash", prebuilt, *BOARD, "--port", terminal[0])
    assert result.code == 1
    assert "Runner st-flash for nucleo-f401re failed: no board was found" in result.err
    assert "Hint: connect the board" in result.err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_flash_ends_what_it_started(
    prebuilt, st_flash, terminal, tmp_path, number, code
):
    called = st_flash(f"echo $$ > {tmp_path}/pid; echo begun; exec sleep 60")
    process = subprocess.Popen(
        [PROGRAM, "flash", prebuilt, *BOARD, "--port", terminal[0]],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # Once its words are passed on, it is waited for.
    for line in process.stderr:
        if "begun" in line:
            break
    process.send_signal(number)
    _, err = process.communicate(timeout=120)
    assert called.exists()
    assert process.returncode == code, err
    assert "Traceback" not in err
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    # What was built before is whole.
    assert not [p for p in (prebuilt / FOLDER).iterdir() if p.name.startswith(".scratch-")]


@pytest.mark.slow
def test_a_model_that_does_not_fit_is_told_with_what_would(rnn_edge, tmp_path):
    arm()
    large = device_bundle(tmp_path / "large", hidden=300).path
    result = rnn_edge("flash", large, "--device", "nucleo-f401re", "--simulate", "--json")
    assert result.code == 1
    error = result.json["error"]
    assert "bytes of flash; nucleo-f401re has 262,144" in error["message"]
    assert "with hidden = " in error["hint"]
    assert "(now 300) it would fit" in error["hint"]


def test_only_the_image_of_this_model_is_taken_again(rnn_edge, copied):
    result = rnn_edge("flash", copied, "--device", "host", "--no-build")
    assert result.code == 1
    assert "Image of sample for host is not there" in result.err
    assert "Hint: leave --no-build out" in result.err
    assert rnn_edge("flash", copied, "--device", "host", "--quiet").code == 0
    record = copied / FOLDER / "host.json"
    said = json.loads(record.read_text())
    record.write_text(json.dumps({**said, "model_digest": "0" * 64}))
    result = rnn_edge("flash", copied, "--device", "host", "--no-build")
    assert "is of model sample, 000000000000" in result.err
    record.write_text(json.dumps({**said, "application": "0" * 64}))
    result = rnn_edge("flash", copied, "--device", "host", "--no-build")
    assert result.code == 1
    assert "was built with other limits or settings than the bundle has now" in result.err
    record.write_text(json.dumps(said))
    (copied / FOLDER / said["path"]).write_bytes(b"something else")
    assert "was changed" in rnn_edge("flash", copied, "--device", "host", "--no-build").err


@pytest.mark.slow
def test_a_damaged_image_is_built_again(rnn_edge, copied):
    assert rnn_edge("flash", copied, "--device", "host").code == 0
    (image,) = (copied / FOLDER).glob("*.elf")
    whole = image.read_bytes()
    image.write_bytes(whole[:9000])
    result = rnn_edge("flash", copied, "--device", "host")
    assert result.code == 0, result.err
    assert "built now" in result.out
    assert image.read_bytes() == whole


@pytest.mark.parametrize(
    ("arguments", "code", "message", "hint"),
    [
        (("--device", "qemu-m5"), 2, "Unknown device: 'qemu-m5'; known are ", "did you mean qemu-"),
        (("--device", "teensy"), 2, "Unknown device: 'teensy'", "did you mean teensy-4.1?"),
        ((), 2, "Missing option '--device'", ""),
        (BOARD, 1, "Device nucleo-f401re is a board: no port is named", "--port /dev/ttyACM0"),
        (("--device", "qemu-m4", "--simulate"), 1, "nothing simulates it here", "devices show"),
        (("--device", "qemu-m4", "--port", "x"), 1, "runs on this host: port x", "leave --port"),
        (("--device", "qemu-m4", "--runner", "pyocd"), 1, "runner pyocd; expected qemu", "devices"),
        ((*BOARD, "--port", ""), 1, "Port '' of nucleo-f401re is empty", "--port /dev/ttyACM0"),
        ((*BOARD, "--port", "/"), 1, "Port '/' of nucleo-f401re is a folder", "devices detect"),
        ((*BOARD, "--port", __file__), 1, "is a regular file; expected where the board", "--port"),
        (("--device", "host", "--timeout", "0"), 2, "'--timeout'", ""),
        (("--device", "host", "--timeout", "nan"), 2, "'nan'; expected a number from 0.1 to", ""),
        (("--device", "host", "--data", "/nowhere"), 1, "/nowhere", ""),
    ],
)
def test_what_cannot_be_is_refused(rnn_edge, bundle, arguments, code, message, hint):
    result = rnn_edge("flash", bundle, *arguments)
    assert result.code == code, result.err
    assert message in result.err
    assert hint in result.err
    assert "Traceback" not in result.err


def test_a_missing_compiler_and_a_missing_emulator_are_named(rnn_edge, copied, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    result = rnn_edge("flash", copied, "--device", "qemu-m4")
    assert result.code == 1
    assert "runner qemu needs qemu-system-arm, which is not installed" in result.err
    assert "qemu-system-arm" in result.err.partition("Hint: ")[2]
    result = rnn_edge("flash", copied, "--device", "host")
    assert result.code == 1
    assert "cc" in result.err


def test_a_bundle_that_is_not_whole_is_refused(rnn_edge, copied):
    (copied / "exports" / "c" / "sample.h").unlink()
    result = rnn_edge("flash", copied, "--device", "host")
    assert result.code == 1
    assert "file exports/c/sample.h is missing" in result.err
    assert "Traceback" not in result.err


def test_the_bundle_that_is_here_is_found(rnn_edge, copied, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = rnn_edge("flash", "--device", "host")
    assert result.code == 0, result.err
    assert "bundle: out/sample" in result.err
    device_bundle(tmp_path / "out" / "second")
    result = rnn_edge("flash", "--device", "host")
    assert result.code == 1
    assert "2 are here: out/sample, out/second" in result.err
    # The spec that is here says which one a build makes.
    (tmp_path / "k").mkdir()
    (tmp_path / "k" / "spec.toml").write_text((copied / "spec.toml").read_text())
    assert rnn_edge("flash", "--device", "host", "--no-build").code == 0
    monkeypatch.chdir(copied)
    assert rnn_edge("flash", "--device", "host", "--no-build", "--quiet").code == 0
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    result = rnn_edge("flash", "--device", "host")
    assert 'none is in out; expected a finished build.\nHint: make one with "rnn-' in result.err


@pytest.mark.slow
@pytest.mark.parametrize("name", ["qemu-m0", "qemu-m4", "qemu-rv32"])
def test_an_emulated_device_is_flashed_within_its_prediction(rnn_edge, copied, name):
    if any(not found for found in map(_is_here, ("qemu-system-arm", "qemu-system-riscv32"))):
        pytest.skip("no emulator")
    result = rnn_edge("flash", copied, "--device", name, "--json")
    assert result.code == 0, result.err
    found = result.json
    assert found["is_passed"]
    assert 0 < found["flash"]["bytes"] < found["flash"]["of"]
    assert 0 < found["ram"]["bytes"] < found["ram"]["of"]
    assert 100 < found["stack"]["bytes"] <= found["stack"]["bound"] <= found["stack"]["of"]
    assert 0 < found["step"]["mean"] <= found["step"]["most"]
    assert found["step"]["counted_on"] == "emulator"


def _is_here(program):
    from shutil import which

    return which(program)
