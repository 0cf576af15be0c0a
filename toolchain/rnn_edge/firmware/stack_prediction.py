"""The most stack that the image of a model can use, known before it runs anywhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rnn_edge.errors import DeviceError, EngineError, EnvironmentFailureError
from rnn_edge.firmware.app_config import AppConfig
from rnn_edge.firmware.baremetal import placed, recipe
from rnn_edge.firmware.call_graph import FLAG, SUFFIX, read_call_graph
from rnn_edge.firmware.elf_functions import functions_of
from rnn_edge.firmware.program import (
    Recipe,
    compile_error,
    plan_of,
    serving,
    write_contents,
)
from rnn_edge.firmware.scratch import scratch_folder
from rnn_edge.firmware.stack_bound import StackBound, stack_bound
from rnn_edge.firmware.toolchain import ZIG_COMMAND
from rnn_edge.programs import call
from rnn_edge.spec import DeviceSpec
from rnn_edge.types import QuantizedModel

NOT_PREDICTED = "not predicted: zig does not write down who calls whom"
_KEPT = ".stack.json"


def predicted_stack(
    device: DeviceSpec,
    model: QuantizedModel,
    sources: Sequence[Path],
    image: Path,
    service: Sequence[str],
    app: AppConfig | None = None,
) -> StackBound | str:
    """Return what an image may use of the stack at most, or why that is not known.

    The compiler is called once more, for its call graph; what comes of it is kept beside the
    image.

    Args:
        device: What the image is for.
        model: The model that was exported.
        sources: The exported C, headers too.
        image: What was built of them.
        service: What serves the model.
        app: What the application does, as for the image.

    Raises:
        EngineError: If there is no bound, or the analysis does not know a call of the image.
        EnvironmentFailureError: If a file cannot be written, or the compiler does not run.
    """
    how = serving(recipe(device), model, service, app)
    if how.compiler == ZIG_COMMAND:
        return NOT_PREDICTED
    kept = image.with_suffix(_KEPT)
    try:
        if kept.is_file():
            return StackBound(**json.loads(kept.read_text()))
        plan = plan_of(how, model.name, sources, image.parent)
        with scratch_folder(image.parent) as folder:
            code = write_contents(plan.contents, folder)
            command = [*how.compiler, *how.flags, "-I.", "-c", FLAG, *code]
            done = call(command, folder, how.variables)
            if done.returncode != 0:
                raise compile_error(how, done)
            graphs = sorted(folder.glob(f"*{SUFFIX}"))
            bound = _bound(device, graphs, folder, image)
            written = folder / kept.name
            written.write_text(json.dumps(asdict(bound)) + "\n")
            written.replace(kept)
    except (ValueError, TypeError) as error:
        raise EngineError(
            f"File {kept} is damaged; expected a bound of the stack.", f"rm {kept}"
        ) from error
    except OSError as error:
        raise EnvironmentFailureError(f"File {kept} cannot be written: {error}.") from error
    return bound


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
        EngineError: As for `predicted_stack`.
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
