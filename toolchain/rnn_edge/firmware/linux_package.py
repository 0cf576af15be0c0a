"""The package for Linux: a model's library and its program, compiled for every kind of machine."""

from __future__ import annotations

import tempfile
from pathlib import Path

from rnn_edge.errors import EnvironmentFailureError
from rnn_edge.firmware.app_config import AppConfig
from rnn_edge.firmware.linux import (
    LIBRARY_TARGETS,
    LinuxTarget,
    build_binary,
    build_shared_library,
    library_name,
)
from rnn_edge.firmware.packages import (
    EXAMPLE,
    MANIFEST,
    PackageSource,
    filled,
    frames_source,
    manifest,
    model_header,
    require_version,
    shape_text,
)
from rnn_edge.firmware.toolchain import ZIG_COMMAND, described, zig
from rnn_edge.resources import data_folder
from rnn_edge.types.names import require_model_name

KIND = "linux"
SUMMARY = "shared library and static program for Linux on 64- and 32-bit Arm and x86"
_README = Path("linux/package/README.md")
_MAIN = Path("linux/package/example/main.c")


def linux_package_files(source: PackageSource, app: AppConfig) -> dict[str, bytes]:
    """Return every file of a package by its place in it; the same source gives the same bytes.

    Args:
        source: What of.
        app: What the program's application does.

    Raises:
        MissingDependencyError: If zig is not installed.
        EngineError: If the C does not compile.
        RnnEdgeError: If the version is none.
        EnvironmentFailureError: If a template is missing, a file cannot be written, or zig does
            not run.
    """
    model = source.model
    require_version(source.version)
    require_model_name(model.name)
    files = {f"include/{n}": code for n, code in source.code.items() if n.endswith(".h")}
    try:
        with tempfile.TemporaryDirectory(prefix="rnn-edge-") as place:
            folder = Path(place)
            paths = [folder / name for name in source.code]
            for path in paths:
                path.write_bytes(source.code[path.name])
            for target in LIBRARY_TARGETS:
                library = build_shared_library(target, model, paths, folder / "work")
                program = build_binary(target, model, paths, folder / "work", app)
                files[f"{target.name}/{library_name(model)}"] = library.read_bytes()
                files[f"{target.name}/{model.name}-link"] = program.read_bytes()
        templates = data_folder("firmware_templates")
        for path in (*sorted((templates / EXAMPLE).iterdir()), templates / _MAIN):
            files[f"example/{path.name}"] = path.read_bytes()
        files["LICENSE"] = (templates / "LICENSE").read_bytes()
        readme = (templates / _README).read_bytes()
    except OSError as error:
        raise EnvironmentFailureError(f"Package for Linux cannot be made: {error}.") from error
    files["example/rnn_edge_example_model.h"] = model_header(source).encode()
    files["example/rnn_edge_example_frames.c"] = frames_source(source).encode()
    files["README.md"] = filled(readme, _values(source), templates / _README)
    files[MANIFEST] = manifest(KIND, source, files)
    return dict(sorted(files.items()))


def _values(source: PackageSource) -> dict[str, str]:
    return {
        "name": source.model.name,
        "digest": source.model.digest(),
        "shape": shape_text(source.model),
        "version": source.version,
        "frames": str(len(source.x)),
        "stream": source.stream,
        "toolchain": described(ZIG_COMMAND, zig().version),
        "machines": "\n".join(_machine(target) for target in LIBRARY_TARGETS),
    }


def _machine(target: LinuxTarget) -> str:
    return f"| `{target.name}` | {target.title} |"
