"""Another processor, imitated by QEMU: exact results and counted instructions, and no times.

Source: QEMU User space emulator, "Debug options"; with one instruction to a block of translated
code, the log of blocks that were run has a line for every instruction.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from rnn_edge.errors import EngineError, EnvironmentFailureError
from rnn_edge.firmware.linux import LinuxTarget
from rnn_edge.links.base import ByteStream
from rnn_edge.profiling.places import Machine, ThisMachine
from rnn_edge.programs import call, program

COUNTED_STEPS = (1, 3)
"""What two runs differ by is what the steps between them cost; all else is in both."""
COUNT_TIMEOUT_S = 300.0
_SINGLE = ("-one-insn-per-tb", "-singlestep")
"""The option's name in newer and in older versions."""
_LINE = b"Trace "
_CHUNK_BYTES = 1 << 20


class EmulatedMachine(ThisMachine):
    """A machine whose processor QEMU imitates.

    Args:
        target: What programs are compiled for.

    Raises:
        MissingDependencyError: If the emulator is not installed.
    """

    def __init__(self, target: LinuxTarget) -> None:
        self._target = target
        self._emulator = program(target.emulator, f"programs for {target.title}")
        self.name = f"emulated {target.name}"

    def machine(self) -> Machine:
        """Return what is imitated."""
        said = call([self._emulator, "--version"], Path.cwd()).stdout.partition("\n")[0]
        return Machine(self._target.name, said, processor=f"{self._target.processor}, emulated")

    def start(
        self, files: Mapping[str, Path], command: Sequence[str], owner: str
    ) -> AbstractContextManager[ByteStream]:
        """Start a program in the emulator, as `Place` says."""
        return super().start(
            files, [self._emulator, "-cpu", self._target.processor, *command], owner
        )


def instructions_per_step(emulator: str, processor: str, binary: Path) -> int:
    """Return how many instructions a step of the model takes.

    Args:
        emulator: Name of the program that runs the binary.
        processor: Which the emulator imitates.
        binary: What `build_for_target` returned for this processor.

    Raises:
        MissingDependencyError: If the emulator is not installed.
        EngineError: If the program fails in it.
        EnvironmentFailureError: If it does not end.
    """
    path = program(emulator, "counting instructions")
    known = call([path, "-h"], Path.cwd()).stdout
    single = next((option for option in _SINGLE if f"{option} " in known), _SINGLE[0])
    counts = []
    with tempfile.TemporaryDirectory(prefix="rnn-edge-") as folder:
        for steps in COUNTED_STEPS:
            log = Path(folder) / f"{steps}"
            command = [path, "-cpu", processor, single, "-d", "exec,nochain", "-D", str(log)]
            _run([*command, str(binary), "--count", str(steps)])
            counts.append(_lines(log))
    taken = counts[1] - counts[0]
    if taken <= 0:
        raise EngineError(f"{emulator} logs no instructions; expected a line for each.")
    return round(taken / (COUNTED_STEPS[1] - COUNTED_STEPS[0]))


def _run(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=COUNT_TIMEOUT_S, check=False, text=True
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentFailureError(f"{command[0]} does not run: {error}.") from error
    if done.returncode != 0:
        raise EngineError(
            f"{command[0]} ended with exit code {done.returncode}: {done.stderr.strip()[-200:]}."
        )


def _lines(log: Path) -> int:
    count, rest = 0, b""
    with log.open("rb") as file:
        while part := file.read(_CHUNK_BYTES):
            lines = (rest + part).split(b"\n")
            rest = lines.pop()
            count += sum(line.startswith(_LINE) for line in lines)
    return count
