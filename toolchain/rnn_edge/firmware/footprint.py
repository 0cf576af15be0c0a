"""What a model takes of a device's memory, measured in what its compiler makes of it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rnn_edge.errors import EngineError, EnvironmentFailureError
from rnn_edge.extras import require
from rnn_edge.firmware import baremetal, linux
from rnn_edge.firmware.elf_sections import allocated_bytes
from rnn_edge.firmware.host import FLAGS as HOST_FLAGS
from rnn_edge.firmware.link_map import bytes_by_object
from rnn_edge.firmware.program import (
    Recipe,
    compile_error,
    contents_of,
    serving,
    write_contents,
)
from rnn_edge.firmware.tools import call, program
from rnn_edge.spec import BuildSection, DeviceSpec, MemorySection
from rnn_edge.types import QuantizedModel

STARTUPS = {"arm-none-eabi-gcc": "cortex_m", "riscv64-unknown-elf-gcc": "riscv"}
"""Compilers whose programs the template ``baremetal`` can begin."""
ROOM_BYTES = 1 << 25
"""Where a model is measured that may not fit."""
_LIBRARY_CODE = "memory.c"
"""Of the template; it is what a C library brings elsewhere, and counts as the model's code."""


@dataclass(frozen=True)
class Footprint:
    """Bytes of a model on a device, as compiled for it.

    Attributes:
        constants_bytes: Of the generated data: weights, biases, multipliers, names.
        code_bytes: Of the model's API, the kernels and what they call; with the padding.
        program_bytes: Of what stands around the model in an image: service and startup. 0 where
            the model was compiled by itself.
        variables_bytes: Of all variables of an image, without the stack. 0 as above.
        is_linked: Whether a linker left out what is not called.
    """

    constants_bytes: int
    code_bytes: int
    program_bytes: int
    variables_bytes: int
    is_linked: bool

    @property
    def flash_bytes(self) -> int:
        """Of the whole image, as the linker placed it."""
        return self.constants_bytes + self.code_bytes + self.program_bytes


def footprint(device: DeviceSpec, model: QuantizedModel, sources: Sequence[Path]) -> Footprint:
    """Compile a model for a device and measure it, whether it fits or not.

    Args:
        device: The device; its file has a table ``[build]``.
        model: The model that was exported.
        sources: The exported C, headers too.

    Raises:
        MissingDependencyError: If the compiler is not installed.
        EngineError: If the device has no compiler, or the export is not there or does not compile.
        EnvironmentFailureError: If the compiler does not run.
    """
    build = device.build
    if build is None:
        raise EngineError(f"Device {device.name} has no compiler in its file.")
    if build.compiler not in STARTUPS or device.memory is None:
        return _compiled(_recipe(device, build), model, sources)
    roomy = standing_in(device, build, device.memory, **_room(device.memory))
    linked = _linked(roomy, device.memory.stack_bytes, model, sources)
    return linked or _compiled(serving(baremetal.recipe(roomy), model), model, sources)


def standing_in(
    device: DeviceSpec, build: BuildSection, memory: MemorySection, **changes: int
) -> DeviceSpec:
    """Return a device with the template ``baremetal`` in a memory and with a build.

    Args:
        device: The device.
        build: How it is compiled; the start is the compiler's where it has none.
        memory: Where it is placed.
        **changes: Of the memory.
    """
    startup = build.startup or STARTUPS[build.compiler]
    return device.model_copy(
        update={
            "template": baremetal.TEMPLATE,
            "build": build.model_copy(update={"startup": startup}),
            "memory": memory.model_copy(update=changes),
        }
    )


def _room(memory: MemorySection) -> dict[str, int]:
    """Return sizes that nearly every model fits, behind the addresses of a memory.

    The addresses stay: some instructions are shorter for some of them.
    """
    flash, ram = memory.flash_origin, memory.ram_origin
    return {
        "flash_bytes": min(ROOM_BYTES, ram - flash) if ram > flash else ROOM_BYTES,
        "ram_bytes": min(ROOM_BYTES, flash - ram) if flash > ram else ROOM_BYTES,
    }


def _linked(
    roomy: DeviceSpec, stack_bytes: int, model: QuantizedModel, sources: Sequence[Path]
) -> Footprint | None:
    """Return what an image is made of, or None if there is no room for it at all."""
    recipe = serving(baremetal.recipe(roomy), model)
    with _objects(recipe, model, sources) as (folder, objects):
        arguments = [*recipe.flags, *objects, *recipe.libraries, "-Wl,-Map=image.map"]
        done = call([*recipe.compiler, *arguments, "-o", "image.elf"], folder)
        if done.returncode != 0:
            if baremetal.does_not_fit(roomy, model, done.stderr) is None:
                raise compile_error(recipe, done)
            return None
        image = baremetal.measured(roomy, folder / "image.elf")
        parts = bytes_by_object((folder / "image.map").read_text(), baremetal.FLASH_SECTIONS)
    around = [Path(file) for file in recipe.templates if file.endswith(".c")]
    program_bytes = sum(
        parts.get(f"{file.stem}.o", 0) for file in around if file.name != _LIBRARY_CODE
    )
    constants = parts[f"{model.name}_data.o"]
    return Footprint(
        constants_bytes=constants,
        code_bytes=image.flash_bytes - constants - program_bytes,
        program_bytes=program_bytes,
        variables_bytes=image.ram_bytes - stack_bytes,
        is_linked=True,
    )


def _compiled(recipe: Recipe, model: QuantizedModel, sources: Sequence[Path]) -> Footprint:
    """Return what the model's own files are compiled to, with every function that they have."""
    own = {f"{path.stem}.o" for path in sources}
    with _objects(recipe, model, sources) as (folder, objects):
        sizes = {name: allocated_bytes(folder / name) for name in objects if name in own}
    constants = sum(sizes.pop(f"{model.name}_data.o"))
    return Footprint(
        constants_bytes=constants,
        code_bytes=sum(sum(pair) for pair in sizes.values()),
        program_bytes=0,
        variables_bytes=0,
        is_linked=False,
    )


def _recipe(device: DeviceSpec, build: BuildSection) -> Recipe:
    """Return how the model's own files are compiled where an operating system runs them."""
    purpose = f"the size of a model on {device.name}"
    is_zig = build.compiler == "zig"
    if is_zig:
        require("ziglang", "cross", purpose)
    return Recipe(
        target=device.name,
        compiler=(sys.executable, "-m", "ziglang", "cc")
        if is_zig
        else (program(build.compiler, purpose),),
        version=("--version",),
        flags=(*HOST_FLAGS, *build.flags),
        templates=(),
        variables=linux.VARIABLES if is_zig else {},
    )


@contextmanager
def _objects(
    recipe: Recipe, model: QuantizedModel, sources: Sequence[Path]
) -> Iterator[tuple[Path, list[str]]]:
    """Compile the files of a program one by one, in a folder of their own."""
    contents = contents_of(recipe, model.name, sources)
    try:
        with tempfile.TemporaryDirectory(prefix="rnn-edge-") as place:
            folder = Path(place)
            objects = []
            for file in write_contents(contents, folder):
                objects.append(f"{Path(file).stem}.o")
                # One at a time: zig makes a single object of several files.
                done = call(
                    [*recipe.compiler, *recipe.flags, "-I.", "-c", file, "-o", objects[-1]],
                    folder,
                    recipe.variables,
                )
                if done.returncode != 0:
                    raise compile_error(recipe, done)
            yield folder, objects
    except OSError as error:
        raise EnvironmentFailureError(
            f"Model {model.name} cannot be compiled: {error.strerror}."
        ) from error
