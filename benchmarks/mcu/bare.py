"""Instructions and bytes of a model on emulated microcontrollers, in images of nothing else."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from subject import NAME, STEPS, Subject, frames_header

from rnn_edge.firmware import baremetal
from rnn_edge.firmware.link_map import bytes_by_object
from rnn_edge.firmware.program import CONFIG, Recipe, config_header, contents_of, write_contents
from rnn_edge.firmware.stack_prediction import bound_of_objects
from rnn_edge.programs import call, program
from rnn_edge.spec import DeviceSpec

HERE = Path(__file__).parent
DEVICES = ("qemu-m0", "qemu-m3", "qemu-m4", "qemu-m7", "qemu-m33", "qemu-m55", "qemu-rv32")
SILENT = ("-display", "none", "-monitor", "none", "-serial", "null")
CONSOLE = ("-semihosting-config", "enable=on,target=native")
FIELDS = (
    "ticks",
    "advance_ticks",
    "together_ticks",
    "hash",
    "together_hash",
    "stack_bytes",
    "all_stack_bytes",
)
LIMIT_S = 120


@dataclass(frozen=True)
class Measured:
    """A model on a processor.

    Attributes:
        instructions: Of a step, the mean.
        advance_instructions: The same without the head.
        together_instructions: The same where all frames are there at once.
        is_exact: Whether outputs and state have the reference's bits, both ways.
        constants_bytes: Weights and what else the generated data holds.
        code_bytes: Kernels, API and tables, as far as the minimal image calls them.
        text_bytes: Of these, what is no table.
        image_bytes: Flash of the minimal image, all in all.
        variables_bytes: Its variables: state, scratch, frame and result.
        stack_bytes: Of the stack, as painted by steps.
        all_stack_bytes: Of the stack of the image that counts, as painted by all that it does.
        stack_bound: The most that it can take of the stack, by the compiler's call graph; None
            where the compiler writes none.
    """

    instructions: float
    advance_instructions: float
    together_instructions: float
    is_exact: bool
    constants_bytes: int
    code_bytes: int
    text_bytes: int
    image_bytes: int
    variables_bytes: int
    stack_bytes: int
    all_stack_bytes: int
    stack_bound: int | None

    @property
    def ram_bytes(self) -> int:
        return self.variables_bytes + self.stack_bytes


def measure(device: DeviceSpec, subject: Subject, level: str | None) -> Measured:
    """Compile the two images for a device and run the one that counts.

    Args:
        device: An emulated one.
        subject: The model.
        level: Optimization, e.g. "-O3", in place of the device's own.
    """
    assert device.emulator is not None
    assert device.memory is not None
    with tempfile.TemporaryDirectory() as place:
        _, path = _image(device, subject, "counted", level, Path(place))
        found = dict(zip(FIELDS, _run(device, path), strict=True))
        recipe = _recipe(device, subject, "counted", level)
        bound = bound_of_objects(device, recipe, Path(place), path)
    with tempfile.TemporaryDirectory() as place:
        text, path = _image(device, subject, "minimal", level, Path(place))
        image = baremetal.measured(device, path)
    parts = bytes_by_object(text, baremetal.FLASH_SECTIONS)
    around = {"minimal.o", f"{NAME}_data.o", f"startup_{device.build.startup}.o"}
    per_step = device.emulator.instructions_per_tick / STEPS
    return Measured(
        found["ticks"] * per_step,
        found["advance_ticks"] * per_step,
        found["together_ticks"] * per_step,
        found["hash"] == found["together_hash"] == subject.hashed,
        parts[f"{NAME}_data.o"],
        _sum(parts, around),
        _sum(bytes_by_object(text, (".text",)), around),
        image.flash_bytes,
        image.ram_bytes - device.memory.stack_bytes,
        found["stack_bytes"],
        found["all_stack_bytes"],
        None if isinstance(bound, str) else bound.total_bytes,
    )


def _sum(parts: Mapping[str, int], around: Collection[str]) -> int:
    return sum(count for name, count in parts.items() if name not in around)


def _recipe(device: DeviceSpec, subject: Subject, kind: str, level: str | None) -> Recipe:
    whole = baremetal.recipe(device)
    ticks = next(part for part in device.board.parts if part.startswith("ticks_"))
    names = ["memory.c", "platform.h", f"startup_{device.build.startup}.c", "image.ld"]
    names += ["freestanding/string.h"]
    templates = [f"{baremetal.TEMPLATE}/{name}" for name in names]
    templates += ["service/rnn_edge_served.h", "app/rnn_edge_board.h"]
    if kind == "counted":
        board = ("parts.h", "cortex_m.h", "semihosting.h", f"{ticks}.c", "end_semihosting.c")
        templates += [f"{baremetal.TEMPLATE}/board/{name}" for name in board]
    return replace(
        whole,
        templates=tuple(templates),
        flags=tuple(level if level and flag.startswith("-O") else flag for flag in whole.flags),
        generated={
            "memory.ld": whole.generated["memory.ld"],
            # No interrupt is enabled.
            "board/numbers.h": "",
            CONFIG: config_header(subject.model),
            "start.h": (HERE / "start.h").read_text(),
            f"{kind}.c": (HERE / f"{kind}.c").read_text(),
            "frames.h": frames_header(subject.frames),
        },
    )


def _image(
    device: DeviceSpec, subject: Subject, kind: str, level: str | None, folder: Path
) -> tuple[str, Path]:
    """Return the linker's map of an image, and the image."""
    recipe = _recipe(device, subject, kind, level)
    files = write_contents(contents_of(recipe, NAME, subject.sources), folder)
    linking = [flag for flag in recipe.flags if flag.startswith("-Wl,") or flag == "-static"]
    compiling = [flag for flag in recipe.flags if flag not in linking]
    objects = [f"{Path(file).stem}.o" for file in files]
    _succeed([*recipe.compiler, *compiling, "-I.", "-c", *files], folder, recipe.variables)
    end = [*recipe.libraries, "-Wl,-Map=image.map", "-o", "image.elf"]
    _succeed([*recipe.compiler, *recipe.flags, *objects, *end], folder, recipe.variables)
    return (folder / "image.map").read_text(), folder / "image.elf"


def _succeed(command: list[str], folder: Path, variables: Mapping[str, str]) -> None:
    done = call(command, folder, variables)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command[:3])} ... failed:\n{done.stderr}")


def _run(device: DeviceSpec, path: Path) -> list[int]:
    """Return the numbers that an image prints."""
    emulator = device.emulator
    assert emulator is not None
    command = [program(emulator.program, "counting instructions"), *emulator.arguments]
    command += [*SILENT, *CONSOLE, "-kernel", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    text = (done.stdout + done.stderr).strip()
    if done.returncode != 0 or len(text) != 8 * len(FIELDS):
        raise SystemExit(f"{device.name} ended with {done.returncode} and printed {text!r}")
    return [int(text[k : k + 8], 16) for k in range(0, len(text), 8)]
