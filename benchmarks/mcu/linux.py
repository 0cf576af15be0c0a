"""Instructions of a model under Linux on other processors, by a profile of QEMU's user mode."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from subject import NAME, STEPS, Subject, frames_header

from rnn_edge.firmware.linux import FLAGS, TARGETS, LinuxTarget, zig_recipe
from rnn_edge.firmware.program import build
from rnn_edge.programs import program

HERE = Path(__file__).parent
FEW = 4


def measure(target: LinuxTarget, subject: Subject, work: Path) -> tuple[float, bool]:
    """Return the instructions of a step, the mean, and whether its bits are the reference's.

    Args:
        target: One of `TARGETS`.
        subject: The model.
        work: Keeps the program.
    """
    recipe = zig_recipe(target.name, (*FLAGS, *target.flags), ())
    generated = {
        "counted_linux.c": (HERE / "counted_linux.c").read_text(),
        "frames.h": frames_header(subject.frames),
    }
    recipe = type(recipe)(**{**vars(recipe), "generated": {**recipe.generated, **generated}})
    binary = build(recipe, NAME, subject.sources, work)
    few, _ = _count(target, binary, FEW)
    all_of_them, hashed = _count(target, binary, STEPS)
    return (all_of_them - few) / (STEPS - FEW), hashed == subject.hashed


def _count(target: LinuxTarget, binary: Path, steps: int) -> tuple[int, int]:
    """Return the instructions of a whole run: each is a block of its own, and each is logged."""
    emulator = program(target.emulator, "counting instructions")
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        flags = ["-cpu", target.processor, "-singlestep", "-d", "exec,nochain", "-D", str(log)]
        done = subprocess.run(
            [emulator, *flags, str(binary), str(steps)], capture_output=True, text=True, check=True
        )
        with log.open("rb") as lines:
            count = sum(line.startswith(b"Trace") for line in lines)
    return count, int(done.stdout, 16)


__all__ = ["TARGETS", "measure"]
