"""Where a model is measured: what the machine is, and how a program is started there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from rnn_edge.engines.program_engine import ProgramStream
from rnn_edge.errors import EnvironmentFailureError
from rnn_edge.links.base import ByteStream

QUESTION_TIMEOUT_S = 60.0
QUESTIONS = r"""
say() { printf '%s\t%s\n' "$1" "$2"; }
say machine "$(uname -m)"
say system "$(uname -sr)"
say cores "$(getconf _NPROCESSORS_ONLN 2>/dev/null)"
say libc "$(ldd --version 2>&1 | head -n 1)"
say model "$(tr -d '\000' 2>/dev/null </proc/device-tree/model)"
say rails "$(vcgencmd pmic_read_adc 2>/dev/null | grep -c '_A  *current')"
say processor "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1)"
"""
"""A script of any POSIX shell; a line for every answer, name and value with a tab between."""
PYTHON_QUESTION = """
import importlib.util, platform, sys
names = ("numpy", "ai_edge_litert", "tflite_runtime", "onnxruntime")
found = [name for name in names if importlib.util.find_spec(name)]
print("python", platform.python_version() + " " + " ".join(found), sep="\\t")
"""


@dataclass(frozen=True)
class Machine:
    """What a machine says of itself; empty where it does not.

    Attributes:
        machine: As ``uname -m`` says it, e.g. "aarch64".
        system: Kernel and its version.
        cores: Processors that are there.
        libc: The first line of ``ldd --version``.
        model: Of the board, from the device tree.
        processor: Its name in /proc/cpuinfo.
        rails: How many its PMIC measures, a Raspberry Pi 5's; "0" or empty for none.
        python: Version of the Python that was asked for.
        packages: Interpreters' packages that this Python finds, and numpy.
    """

    machine: str
    system: str = ""
    cores: str = ""
    libc: str = ""
    model: str = ""
    processor: str = ""
    rails: str = ""
    python: str = ""
    packages: tuple[str, ...] = ()

    @classmethod
    def of_answers(cls, said: str) -> Machine:
        """Return what the answers to `QUESTIONS` say."""
        found = dict(line.split("\t", 1) for line in said.splitlines() if "\t" in line)
        python, *packages = found.pop("python", "").split(" ")
        known = {name: found.get(name, "").strip() for name in cls.__dataclass_fields__}
        known.pop("python")
        known.pop("packages")
        return cls(**known, python=python, packages=tuple(packages))

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return asdict(self) | {"packages": list(self.packages)}


class Place(Protocol):
    """A machine on which programs are started."""

    @property
    def name(self) -> str:
        """What users know it by."""

    @property
    def is_remote(self) -> bool:
        """Whether programs are copied there."""

    def machine(self) -> Machine:
        """Ask the machine what it is."""

    def start(
        self, files: Mapping[str, Path], command: Sequence[str], owner: str
    ) -> AbstractContextManager[ByteStream]:
        """Start a program; its input and output are the stream, and it ends with it.

        Args:
            files: What the program needs, by the name that ``command`` has for it.
            command: Program and arguments; a word that is the name of a file stands for it.
            owner: What it belongs to, for messages.
        """


class _Closed(AbstractContextManager[ByteStream]):
    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream

    def __enter__(self) -> ByteStream:
        return self._stream

    def __exit__(self, *_: object) -> None:
        self._stream.close()


class ThisMachine:
    """The machine that this runs on."""

    name = "this machine"
    is_remote = False

    def machine(self) -> Machine:
        """Ask the machine what it is.

        Raises:
            EnvironmentFailureError: If there is no shell.
        """
        try:
            done = subprocess.run(
                ["sh", "-c", QUESTIONS],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=QUESTION_TIMEOUT_S,
                check=False,
                env={**os.environ, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EnvironmentFailureError(
                f"This machine does not say what it is: {error}."
            ) from error
        said = done.stdout + f"python\t{sys.version.split()[0]}\n"
        return Machine.of_answers(said)

    def start(
        self, files: Mapping[str, Path], command: Sequence[str], owner: str
    ) -> AbstractContextManager[ByteStream]:
        """Start a program, as `Place` says."""
        words = [str(files.get(word, word)) for word in command]
        return _Closed(ProgramStream(words, owner))
