"""Programs copied to a real ssh server on this host, replaced while they run, and spoken to."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from rnn_edge.links.process import ProcessStream
from rnn_edge.runners.base import Job, all_runners
from rnn_edge.runners.failures import explain
from rnn_edge.runners.ssh import PLACE
from rnn_edge.spec import find_device

RUNNER = all_runners()["ssh"]
SFTP = Path("/usr/lib/openssh/sftp-server")
WRAPPER = """#!/bin/sh
cd "{home}" || exit 1
HOME={home}; export HOME
case "$SSH_ORIGINAL_COMMAND" in
*sftp*) exec {sftp} ;;
*) exec sh -c "$SSH_ORIGINAL_COMMAND" ;;
esac
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The home of a user on a machine that ssh calls "pi"."""
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None or shutil.which("scp") is None or not SFTP.exists():
        pytest.skip("needs sshd, ssh and scp (Debian: openssh-server)")
    folder = tmp_path_factory.mktemp("ssh")
    home = folder / "home"
    home.mkdir()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    for name in ("host", "user"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True
        )
    (folder / "wrapper").write_text(WRAPPER.format(home=home, sftp=SFTP))
    (folder / "wrapper").chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\n"
        f"AuthorizedKeysFile {folder}/user.pub\nPidFile none\nStrictModes no\nUsePAM no\n"
        f"PasswordAuthentication no\nPermitRootLogin yes\nForceCommand {folder}/wrapper\n"
        f"Subsystem sftp {SFTP}\n"
    )
    (folder / "known").write_text(
        f"[127.0.0.1]:{port} {' '.join((folder / 'host.pub').read_text().split()[:2])}\n"
    )
    (folder / "config").write_text(
        f"Host pi\n  HostName 127.0.0.1\n  Port {port}\n  User {getpass.getuser()}\n"
        f"  IdentityFile {folder}/user\n  IdentitiesOnly yes\n  IdentityAgent none\n"
        f"  UserKnownHostsFile {folder}/known\n"
    )
    # What a user has in ~/.ssh/config.
    (folder / "bin").mkdir()
    for name in ("ssh", "scp"):
        tool = folder / "bin" / name
        real = shutil.which(name)
        more = f"-S {folder}/bin/ssh " if name == "scp" else ""
        tool.write_text(f'#!/bin/sh\nexec {real} -F {folder}/config {more}"$@"\n')
        tool.chmod(0o755)
    process = subprocess.Popen(
        [program, "-D", "-f", folder / "sshd_config", "-E", folder / "log"],
        stdin=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                break
        if process.poll() is not None:
            pytest.skip(f"sshd does not start here: {(folder / 'log').read_text()[-300:]}")
        yield home
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture
def reached(server, monkeypatch):
    """The home on the machine, empty, with its configuration in force."""
    monkeypatch.setenv("PATH", f"{server.parent / 'bin'}{os.pathsep}{os.environ['PATH']}")
    shutil.rmtree(server / ".local", ignore_errors=True)
    return server


@pytest.fixture
def job(tmp_path):
    """A function that returns the job of a program that begins with a word and then echoes."""

    def of(word):
        program = tmp_path / f"{word} program"
        program.write_text(f"#!/bin/sh\nprintf {word}\nexec cat\n")
        return Job(find_device("rpi-4"), program, port="pi")

    return of


def run(job):
    return [
        subprocess.run(command, capture_output=True, text=True, timeout=60)
        for command in RUNNER.commands(job)
    ]


def flash(job):
    for done in run(job):
        assert done.returncode == 0, done.stderr


def said(stream, expected):
    found, deadline = b"", time.monotonic() + 60
    while len(found) < len(expected) and time.monotonic() < deadline:
        found += stream.read(0.5)
    return found == expected


def test_a_program_is_copied_run_and_spoken_to(reached, job):
    flash(job("first"))
    assert [path.name for path in (reached / PLACE).parent.iterdir()] == ["program"]
    assert (reached / PLACE).stat().st_mode & 0o777 == 0o755
    stream = ProcessStream(RUNNER.link(job("first")), "Pi")
    try:
        assert said(stream, b"first")
        data = bytes(range(256)) * 20
        stream.write(data, 10)
        assert said(stream, data)
    finally:
        stream.close()


@pytest.mark.slow
def test_a_program_that_runs_goes_on_while_it_is_replaced(reached, job):
    flash(job("old"))
    running = ProcessStream(RUNNER.link(job("old")), "Pi")
    try:
        assert said(running, b"old")
        flash(job("new"))
        running.write(b"still there", 10)
        assert said(running, b"still there")
        again = ProcessStream(RUNNER.link(job("new")), "Pi")
        try:
            assert said(again, b"new")
        finally:
            again.close()
    finally:
        running.close()


def test_a_program_that_cannot_be_put_into_place_leaves_nothing(reached, job):
    (reached / PLACE).mkdir(parents=True)
    done = run(job("first"))[-1]
    assert done.returncode == 1
    assert "cannot overwrite directory" in done.stderr
    assert [path.name for path in (reached / PLACE).parent.iterdir()] == ["program"]
    assert list((reached / PLACE).iterdir()) == []


def test_a_key_that_is_not_taken_is_understood(reached, server, job, monkeypatch):
    (server.parent / "user.pub").rename(server.parent / "away")
    try:
        done = run(job("first"))[0]
    finally:
        (server.parent / "away").rename(server.parent / "user.pub")
    assert done.returncode == 255
    error = explain(RUNNER, job("first"), ("ssh",), done.stderr, "exit code 255")
    assert "failed: the host refuses this user (" in error.message
    assert "ssh-copy-id pi" in error.hint
