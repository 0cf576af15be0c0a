"""The most stack that the image of a model can use, known before it runs anywhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rnn_edge.errors import DeviceError, EngineError, EnvironmentFailureError
from rnn_edge.firmware.app_config import AppConfig
from rnn_edge.firmware.baremetal import Image, build_image, placed, recipe
from rnn_edge.firmware.call_graph import SUFFIX, read_call_graph
from rnn_edge.firmware.elf_functions import functions_of
from rnn_edge.firmware.program import LINK, Recipe
from rnn_edge.firmware.stack_bound import StackBound, stack_bound
from rnn_edge.firmware.toolchain import ZIG_COMMAND
from rnn_edge.spec import DeviceSpec
from rnn_edge.types import QuantizedModel

NOT_PREDICTED = "not predicted: zig does not write down who calls whom"
_KEPT = ".stack.json"


def image_with_bound(
    device: DeviceSpec,
    model: QuantizedModel,
    sources: Sequence[Path],
    work: Path,
    service: Sequence[str] = LINK,
    app: AppConfig | None = None,
) -> tuple[Image, StackBound | str]:
    """Return an image, compiled unless it was before, and what it may use of the stack at most.

    The bound comes of the call graph that the compiler draws, and is kept beside the image. It is
    a reason in words where it is not known.

    Args:
        device: What the image is for.
        model: The model that was exported.
        sources: The exported C, headers too.
        work: Where the image is kept.
        service: What serves the model.
        app: What the application does; None for one that decides nothing.

    Raises:
        EngineError: If there is no bound, or the analysis does not know a call of the image; and
            as for `build_image`.
        MissingDependencyError: If the compiler is not installed.
        ModelError: If the device's memory is too small, with the numbers.
        EnvironmentFailureError: If a file cannot be written, or the compiler does not run.
    """

    def bound(folder: Path, image: Path) -> bytes:
        found = _bound(device, sorted(folder.glob(f"*{SUFFIX}")), folder, image)
        return f"{json.dumps(asdict(found))}\n".encode()

    if recipe(device).compiler == ZIG_COMMAND:
        return build_image(device, model, sources, work, service, app), NOT_PREDICTED
    image = build_image(device, model, sources, work, service, app, {_KEPT: bound})
    kept = image.path.with_suffix(_KEPT)
    try:
        return image, StackBound(**json.loads(kept.read_text()))
    except (ValueError, TypeError) as error:
        raise EngineError(
            f"File {kept} is damaged; expected a bound of the stack.", f"rm {kept}"
        ) from error
    except OSError as error:
        raise EnvironmentFailureError(f"File {kept} cannot be read: {error}.") from error


def bound_of_objects(
    device: DeviceSpec, how: Recipe, folder: Path, image: Path
) -> StackBound | str:
    """Return what an image may use of the stack at most, or why that is not known.

    Args:
        device: What the image is for.
        how: How it was compiled.
        folder: Where its sources are, and beside them the call graphs of the compiler.
        image: What was linked.

    Raises:
        EngineError: As for `image_with_bound`.
        OSError: If a file cannot be read.
    """
    if how.compiler == ZIG_COMMAND:
        return NOT_PREDICTED
    return _bound(device, sorted(folder.glob(f"*{SUFFIX}")), folder, image)


def _bound(device: DeviceSpec, graphs: Sequence[Path], folder: Path, image: Path) -> StackBound:
    _, build = placed(device)
    texts = {str(path): path.read_text() for path in sorted(folder.rglob("*.[ch]"))}
    count = sum(name.endswith(".c") for name in texts)
    if len(graphs) != count:
        raise EngineError(
            f"Compiler {build.compiler} wrote {len(graphs)} call graphs of {count} files; "
            "expected one of each."
        )
    graph = read_call_graph(path.read_text() for path in graphs)
    return stack_bound(graph, functions_of(image), texts, build)


def require_stack(device: DeviceSpec, bound: StackBound | str) -> None:
    """Refuse a device that keeps less for the stack than an image may use.

    Raises:
        DeviceError: With both numbers.
    """
    memory, _ = placed(device)
    if not isinstance(bound, str) and bound.total_bytes > memory.stack_bytes:
        raise DeviceError(
            f"The image may use {bound.total_bytes:,} bytes of the stack; {device.name} keeps "
            f"{memory.stack_bytes:,}.",
            f"set stack_bytes = {-(-bound.total_bytes // 512) * 512} in the device's file",
        )
