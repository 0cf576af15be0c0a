"""A systemd unit for a run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rnn_edge.errors import EnvironmentFailureError, MissingDependencyError

SYSTEM_FOLDER = Path("/etc/systemd/system")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_HOMES = (Path("/home"), Path("/root"), Path("/run/user"))
_TEMPORARY = (Path("/tmp"), Path("/var/tmp"))
_VERIFY_TIMEOUT_S = 60.0

_HARDENING = """\
NoNewPrivileges=yes
ProtectSystem=strict
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
CapabilityBoundingSet=
AmbientCapabilities=
UMask=0077"""

_USER_HARDENING = """\
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
UMask=0077"""
"""What the manager of a user may ask for without rights of its own."""


@dataclass(frozen=True)
class UnitRequest:
    """What a unit runs.

    Attributes:
        name: Of the service, after ``rnn-edge-``.
        arguments: Of ``rnn-edge``, with absolute paths and without state and log.
        paths: Files and folders that it reads.
        has_log: Whether frames are logged.
        has_network: Whether it speaks to others over the network.
        serial_port: That it reads, or an empty string.
        has_microphone: Whether it listens to a sound card.
        is_user: Whether it is a unit of one user's own manager.
    """

    name: str
    arguments: tuple[str, ...]
    paths: tuple[Path, ...]
    has_log: bool
    has_network: bool
    serial_port: str
    has_microphone: bool
    is_user: bool

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise EnvironmentFailureError(
                f"Name of the service {self.name!r}; expected letters, digits, '-', '_' and '.'.",
                "name it with --unit-name",
            )

    @property
    def file(self) -> str:
        """Name of the unit."""
        return f"rnn-edge-{self.name}.service"


def unit_text(request: UnitRequest) -> str:
    """Return the unit.

    Raises:
        MissingDependencyError: If the program ``rnn-edge`` is nowhere.
    """
    own = f"rnn-edge/{request.name}"
    program = _program()
    words = [str(program), *request.arguments]
    line = " ".join(
        [*map(_quoted, words), "--state", f"%S/{own}/stream.state"]
        + (["--log", f"%L/{own}"] if request.has_log else [])
    )
    network = request.has_network
    parts = [
        "[Unit]",
        f"Description=rnn-edge: {request.name.replace('%', '%%')}",
        *(["Wants=network-online.target", "After=network-online.target"] if network else []),
        "",
        "[Service]",
        "Type=exec",
        f"ExecStart={line}",
        "ExecReload=/bin/kill -HUP $MAINPID",
        "Restart=on-failure",
        "RestartSec=5",
        "TimeoutStopSec=30",
        f"StateDirectory={own}",
        f"CacheDirectory={own}",
        *([f"LogsDirectory={own}"] if request.has_log else []),
        f"Environment=RNN_EDGE_CACHE=%C/{own}",
        # User and password of a broker.
        f"EnvironmentFile=-{'%h/.config' if request.is_user else '/etc'}/{own}.env",
    ]
    if request.is_user:
        parts += _USER_HARDENING.splitlines()
    else:
        parts += ["DynamicUser=yes", *_HARDENING.splitlines(), *_devices(request)]
        parts += _homes((*request.paths, program, Path(sys.prefix), Path(sys.base_prefix)))
        if not network:
            parts += ["IPAddressDeny=any"]
    families = "AF_UNIX AF_INET AF_INET6" if network else "AF_UNIX"
    parts += [f"RestrictAddressFamilies={families}", "", "[Install]"]
    parts += [f"WantedBy={'default' if request.is_user else 'multi-user'}.target", ""]
    return "\n".join(parts)


def verify_unit(request: UnitRequest, text: str) -> bool:
    """Let systemd judge a unit.

    Returns:
        False where there is no systemd-analyze.

    Raises:
        EnvironmentFailureError: If systemd finds fault with it.
    """
    program = shutil.which("systemd-analyze")
    if program is None:
        return False
    with tempfile.TemporaryDirectory(prefix="rnn-edge-") as folder:
        path = Path(folder) / request.file
        path.write_text(text)
        command = [program, "verify", *(["--user"] if request.is_user else []), str(path)]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=_VERIFY_TIMEOUT_S,
                check=False,
                # A user's manager is asked about nothing; it only has to have a place.
                env={"XDG_RUNTIME_DIR": folder, **os.environ},
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EnvironmentFailureError(f"systemd-analyze cannot judge the unit: {error}.") from (
                error
            )
    # It warns about units of others as well, and then names them.
    complaints = [line for line in done.stderr.splitlines() if request.file in line]
    if done.returncode or complaints:
        said = "; ".join(complaints or done.stderr.splitlines()[-3:])
        raise EnvironmentFailureError(f"systemd refuses the unit {request.file}: {said}.")
    return True


def unit_folder(*, is_user: bool) -> Path:
    """Return where units are put."""
    if not is_user:
        return SYSTEM_FOLDER
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "systemd" / "user"


def install_unit(request: UnitRequest, text: str) -> Path:
    """Write a unit where systemd finds it, and return its path.

    Raises:
        EnvironmentFailureError: If that is refused.
    """
    folder = unit_folder(is_user=request.is_user)
    path = folder / request.file
    temporary = folder / f".{request.file}.unfinished"
    try:
        if request.is_user:
            folder.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text)
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise EnvironmentFailureError(
            f"Unit {path} cannot be written: {error.strerror}.",
            "run it with sudo, for yourself with --user, or see it with --dry-run",
        ) from error
    return path


def _program() -> Path:
    beside = Path(sys.executable).with_name("rnn-edge")
    found = str(beside) if beside.is_file() else shutil.which("rnn-edge")
    if found is None:
        raise MissingDependencyError(
            "Program rnn-edge is not beside this Python and not on the path; a unit runs it.",
            "pip install rnn-edge",
        )
    return Path(found).absolute()


def _quoted(word: str) -> str:
    """Return a word as it stands in ExecStart=: there % and $ have meanings, and so have quotes."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    is_plain = re.fullmatch(r"[A-Za-z0-9_./:=,@%$+-]+", escaped) is not None
    return escaped if is_plain else f'"{escaped}"'


def _devices(request: UnitRequest) -> list[str]:
    if request.serial_port:
        return [
            "DevicePolicy=closed",
            f"DeviceAllow={request.serial_port} rw",
            "SupplementaryGroups=dialout",
        ]
    if request.has_microphone:
        return ["DevicePolicy=closed", "DeviceAllow=char-alsa rw", "SupplementaryGroups=audio"]
    return ["PrivateDevices=yes"]


def _homes(paths: Sequence[Path]) -> list[str]:
    """Show nothing of homes and temporary folders but what is needed, and that read-only."""
    needed: list[Path] = []
    for path in dict.fromkeys(path.absolute() for path in paths):
        is_hidden = any(path.is_relative_to(folder) for folder in (*_HOMES, *_TEMPORARY))
        if is_hidden and not any(path.is_relative_to(other) for other in needed):
            needed.append(path)
    at_home = any(path.is_relative_to(home) for path in needed for home in _HOMES)
    lines = [f"BindReadOnlyPaths={_quoted(str(path))}" for path in needed]
    return [f"ProtectHome={'tmpfs' if at_home else 'yes'}", *lines]
