"""What models need of devices, kept by all that it depends on: measuring one takes seconds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rnn_edge import __version__
from rnn_edge.cache import cache_folder
from rnn_edge.errors import MissingDependencyError
from rnn_edge.firmware.app_config import AppConfig
from rnn_edge.firmware.toolchain import ZIG_COMMAND, described, toolchain_for, zig
from rnn_edge.pipeline.device_needs import Need, need_of
from rnn_edge.pipeline.files import explained, file_digest, write_json
from rnn_edge.programs import program
from rnn_edge.resources import data_folder
from rnn_edge.spec import BuildSection, DeviceSpec
from rnn_edge.types import QuantizedModel
from rnn_edge.types.c_choices import DEFAULT, CChoices

FOLDER = "needs-2"
"""Of the cache; another number where `Need` or how it is measured changes."""
_BARE = ("arm-none-eabi-gcc", "riscv64-unknown-elf-gcc")


def kept_need(
    device: DeviceSpec,
    model: QuantizedModel,
    sources: Sequence[Path],
    *,
    is_resetting: bool,
    app: AppConfig,
    choices: CChoices = DEFAULT,
) -> Need:
    """Return what `need_of` does, measured now or before with the same files and compiler.

    Args:
        device: The device.
        model: The model that was exported.
        sources: The exported C, headers too.
        is_resetting: Whether streams are under a reset policy.
        app: What the application does.
        choices: How the model was exported.

    Raises:
        EngineError: If the export is not there or does not compile.
        EnvironmentFailureError: If the compiler does not run, or the cache cannot be written.
    """
    compiler = _compiler(device.build)
    if compiler is None or not all(path.is_file() for path in sources):
        return need_of(device, model, sources, is_resetting=is_resetting, app=app, choices=choices)
    parts = (
        __version__,
        compiler,
        device.model_dump_json(),
        repr(app),
        model.digest(),
        is_resetting,
        [(path.name, file_digest(path)) for path in sources],
        _templates(),
    )
    key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
    kept = cache_folder() / FOLDER / f"{model.name}-{device.name}-{key}.json"
    try:
        return Need(**json.loads(kept.read_text()))
    except (OSError, ValueError, TypeError):
        # What is not there, or cannot be read, is measured.
        need = need_of(device, model, sources, is_resetting=is_resetting, app=app, choices=choices)
    with explained(f"Writing {kept}"):
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_json(kept, asdict(need))
    return need


def _compiler(build: BuildSection | None) -> str | None:
    """Return name and version of what would compile, or None where there is nothing."""
    try:
        if build is None:
            return None
        if build.compiler in _BARE:
            toolchain = toolchain_for(build.compiler, "the size of a model")
            return described(toolchain.compiler, toolchain.version)
        if build.compiler == "zig":
            return described(ZIG_COMMAND, zig().version)
        return described((program(build.compiler, "the size of a model"),), ("--version",))
    except MissingDependencyError:
        return None


def _templates() -> list[tuple[str, str]]:
    folder = data_folder("firmware_templates")
    return [
        (path.relative_to(folder).as_posix(), file_digest(path))
        for path in sorted(folder.rglob("*.*"))
        if path.suffix in (".c", ".h", ".ld")
    ]
