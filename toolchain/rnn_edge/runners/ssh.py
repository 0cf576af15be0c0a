"""Machines that run Linux elsewhere: a Raspberry Pi, reached by ssh.

What users have in ``~/.ssh/config`` holds: ports, keys, jumps. Nothing asks for a password.

Source: OpenSSH manual pages ssh(1), scp(1), ssh_config(5).
"""

from __future__ import annotations

import re

from rnn_edge.errors import DeviceError
from rnn_edge.runners.base import Job, Runner
from rnn_edge.spec import DeviceSpec

FOLDER = ".local/share/rnn-edge"
PLACE = f"{FOLDER}/program"
"""Of the program, below the home of the user there: a machine has one, as a board has."""

_ARRIVING = f"{PLACE}.new"
_MOVE = (
    f"sh -c 'chmod 755 {_ARRIVING} && mv -fT {_ARRIVING} {PLACE} || "
    f"{{ rm -f {_ARRIVING}; exit 1; }}'"
)
_OPTIONS = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=10")
_ALIVE = ("-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3")
_HOST = re.compile(r"([\w.+-]+@)?\w[\w.-]*")


class SshRunner(Runner):
    """Copies a program over ssh; the input and output of the program there are the link."""

    name = "ssh"
    title = "copies the program to a machine with Linux, and runs it there"
    hint = "apt install openssh-client"
    version_flag = "-V"
    image = "program"
    port = "host"

    def programs(self, device: DeviceSpec | None = None) -> tuple[str, ...]:
        """Return what copies and what runs."""
        return ("ssh", "scp")

    def suits(self, device: DeviceSpec) -> bool:
        """Whether the device is reached so."""
        return "ssh" in device.links

    def commands(self, job: Job) -> tuple[tuple[str, ...], ...]:
        """Return what copies: a program that runs goes on, and none is ever seen in part.

        Raises:
            DeviceError: If the job names no host, or has a probe.
        """
        self.refuse_unsupported(job)
        self.options(job.device)
        host = self._host(job)
        return (
            ("ssh", *_OPTIONS, host, f"mkdir -p {FOLDER}"),
            ("scp", "-q", *_OPTIONS, str(job.image.absolute()), f"{host}:{_ARRIVING}"),
            ("ssh", *_OPTIONS, host, _MOVE),
        )

    def link(self, job: Job) -> tuple[str, ...]:
        """Return what starts the program that is there."""
        self.refuse_unsupported(job)
        return ("ssh", "-T", *_OPTIONS, *_ALIVE, self._host(job), f"exec {PLACE}")

    def _host(self, job: Job) -> str:
        host = self.required_port(job, "pi@raspberrypi.local")
        if not _HOST.fullmatch(host):
            raise DeviceError(
                f"Host {host!r}; expected user@name, or a name of ~/.ssh/config.",
                "--port pi@raspberrypi.local",
            )
        return host


RUNNER = SshRunner()
