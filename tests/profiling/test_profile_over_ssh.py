"""Programs on another machine, through a real SSH server: what works, and every way it fails."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from c_models import Recipe, build, frames
from ssh_server import make_key, start_server, stop_server

from rnn_edge.errors import DeviceError, LinkError, SpecError
from rnn_edge.pipeline.profile_engines import checksums
from rnn_edge.pipeline.proof import single
from rnn_edge.profiling.program import target_of
from rnn_edge.profiling.ssh import SshHost, explain, script_of
from rnn_edge.profiling.subject import Subject
from rnn_edge.reference import IntegerReference

MODEL = Recipe(seed=5, kinds=("lstm",), units=(9,), inputs=4, outputs=3)
GONE_WITHIN_S = 60.0


def host_of(server, folder=None):
    return SshHost("pi", server.config, str(folder or server.copies))


def start(server, binary, folder=None):
    return host_of(server, folder).start({"program": binary}, ["program"], "engine 'c'")


def wait_until_gone(server):
    end = time.monotonic() + GONE_WITHIN_S
    while server.left() and time.monotonic() < end:
        time.sleep(0.05)
    assert server.left() == []


def test_a_program_runs_there_and_gives_the_reference_s_bits(server, binary):
    x = frames(MODEL, 200)
    expected = single(IntegerReference(build(MODEL)).run(x[None]))
    with start(server, binary) as stream, Subject(stream, "c") as subject:
        assert len(server.left()) == 1
        subject.load(x)
        assert subject.trace() == checksums(expected, list(expected.states))
        taken = subject.round(100).taken_s
        assert taken.shape == (100,)
        assert 0.0 < np.median(taken) < 0.01
        assert subject.read("/proc/self/comm") == "program"
    wait_until_gone(server)


def test_the_machine_says_what_it_is(server):
    machine = host_of(server).machine()
    assert machine.machine == os.uname().machine
    assert machine.system.startswith(os.uname().sysname)
    assert int(machine.cores) >= 1
    assert machine.python.count(".") == 2
    assert host_of(server).machine() == machine


def test_a_python_that_is_not_there_is_no_failure(server):
    host = SshHost("pi", server.config, python="/nowhere/python")
    assert host.machine().python == ""


def test_a_host_that_is_not_known_is_refused(server):
    server.known.write_text("")
    with pytest.raises(DeviceError, match="host key of pi is not known") as caught:
        host_of(server).machine()
    assert "compare the fingerprint" in caught.value.hint
    assert server.known.read_text() == ""


def test_a_changed_host_key_is_refused(server, binary, tmp_path):
    other = make_key(tmp_path / "other_key").with_suffix(".pub").read_text().split()
    server.known.write_text(f"[127.0.0.1]:{server.port} {other[0]} {other[1]}\n")
    with pytest.raises(DeviceError, match="host key of pi has changed") as caught:
        host_of(server).machine()
    assert "ssh-keygen -R" in caught.value.hint
    with pytest.raises(LinkError, match="has changed"), start(server, binary):
        pass
    assert server.left() == []


def test_a_refused_login_says_so(server, tmp_path):
    server.use_key(make_key(tmp_path / "stranger"))
    with pytest.raises(DeviceError, match="pi refused the login") as caught:
        host_of(server).machine()
    assert "ssh-copy-id pi" in caught.value.hint


def test_nobody_at_the_port_says_so(server):
    stop_server(server)
    with pytest.raises(DeviceError, match="refused the connection"):
        host_of(server).machine()


def test_an_unknown_name_says_so(tmp_path):
    if shutil.which("ssh") is None:
        pytest.skip("needs ssh")
    config = tmp_path / "config"
    config.write_text("Host *\n  HostName nowhere.invalid\n")
    with pytest.raises(DeviceError, match="name of pi is not known"):
        SshHost("pi", config).machine()


def test_a_server_that_says_nothing_is_given_up(server):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        text = server.config.read_text().replace(
            f"Port {server.port}", f"Port {silent.getsockname()[1]}"
        )
        server.config.write_text(text)
        begin = time.monotonic()
        with pytest.raises(DeviceError, match="was not reached"):
            SshHost("pi", server.config, connect_timeout_s=1).machine()
        assert time.monotonic() - begin < 60.0


def test_a_connection_that_is_lost_in_mid_run_says_so_and_leaves_nothing(server, binary):
    with start(server, binary) as stream, Subject(stream, "c") as subject:
        subject.load(frames(MODEL, 10))
        assert len(server.left()) == 1
        timer = threading.Timer(0.5, server.drop)
        timer.start()
        with pytest.raises(LinkError, match="connection to pi was lost") as caught:
            subject.paced(200, 0.02)
        timer.join()
    assert "removes by itself" in caught.value.hint
    wait_until_gone(server)


def test_a_client_that_is_killed_leaves_nothing(server, binary):
    code = (
        "import sys, time; from pathlib import Path; from rnn_edge.profiling.ssh import SshHost\n"
        "host = SshHost('pi', Path(sys.argv[1]), sys.argv[2])\n"
        "with host.start({'program': Path(sys.argv[3])}, ['program'], 'c'):\n"
        "    print('runs', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, server.config, server.copies, binary], stdout=subprocess.PIPE
    ) as client:
        assert client.stdout.readline() == b"runs\n"
        assert len(server.left()) == 1
        client.kill()
    wait_until_gone(server)


def test_no_room_says_so(tmp_path, binary):
    # A limit of the shell stands for a full disk: what is written beyond it fails.
    server = start_server(tmp_path, before="ulimit -f 20")
    try:
        with pytest.raises(LinkError, match="no space is left") as caught, start(server, binary):
            pass
        assert isinstance(caught.value, DeviceError)
        assert "--host-folder" in caught.value.hint
        wait_until_gone(server)
    finally:
        stop_server(server)


@pytest.fixture
def mounted(tmp_path):
    """Return a function that mounts a small file system with options, or skips."""
    folders = []

    def mount(options):
        folder = tmp_path / f"mounted{len(folders)}"
        folder.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            pytest.skip("needs the right to mount a file system")
        folders.append(folder)
        return folder

    yield mount
    for folder in folders:
        subprocess.run(["umount", folder], check=True)


def test_a_full_disk_says_so(server, binary, mounted):
    folder = mounted("size=64k")
    with pytest.raises(LinkError, match="no space is left"), start(server, binary, folder):
        pass
    assert list(folder.iterdir()) == []


def test_a_folder_that_runs_nothing_says_so(server, binary, mounted):
    folder = mounted("noexec")
    with (
        pytest.raises(LinkError, match="cannot be executed") as caught,
        start(server, binary, folder) as stream,
    ):
        Subject(stream, "c")
    assert "--host-folder" in caught.value.hint
    assert list(folder.iterdir()) == []


def test_a_program_that_is_not_executable_says_so(server, binary):
    server.fake("chmod", "exit 0")
    with pytest.raises(LinkError, match="cannot be executed"), start(server, binary):
        pass
    wait_until_gone(server)


def test_a_folder_that_is_not_there_says_so(server, binary):
    with (
        pytest.raises(LinkError, match="no folder could be made"),
        start(server, binary, Path("/nowhere")),
    ):
        pass


def test_an_unknown_architecture_is_refused(server):
    server.fake("uname", 'if [ "$1" = -m ]; then echo mips64; else /bin/uname "$@"; fi')
    machine = host_of(server).machine()
    with pytest.raises(DeviceError, match="architecture 'mips64'; expected one of aarch64"):
        target_of(machine.machine, "Host pi")


@pytest.mark.parametrize("name", ["", "-oProxyCommand=touch x", "a b"])
def test_a_destination_that_is_an_option_is_refused(name):
    with pytest.raises(SpecError, match="expected user@host"):
        SshHost(name)


def test_words_of_a_folder_and_of_a_command_stay_words(tmp_path):
    folder = tmp_path / "a b'c$(touch evil)"
    folder.mkdir()
    script = script_of(str(folder), {}, ["echo", "x y", "$(touch evil)", "'"])
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "x y $(touch evil) '"
    assert list(folder.iterdir()) == []
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("ssh: connect to host x port 22: No route to host", "was not reached"),
        ("Connection to x closed by remote host.", "was lost"),
        ("client_loop: send disconnect: Broken pipe", "was lost"),
        ("", "was lost"),
        ("something else", "exit code 255: something else"),
    ],
)
def test_what_ssh_says_is_told(words, expected):
    assert expected in explain("x", 255, words).message
