"""Programs on another machine, over the SSH client of this system.

OpenSSH keeps the keys, the agent, ``~/.ssh/config`` and the known hosts; nothing here answers for
it, and nothing asks for a password. Each program is one connection: a small shell script at the
other end makes a folder, takes the files, runs the program with the rest of its input, and removes
the folder however the program ends: when its input ends, or the connection is gone.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from rnn_edge.engines.program_engine import ProgramStream
from rnn_edge.errors import DeviceError, LinkError, SpecError
from rnn_edge.links.base import ByteStream
from rnn_edge.profiling.places import PYTHON_QUESTION, QUESTION_TIMEOUT_S, QUESTIONS, Machine
from rnn_edge.programs import program

CONNECT_TIMEOUT_S = 15
COPY_TIMEOUT_S = 300.0
START_TIMEOUT_S = 60.0
FOLDER = "/tmp"
"""Where folders are made, unless another one is named."""
OPTIONS = (
    # Nobody is there to type a password or to accept a key: what the configuration does not
    # allow by itself is refused. Checking host keys is left as it is set there.
    "BatchMode=yes",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
)
_NO_FOLDER, _NO_ROOM, _NOT_STARTED = 41, 42, 43
_CANNOT_EXECUTE, _NOT_FOUND, _SSH_FAILED = 126, 127, 255
_TAG = "rnn-edge:"
_WORDS = 300

_REASONS = (
    (
        r"REMOTE HOST IDENTIFICATION HAS CHANGED|host key .* has changed",
        "the host key of {host} has changed: it is not the machine that is known by this name, or "
        "it was installed anew",
        "compare the fingerprint at the machine itself, then: ssh-keygen -R {address}",
    ),
    (
        r"Host key verification failed|No \S+ host key is known",
        "the host key of {host} is not known",
        "connect once with: ssh {host}, and compare the fingerprint that it shows",
    ),
    (
        r"Permission denied \(",
        "{host} refused the login: no key that it accepts was offered",
        "ssh-copy-id {host}, and ssh-add where the key has a passphrase",
    ),
    (
        r"Could not resolve hostname",
        "the name of {host} is not known",
        "is it spelt so, and is the machine in this network?",
    ),
    (
        r"Connection refused",
        "{host} refused the connection: no SSH server answers there",
        "on the Pi: sudo systemctl enable --now ssh",
    ),
    (
        r"timed out|No route to host|Network is unreachable",
        "{host} was not reached",
        "is it switched on and in this network?",
    ),
)
_DROPPED = re.compile(
    r"closed by remote host|Connection reset|Broken pipe|not responding|Connection closed"
)


def explain(host: str, code: int | None, words: str) -> DeviceError | LinkError:
    """Return the error for an ssh that ended.

    Args:
        host: As the user named it.
        code: Its exit code; None where it is not known.
        words: What it wrote to stderr.
    """
    said = " / ".join(line.strip() for line in words.splitlines() if line.strip())[-_WORDS:]
    address = host.rpartition("@")[2]
    if code == _SSH_FAILED:
        for pattern, reason, hint in _REASONS:
            if re.search(pattern, words):
                return DeviceError(
                    f"SSH: {reason.format(host=host)}; it says: {said.rstrip('.')}.",
                    hint.format(host=host, address=address),
                )
        if _DROPPED.search(words) or not words.strip():
            return LinkError(
                f"SSH: the connection to {host} was lost{f': {said}' if said else ''}.".replace(
                    "..", "."
                ),
                "run the command again; the machine removes by itself what was copied",
            )
    failure = {
        _NO_FOLDER: ("no folder could be made", "name another folder with --host-folder"),
        _NO_ROOM: (
            "the files could not be copied: no space is left, or the folder cannot be written",
            "make room, or name another folder with --host-folder",
        ),
        _NOT_STARTED: (
            "the program was copied and cannot be executed: the folder may be mounted noexec",
            "name a folder whose programs may run with --host-folder",
        ),
        _CANNOT_EXECUTE: (
            "the program was copied and cannot be executed: the folder may be mounted noexec",
            "name a folder whose programs may run with --host-folder",
        ),
        _NOT_FOUND: ("a program is missing", "log in and see whether a shell answers there"),
    }
    what, hint = failure.get(code or 0, (f"the program ended with exit code {code}", "try again"))
    return DeviceError(f"{host}: {what}{f': {said}' if said else ''}.".replace("..", "."), hint)


class SshStream(ProgramStream):
    """The input and output of a program behind ssh, which says why the connection ended."""

    def __init__(self, command: Sequence[str], host: str, owner: str) -> None:
        super().__init__(command, owner)
        self._host = host
        self._left = b""

    def read(self, timeout_s: float) -> bytes:
        """Return what has come, as `ByteStream` does."""
        if self._left:
            found, self._left = self._left, b""
            return found
        return super().read(timeout_s)

    def expect(self, words: str, timeout_s: float) -> str:
        """Wait for the line of the script that begins so; return the rest of it.

        Raises:
            LinkError: If it does not come in time, or the connection is lost.
            DeviceError: If the machine refused.
        """
        deadline, wanted, found = time.monotonic() + timeout_s, f"{_TAG} {words}".encode(), b""
        while True:
            # What a login prints stands before it.
            for line in found.split(b"\n")[:-1]:
                if line.startswith(wanted):
                    self._left = found.partition(line + b"\n")[2]
                    return line[len(wanted) :].decode(errors="replace").strip()
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise LinkError(
                    f"{self._host} did not say {words!r} within {timeout_s:g} s.",
                    "is the machine busy, or the connection slow?",
                )
            found += self.read(left_s)

    def _ended(self, why: str) -> LinkError:
        try:
            code: int | None = self._process.wait(2.0)
        except subprocess.TimeoutExpired:
            code = None
        self._words.seek(0)
        return _as_link(explain(self._host, code, self._words.read().decode(errors="replace")))


class _HostError(LinkError, DeviceError):
    """What a machine behind ssh refused, for whoever waits for its bytes."""


def _as_link(error: DeviceError | LinkError) -> LinkError:
    return error if isinstance(error, LinkError) else _HostError(error.message, error.hint)


class SshHost:
    """A machine behind ``ssh``.

    Args:
        destination: ``user@host`` or a name of ``~/.ssh/config``.
        config: Another configuration than the user's; None for that.
        folder: Where folders are made for a while.
        python: The Python whose interpreters are measured.
        connect_timeout_s: Until the server has answered.

    Raises:
        SpecError: If the destination is none.
        MissingDependencyError: If there is no ssh.
    """

    is_remote = True

    def __init__(
        self,
        destination: str,
        config: Path | None = None,
        folder: str = FOLDER,
        python: str = "python3",
        connect_timeout_s: int = CONNECT_TIMEOUT_S,
    ) -> None:
        if not re.fullmatch(r"[^\s-]\S*", destination):
            raise SpecError(f"Host {destination!r}; expected user@host.")
        self.name = destination
        self.python = python
        self._folder = folder
        ssh = program("ssh", f"the host {destination}")
        given = (*OPTIONS, f"ConnectTimeout={connect_timeout_s}")
        options = [word for option in given for word in ("-o", option)]
        own = [] if config is None else ["-F", str(config)]
        self._command = [ssh, "-T", *own, *options, "--", destination]

    def machine(self) -> Machine:
        """Ask the machine what it is.

        Raises:
            DeviceError: If it refuses, or is not there.
            LinkError: If the connection is lost.
        """
        asked = f"{shlex.quote(self.python)} -c {shlex.quote(PYTHON_QUESTION)} 2>/dev/null"
        script = f"{QUESTIONS}{asked}\nexit 0\n"
        try:
            done = subprocess.run(
                [*self._command, _shell(script)],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=QUESTION_TIMEOUT_S + CONNECT_TIMEOUT_S,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired as error:
            raise LinkError(
                f"{self.name} did not answer within {QUESTION_TIMEOUT_S:g} s.",
                "is the machine busy, or the connection gone?",
            ) from error
        if done.returncode != 0:
            raise explain(self.name, done.returncode, done.stderr)
        return Machine.of_answers(done.stdout)

    def start(
        self, files: Mapping[str, Path], command: Sequence[str], owner: str
    ) -> AbstractContextManager[ByteStream]:
        """Copy files into a new folder and start a program there.

        Args:
            files: What the program needs, by the name that ``command`` has for it.
            command: Program and arguments; a word that is the name of a file stands for it.
            owner: What it belongs to, for messages.

        Raises:
            DeviceError: If the machine refuses.
            LinkError: If the connection is lost.
        """
        return _Session(self, files, command, owner)

    def open(self, files: Mapping[str, Path], command: Sequence[str], owner: str) -> SshStream:
        """Do what `start` does; the caller closes the stream."""
        contents = {name: path.read_bytes() for name, path in files.items()}
        sizes = {name: len(content) for name, content in contents.items()}
        remote = _shell(script_of(self._folder, sizes, command))
        stream = SshStream([*self._command, remote], self.name, owner)
        try:
            stream.expect("folder", QUESTION_TIMEOUT_S)
            for name, content in contents.items():
                # One after the other: what a shell's tools read too much is nothing's.
                stream.write(content, COPY_TIMEOUT_S)
                stream.expect(f"took {name}", COPY_TIMEOUT_S)
            stream.expect("starts", START_TIMEOUT_S)
        except BaseException:
            stream.close()
            raise
        return stream


class _Session(AbstractContextManager[ByteStream]):
    def __init__(
        self, host: SshHost, files: Mapping[str, Path], command: Sequence[str], owner: str
    ) -> None:
        self._arguments = (files, command, owner)
        self._host = host
        self._stream: SshStream | None = None

    def __enter__(self) -> ByteStream:
        self._stream = self._host.open(*self._arguments)
        return self._stream

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.close()


def script_of(folder: str, sizes: Mapping[str, int], command: Sequence[str]) -> str:
    """Return what the other end runs.

    Args:
        folder: Where its folder is made.
        sizes: Bytes of each file, in the order in which they come.
        command: Program and arguments; names of files stand for the files.
    """
    place = shlex.quote(f"{folder}/rnn-edge.XXXXXX")
    lines = [
        "umask 077",
        f"folder=$(mktemp -d {place}) || exit {_NO_FOLDER}",
        # A shell that is told to end does not run what stands for its exit, unless told so too.
        "trap 'rm -rf \"$folder\"' EXIT",
        "trap 'exit 1' HUP INT TERM PIPE",
        f'echo "{_TAG} folder $folder"',
    ]
    for name, size in sizes.items():
        lines += [
            f'head -c {size} >"$folder/{name}" || exit {_NO_ROOM}',
            f'[ "$(wc -c <"$folder/{name}")" -eq {size} ] || exit {_NO_ROOM}',
            f'chmod 700 "$folder/{name}"',
            f'echo "{_TAG} took {name}"',
        ]
    words = [f'"$folder/{word}"' if word in sizes else shlex.quote(word) for word in command]
    if command[0] in sizes:
        lines.append(f"[ -x {words[0]} ] || exit {_NOT_STARTED}")
    lines += [f'echo "{_TAG} starts"', " ".join(words), "exit $?"]
    return "\n".join(lines) + "\n"


def _shell(script: str) -> str:
    """Return a command of any login shell that hands a script to a POSIX shell."""
    return f"exec sh -c {shlex.quote(script)}"
