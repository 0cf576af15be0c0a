"""A Raspberry Pi that is not there: an SSH server whose programs run in an emulator."""

import importlib.util
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ssh_server import EMULATED, start_server, stop_server
from untrained import untrained_bundle

from rnn_edge.cli.profile_lines import profile_lines
from rnn_edge.errors import DeviceError
from rnn_edge.pipeline.profile import profile_bundle
from rnn_edge.pipeline.profile_engines import ProfileRequest
from rnn_edge.report import render_profile

pytestmark = pytest.mark.slow

STEPS = 10_000
"""Held to the reference in every bit, on each of them."""
MACHINES = {
    "aarch64": ("qemu-aarch64", "cortex-a72"),
    "armv7l": ("qemu-arm", "cortex-a7"),
    "armv6l": ("qemu-arm", "arm1176"),
}
PROGRAM = Path(sys.executable).with_name("rnn-edge")
TIMES = ("step_us", "p50", "_ms", " ms", " µs")


def needed(emulator):
    if importlib.util.find_spec("ziglang") is None:
        pytest.skip("needs ziglang, which compiles for other machines")
    if shutil.which(emulator) is None:
        pytest.skip(f"needs {emulator} (Debian: qemu-user)")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return untrained_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.mark.parametrize("machine", MACHINES)
def test_programs_for_a_pi_give_the_reference_s_bits_behind_ssh(machine, bundle, tmp_path):
    emulator, processor = MACHINES[machine]
    needed(emulator)
    before = EMULATED.format(emulator=emulator, processor=processor)
    server = start_server(tmp_path, before=before)
    server.fake("uname", f'if [ "$1" = -m ]; then echo {machine}; else /bin/uname "$@"; fi')
    try:
        request = ProfileRequest(
            host="pi",
            ssh_config=server.config,
            host_folder=str(server.copies),
            link_steps=STEPS,
        )
        result = profile_bundle(bundle, request, lambda *_: None)
        assert server.left() == []
    finally:
        stop_server(server)
    assert result["place"]["machine"] == machine
    assert result["place"]["is_emulated"]
    assert result["link"]["steps"] == STEPS
    assert "y" in result["link"]["tensors"]
    assert 64 <= result["program"]["stack_bytes"] <= 4096
    # What an emulator takes says nothing about a Pi: no time is told, nowhere.
    assert result["subjects"] == []
    told = [json.dumps(result), *profile_lines(result)]
    assert not [text for text in told for word in TIMES if word in text]
    assert "Emulated." in render_profile(result)


def test_instructions_are_counted_and_no_times_taken(bundle):
    needed("qemu-arm")
    result = profile_bundle(bundle, ProfileRequest(emulate="armv7"), lambda *_: None)
    (row,) = result["instructions"]
    assert row["processor"] == "cortex-a7"
    model = bundle.model()
    products = sum(matrix.weight.size for matrix in model.matrices.values())
    assert 0.2 * products < row["per_step"] < 100 * products
    assert result["subjects"] == []
    assert f"{row['per_step']:,} (counted)" in "\n".join(profile_lines(result))


def test_an_unknown_architecture_ends_before_anything_is_copied(bundle, server):
    server.fake("uname", "echo riscv64")
    request = ProfileRequest(host="pi", ssh_config=server.config, host_folder=str(server.copies))
    with pytest.raises(DeviceError, match="architecture 'riscv64'"):
        profile_bundle(bundle, request, lambda *_: None)
    assert server.left() == []


def test_an_interruption_leaves_nothing_there(bundle, server):
    needed("qemu-arm")
    command = [
        PROGRAM, "profile", bundle.path, "--host", "pi", "--ssh-config", server.config,
        "--host-folder", server.copies, "--engines", "c", "--rounds", "1000", "--steps", "10",
        "--paced-seconds", "600",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        end = time.monotonic() + 300
        while not server.left() and time.monotonic() < end and running.poll() is None:
            time.sleep(0.1)
        assert server.left(), running.stderr.read() if running.poll() is not None else "slow"
        time.sleep(1.0)
        running.send_signal(signal.SIGINT)
        assert running.wait(120) == 130
    end = time.monotonic() + 60
    while server.left() and time.monotonic() < end:
        time.sleep(0.1)
    assert server.left() == []
