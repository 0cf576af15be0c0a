"""Python environments that the tool makes and keeps, for packages that do not fit into its own.

A package can need an older numpy than this process has. It then lives in a virtual environment
under the cache folder, made at its first use, and runs there as a process (`engines.worker`).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from rnn_edge.cache import CACHE_VARIABLE, cache_folder
from rnn_edge.errors import EnvironmentFailureError, MissingDependencyError, RnnEdgeError

NO_INDEX_VARIABLE = "PIP_NO_INDEX"
TOOL_TIMEOUT_S = 900.0
LOCK_TIMEOUT_S = 1800.0
_LOCK_POLL_S = 0.1
_REASON_LINES = 3
_MAY_MAKE: ContextVar[bool] = ContextVar("may_make_environments", default=True)
# What pip's messages contain when an index does not answer.
_NOT_REACHED = re.compile(
    r"NewConnectionError|NameResolutionError|Temporary failure in name resolution|"
    r"Network is unreachable|Connection refused|ConnectTimeout|Read timed out|ProxyError|"
    r"Max retries exceeded|Cannot connect to proxy"
)
# What it says of an index that it was told of and told not to ask.
_IGNORED = re.compile(r"^Ignoring indexes:", re.MULTILINE)
_OFF = ("", "0", "false", "no", "off", "n", "f")
"""Values of a variable with which pip takes a switch as off."""
_NOT_FOUND = re.compile(r"No matching distribution found|Could not find a version")


@dataclass(frozen=True)
class Environment:
    """Packages that are installed together, apart from this process's own.

    Attributes:
        name: Part of a file name, e.g. "tflm".
        requirements: What pip installs, as wheels only; versions that decide about results are
            exact.
        module: Imported once to see that the environment works.
        purpose: What it is needed for, as the end of a sentence.
    """

    name: str
    requirements: tuple[str, ...]
    module: str
    purpose: str

    def digest(self) -> str:
        """Return what tells two environments apart: requirements, Python and machine."""
        base = Path(sys.base_prefix).resolve()
        parts = (self.requirements, sys.implementation.cache_tag, sys.version, platform.machine())
        return hashlib.sha256(repr((*parts, str(base))).encode()).hexdigest()[:16]


def environments_folder() -> Path:
    """Return the folder of all environments, which need not exist."""
    return cache_folder() / "environments"


def environment_folder(environment: Environment) -> Path:
    """Return where an environment lies once it is made."""
    return environments_folder() / f"{environment.name}-{environment.digest()}"


def how_to_repair(environment: Environment) -> str:
    """Return the hint for an environment whose content was damaged: it alone has to go."""
    folder = shlex.quote(str(environment_folder(environment)))
    return f"rm -r {folder}; it is made again, from the network, when it is next asked for"


def python_of(environment: Environment) -> Path:
    """Return the Python of an environment, whether it is made or not."""
    return environment_folder(environment) / "bin" / "python"


def interpreter_of(environment: Environment) -> Path:
    """Return the Python of an environment, which is made first if it is not there.

    Several processes may ask at once; one makes it and the others wait.

    Raises:
        MissingDependencyError: If the packages are not to be had: no network, no wheel for this
            Python, or a Python without the module venv.
        EnvironmentFailureError: If the folder cannot be written or a tool fails.
    """
    folder = environment_folder(environment)
    python = python_of(environment)
    if python.exists():
        return python
    if not _MAY_MAKE.get():
        raise MissingDependencyError(
            f"Environment for {environment.purpose} is not made yet.",
            f"it is made, from the network, when {environment.name} is asked for by its name",
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder.parent / f"{folder.name}.lock", environment):
            if not python.exists():
                _make(environment, folder)
    except OSError as error:
        raise EnvironmentFailureError(
            f"Environment {folder} cannot be made: {error}.",
            f"set {CACHE_VARIABLE} to a folder that can be written",
        ) from error
    return python


@contextmanager
def nothing_made() -> Iterator[None]:
    """Have `interpreter_of` refuse, within the context, what is not there already."""
    before = _MAY_MAKE.set(False)
    try:
        yield
    finally:
        _MAY_MAKE.reset(before)


@contextmanager
def _locked(path: Path, environment: Environment) -> Iterator[None]:
    """Hold a lock that ends with this process, however it ends."""
    end = time.monotonic() + LOCK_TIMEOUT_S
    with path.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > end:
                    raise EnvironmentFailureError(
                        f"Environment for {environment.purpose}: another process has been making "
                        f"it for more than {LOCK_TIMEOUT_S:g} s.",
                        f"wait for it, or end the process that holds {path}",
                    ) from error
                time.sleep(_LOCK_POLL_S)
        yield


def _make(environment: Environment, folder: Path) -> None:
    """Make an environment beside its place and move it there when it is whole.

    Only its ``bin/python`` is used, which works wherever the folder is; the other scripts keep
    the path of the temporary folder.
    """
    # Under the lock, another folder of this name is what a killed process left; an environment
    # whose Python is gone was made by a Python that was removed.
    prefix = f".{folder.name}-"
    for left in [*folder.parent.glob(f"{prefix}*"), folder]:
        shutil.rmtree(left, ignore_errors=True)
    building = Path(tempfile.mkdtemp(dir=folder.parent, prefix=prefix))
    try:
        python = building / "bin" / "python"
        code, said = _run([sys.executable, "-I", "-m", "venv", str(building)])
        if code != 0:
            raise _no_venv(environment, said)
        install = [str(python), "-I", "-m", "pip", "install", "--only-binary=:all:", "--no-input"]
        quiet = ["--disable-pip-version-check", "--progress-bar=off"]
        code, said = _run([*install, *quiet, *environment.requirements])
        if code != 0:
            raise _not_installed(environment, said)
        code, said = _run([str(python), "-I", "-c", f"import {environment.module}"])
        if code != 0:
            raise EnvironmentFailureError(
                f"Environment for {environment.purpose}: {environment.module} does not load: "
                f"{_last_lines(said)}."
            )
        building.replace(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _run(command: Sequence[str]) -> tuple[int, str]:
    """Run a tool to its end; return its exit code and what it said.

    Raises:
        EnvironmentFailureError: If it does not start or does not end in time.
    """
    # A file, not a pipe: a grandchild that outlives the tool would keep a pipe open.
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise EnvironmentFailureError(f"{command[0]} does not start: {error}.") from error
        try:
            code = process.wait(TOOL_TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            raise EnvironmentFailureError(
                f"{shlex.join(command)} did not end within {TOOL_TIMEOUT_S:g} s.",
                "see whether the network is slow, and try again",
            ) from error
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        output.seek(0)
        return code, output.read().decode(errors="replace")


def _no_venv(environment: Environment, said: str) -> RnnEdgeError:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if "No module named venv" in said or "ensurepip" in said:
        return MissingDependencyError(
            f"Environment for {environment.purpose} cannot be made: {sys.executable} has no "
            "working module venv.",
            f"apt-get install {version}-venv (Debian, Ubuntu, Raspberry Pi OS)",
        )
    return EnvironmentFailureError(
        f"Environment for {environment.purpose} cannot be made: {_last_lines(said)}.",
        "see whether the disk is full",
    )


def _not_installed(environment: Environment, said: str) -> RnnEdgeError:
    wanted = " ".join(environment.requirements)
    ending = f"; pip says: {_last_lines(said)}."
    if _NOT_FOUND.search(said) and (_IGNORED.search(said) or _has_no_index()):
        why = f"{NO_INDEX_VARIABLE} is set" if _has_no_index() else "pip is set to ignore it"
        return MissingDependencyError(
            f"Environment for {environment.purpose} cannot be made: no package index was asked, "
            f"as {why}, and the folders that pip knows hold no wheels of {wanted} for Python "
            f"{platform.python_version()} on {platform.machine()}{ending}",
            f"unset {NO_INDEX_VARIABLE} (or no-index in pip's configuration), or put the wheels "
            "into the folder that PIP_FIND_LINKS names",
        )
    if _NOT_REACHED.search(said):
        return MissingDependencyError(
            f"Environment for {environment.purpose} cannot be made: no package index was reached "
            f"for {wanted}{ending}",
            "connect to the network once, or set PIP_NO_INDEX=1 and PIP_FIND_LINKS to a folder "
            "with the wheels",
        )
    if _NOT_FOUND.search(said):
        return MissingDependencyError(
            f"Environment for {environment.purpose} cannot be made: pip finds no wheels of "
            f"{wanted} for Python {platform.python_version()} on {platform.machine()}{ending}",
            "leave this engine out, or run with another Python",
        )
    return EnvironmentFailureError(
        f"Environment for {environment.purpose} cannot be made: pip failed: {_last_lines(said)}."
    )


def _has_no_index() -> bool:
    """Whether pip is told by its variable to ask no index."""
    return os.environ.get(NO_INDEX_VARIABLE, "").lower() not in _OFF


def _last_lines(said: str) -> str:
    """Return the end of what a tool said, on one line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return " / ".join(lines[-_REASON_LINES:]).rstrip(".") or "no message"
