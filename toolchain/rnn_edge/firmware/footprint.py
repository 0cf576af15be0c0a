"""What a model takes of a device's memory, measured in what its compiler makes of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rnn_edge.errors import EngineError, EnvironmentFailureError
from rnn_edge.extras import require
from rnn_edge.firmware import baremetal
from rnn_edge.firmware.app_config import AppConfig
from rnn_edge.firmware.elf_sections import allocated_bytes
from rnn_edge.firmware.host import FLAGS as HOST_FLAGS
from rnn_edge.firmware.link_map import bytes_by_object
from rnn_edge.firmware.objects import compile_objects
from rnn_edge.firmware.program import (
    LINK,
    Recipe,
    compilation,
    compile_error,
    contents_of,
    serving,
    version_of,
    write_contents,
)
from rnn_edge.firmware.stack_prediction import bound_of_objects
from rnn_edge.firmware.toolchain import ZIG_COMMAND, ZIG_VARIABLES, without_linking
from rnn_edge.programs import call, program
from rnn_edge.spec import BuildSection, DeviceSpec, MemorySection, find_device
from rnn_edge.types import QuantizedModel

STARTUPS = {"arm-none-eabi-gcc": "cortex_m", "riscv64-unknown-elf-gcc": "riscv"}
"""Compilers whose programs the template ``baremetal`` can begin."""
ROOM_BYTES = 1 << 25
"""Where a model is measured that may not fit."""
STAND_INS = {"cortex_m": "qemu-m4", "riscv": "qemu-rv32"}
"""Devices whose parts take the place of those that a board has none of here."""
VARIABLES = (".data", ".bss", ".noinit")
_LIBRARY_CODE = "memory.c"
"""Of the template; it is what a C library brings elsewhere, and counts as the model's code."""


@dataclass(frozen=True)
class Footprint:
    """Bytes of a model on a device, as compiled for it.

    Attributes:
        constants_bytes: Of the generated data: weights, biases, multipliers, names, and the
            tables of a front end in an image that makes its frames itself.
        code_bytes: Of the model's API, the kernels and what they call; with the padding.
        program_bytes: Of what stands around the model in an image: application, link, board and
            startup. 0 where the model was compiled by itself.
        variables_bytes: Of all variables of an image, without the stack. 0 as above.
        variables: The same by the file that they are in, without padding.
        stack_bytes: The most of the stack that the image can use, or why that is not known.
        is_linked: Whether a linker left out what is not called.
    """

    constants_bytes: int
    code_bytes: int
    program_bytes: int
    variables_bytes: int
    variables: Mapping[str, int]
    stack_bytes: int | str
    is_linked: bool

    @property
    def flash_bytes(self) -> int:
        """Of the whole image, as the linker placed it."""
        return self.constants_bytes + self.code_bytes + self.program_bytes


def footprint(
    device: DeviceSpec,
    model: QuantizedModel,
    sources: Sequence[Path],
    app: AppConfig | None = None,
) -> Footprint:
    """Compile a model for a device and measure it, whether it fits or not.

    A device without the table ``[board]`` is measured with the parts of an emulated one.

    Args:
        device: The device; its file has a table ``[build]``.
        model: The model that was exported.
        sources: The exported C, headers too.
        app: What the application does; None for one that decides nothing.

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
    recipe = serving(baremetal.recipe(roomy), model, LINK, app)
    linked = _linked(roomy, recipe, device.memory.stack_bytes, model, sources)
    return linked or _compiled(recipe, model, sources)


def standing_in(
    device: DeviceSpec, build: BuildSection, memory: MemorySection, **changes: int
) -> DeviceSpec:
    """Return a device with the template ``baremetal`` in a memory and with a build.

    Args:
        device: The device.
        build: How it is compiled; the start is the compiler's where it has none, and so are the
            parts of the board.
        memory: Where it is placed.
        **changes: Of the memory.
    """
    startup = build.startup or STARTUPS[build.compiler]
    return device.model_copy(
        update={
            "template": baremetal.TEMPLATE,
            "build": build.model_copy(update={"startup": startup}),
            "board": device.board or find_device(STAND_INS[startup]).board,
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
    roomy: DeviceSpec,
    recipe: Recipe,
    stack_bytes: int,
    model: QuantizedModel,
    sources: Sequence[Path],
) -> Footprint | None:
    """Return what an image is made of, or None if there is no room for it at all."""
    with _map_inputs(recipe, model, sources) as (folder, inputs, map_file):
        write_map = f"-Wl,-Map={map_file.name}" if map_file else "-Wl,--print-map"
        arguments = [*recipe.flags, *inputs, *recipe.libraries, write_map]
        done = call([*recipe.compiler, *arguments, "-o", "image.elf"], folder, recipe.variables)
        if done.returncode != 0:
            if baremetal.does_not_fit(roomy, model, done.stderr) is None:
                raise compile_error(recipe, done)
            return None
        image = baremetal.measured(roomy, folder / "image.elf")
        text = map_file.read_text() if map_file else done.stdout
        parts = bytes_by_object(text, baremetal.FLASH_SECTIONS)
        variables = bytes_by_object(text, VARIABLES)
        stack = bound_of_objects(roomy, recipe, folder, image.path)
    around = [Path(file) for file in recipe.templates if file.endswith(".c")]
    program_bytes = sum(
        parts.get(f"{file.stem}.o", 0) for file in around if file.name != _LIBRARY_CODE
    )
    constants = parts[f"{model.name}_data.o"] + parts.get(f"{model.name}_frontend.o", 0)
    return Footprint(
        constants_bytes=constants,
        code_bytes=image.flash_bytes - constants - program_bytes,
        program_bytes=program_bytes,
        variables_bytes=image.ram_bytes - stack_bytes,
        variables={name.removesuffix(".o"): count for name, count in variables.items() if count},
        stack_bytes=stack if isinstance(stack, str) else stack.total_bytes,
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
        variables={},
        stack_bytes="no image is linked",
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
        compiler=ZIG_COMMAND if is_zig else (program(build.compiler, purpose),),
        version=("--version",),
        flags=(*HOST_FLAGS, *build.flags),
        templates=(),
        variables=ZIG_VARIABLES if is_zig else {},
    )


@contextmanager
def _map_inputs(
    recipe: Recipe, model: QuantizedModel, sources: Sequence[Path]
) -> Iterator[tuple[Path, list[str], Path | None]]:
    """Prepare what is linked so that a map names every object after its file.

    zig does that of its own accord and prints the map; of the GNU compiler's objects only those
    that were asked for are called like their files.

    Yields:
        The compiler's folder, what is linked, and the file that the map is to be written to.
    """
    if recipe.compiler == ZIG_COMMAND:
        with _folder(recipe, model, sources) as (folder, contents):
            yield folder, ["-I.", *_code(contents)], None
    else:
        with _objects(recipe, model, sources) as (folder, objects):
            yield folder, objects, folder / "image.map"


@contextmanager
def _objects(
    recipe: Recipe, model: QuantizedModel, sources: Sequence[Path]
) -> Iterator[tuple[Path, list[str]]]:
    """Compile the files of a program one by one, in a folder of their own."""
    with _folder(recipe, model, sources) as (folder, contents):
        if recipe.compiler == ZIG_COMMAND:
            files = _code(contents)
            flags = without_linking(recipe.flags)
            # One at a time: zig makes a single object of several files.
            for file in files:
                result = f"{Path(file).stem}.o"
                command = [*recipe.compiler, *flags, "-I.", "-c", file, "-o", result]
                done = call(command, folder, recipe.variables)
                if done.returncode != 0:
                    raise compile_error(recipe, done)
            yield folder, [f"{Path(file).stem}.o" for file in files]
        else:
            how = compilation(recipe, version_of(recipe), contents)
            objects, failed = compile_objects(how, folder)
            if failed is not None:
                raise compile_error(recipe, failed)
            yield folder, objects


@contextmanager
def _folder(
    recipe: Recipe, model: QuantizedModel, sources: Sequence[Path]
) -> Iterator[tuple[Path, dict[str, bytes]]]:
    """Write the files of a program into a folder of their own; yield both."""
    contents = contents_of(recipe, model.name, sources)
    try:
        with tempfile.TemporaryDirectory(prefix="rnn-edge-") as place:
            folder = Path(place)
            write_contents(contents, folder)
            yield folder, contents
    except OSError as error:
        raise EnvironmentFailureError(
            f"Model {model.name} cannot be compiled: {error.strerror}."
        ) from error


def _code(contents: Mapping[str, bytes]) -> list[str]:
    return sorted(file for file in contents if file.endswith(".c"))
