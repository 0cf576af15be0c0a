"""A real SSH server on loopback, with keys of its own, that ends with the test."""

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

WRAPPER = """#!/bin/sh
PATH="{folder}/bin:$PATH"
export PATH
{before}
exec sh -c "$SSH_ORIGINAL_COMMAND"
"""
# Starts the program in an emulator, which a kernel of that machine does by itself.
EMULATED = (
    "SSH_ORIGINAL_COMMAND=$(printf '%s\\n' \"$SSH_ORIGINAL_COMMAND\" | "
    "sed 's|^\"$folder/program\"$|{emulator} -cpu {processor} &|')"
)


def sshd():
    """Return the path of the server, or skip."""
    found = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if found is None or shutil.which("ssh") is None:
        pytest.skip("needs sshd and ssh (Debian: openssh-server)")
    return found


def make_key(path):
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path], check=True
    )
    return path


@dataclass
class Server:
    """A running server; `config` is a configuration of ssh in which it is called "pi"."""

    folder: Path
    port: int
    process: subprocess.Popen
    known: Path
    config: Path
    programs: Path
    copies: Path
    options: dict = field(default_factory=dict)

    def sessions(self):
        """Return the processes of open connections."""
        done = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return [int(word) for word in done.stdout.split()]

    def drop(self):
        """End all connections as a network does: nobody at either end is asked."""
        for session in self.sessions():
            for pid in [*children(session), session]:
                # Some connections end while they are ended.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def fake(self, name, text):
        """Put a program before those of the system, on the server's side."""
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def left(self):
        """Return what is left of folders that were copied to."""
        return sorted(path.name for path in self.copies.iterdir())

    def use_key(self, path):
        text = self.config.read_text().splitlines()
        kept = [line for line in text if "IdentityFile" not in line]
        self.config.write_text("\n".join([*kept, f"  IdentityFile {path}", ""]))


def children(pid):
    """Return the processes of the server's own below a session: those that hold the connection."""
    done = subprocess.run(
        ["ps", "-o", "pid=,comm=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    rows = [line.split(None, 1) for line in done.stdout.splitlines()]
    return [int(number) for number, name in rows if name.startswith("sshd")]


def start_server(folder, before=""):
    """Start a server whose files are in a folder.

    Args:
        folder: Empty.
        before: Lines of a shell that stand before every command.
    """
    program = sshd()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    programs, copies = folder / "bin", folder / "copies"
    programs.mkdir()
    copies.mkdir()
    host_key, key = make_key(folder / "host_key"), make_key(folder / "key")
    wrapper = folder / "wrapper"
    wrapper.write_text(WRAPPER.format(folder=folder, before=before))
    wrapper.chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "sshd_config").write_text(
        f"""Port {port}
ListenAddress 127.0.0.1
HostKey {host_key}
AuthorizedKeysFile {folder}/key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
ForceCommand {wrapper}
"""
    )
    known = folder / "known_hosts"
    public = (folder / "host_key.pub").read_text().split()
    known.write_text(f"[127.0.0.1]:{port} {public[0]} {public[1]}\n")
    config = folder / "ssh_config"
    config.write_text(
        f"""Host pi
  HostName 127.0.0.1
  Port {port}
  User {getpass.getuser()}
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile {known}
  GlobalKnownHostsFile /dev/null
  IdentityFile {key}
"""
    )
    log = folder / "log"
    process = subprocess.Popen(
        [program, "-D", "-f", folder / "sshd_config", "-E", log], stdin=subprocess.DEVNULL
    )
    server = Server(folder, port, process, known, config, programs, copies)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if process.poll() is not None:
            pytest.skip(f"sshd does not start here: {log.read_text()[-300:]}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return server
        except OSError:
            time.sleep(0.05)
    raise AssertionError("sshd does not listen")


def stop_server(server):
    server.drop()
    server.process.terminate()
    server.process.wait(10)
