"""What is in a package: exported C, the templates of its kind, frames with their outputs, firmware.

C is copied or holds numbers; only text files of a kind are filled in, and every placeholder has to
be known.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rnn_edge import __version__
from rnn_edge.errors import EnvironmentFailureError, ModelError, RnnEdgeError
from rnn_edge.firmware.package_kinds import PackageKind
from rnn_edge.firmware.program import CONFIG, LINK, SAMPLES
from rnn_edge.resources import data_folder
from rnn_edge.spec import DeviceSpec
from rnn_edge.types import Array, QuantizedModel
from rnn_edge.types.names import require_model_name

FORMAT = "rnn-edge package 1"
MANIFEST = "rnn_edge_package.json"
README = "README.md"
EXAMPLE = "example"
"""Folder of the templates with the C that the examples of all kinds share."""

ECOSYSTEMS = "device"
"""Folder of the templates with the C that the firmware of all kinds shares, beside `LINK`."""

MAX_VERSION = 20
"""Characters of a version: as many as PlatformIO takes."""

_CODE = frozenset({".c", ".h", ".cpp", ".ino"})
_PLACEHOLDER = re.compile(r"@(\w+)@")
_LINE = 96


@dataclass(frozen=True, eq=False)
class PackageSource:
    """What a package is made of.

    Attributes:
        model: The exported model.
        code: The exported C by file name.
        headers: What the firmware knows the model and the application by, by file name.
        x: int16 (T, D), the frames of the example.
        y: int16 (T, C), what the integer reference gives for them on a fresh stream.
        stream: Name of the stream that the frames are the first of.
        version: Of the package, three numbers.
        hears: Whether the firmware makes its frames of raw samples.
    """

    model: QuantizedModel
    code: Mapping[str, bytes]
    headers: Mapping[str, str]
    x: Array
    y: Array
    stream: str
    version: str
    hears: bool = False


def require_version(version: str) -> None:
    """Refuse what is no version in every ecosystem.

    Raises:
        RnnEdgeError: If it is not three numbers with dots between them.
    """
    number = r"(0|[1-9][0-9]*)"
    if len(version) > MAX_VERSION or not re.fullmatch(rf"{number}\.{number}\.{number}", version):
        raise RnnEdgeError(
            f"Package version: {version!r}; expected three numbers such as 1.0.2, at most "
            f"{MAX_VERSION} characters."
        )


def package_files(kind: PackageKind, source: PackageSource) -> dict[str, bytes]:
    """Return every file of a package by its place in it; the same source gives the same bytes.

    Args:
        kind: What is made.
        source: What of.

    Raises:
        ModelError: If the model's name is that of a header of the ecosystem.
        RnnEdgeError: If the version is none.
        EnvironmentFailureError: If templates are missing or have a placeholder nobody knows.
    """
    _require_fitting(kind, source)
    values = _values(kind, source)
    files = _shared(kind, source)
    for path in sorted((data_folder("firmware_templates") / EXAMPLE).iterdir()):
        files[f"{kind.selftest.sources}/{path.name}"] = _read(path)
    files[f"{kind.selftest.sources}/rnn_edge_example_model.h"] = model_header(source).encode()
    files[f"{kind.selftest.sources}/rnn_edge_example_frames.c"] = frames_source(source).encode()
    for name, path in kind.templates().items():
        files[name] = _own(path, values)
    files[MANIFEST] = manifest(kind.name, source, files)
    return dict(sorted(files.items()))


def project_files(kind: PackageKind, source: PackageSource, device: DeviceSpec) -> dict[str, bytes]:
    """Return the firmware of a device for its ecosystem's tools: a package with that example only.

    Args:
        kind: The ecosystem's.
        source: What of; its frames are not needed.
        device: What for.

    Returns:
        Every file by its place, the project itself in the folder ``kind.device.project``; the same
        source gives the same bytes.

    Raises:
        ModelError: If the model's name is that of a header of the ecosystem.
        EnvironmentFailureError: If templates are missing or have a placeholder nobody knows.
    """
    _require_fitting(kind, source)
    values = {**_values(kind, source), **_device_values(device)}
    files = _shared(kind, source)
    for name, path in kind.templates().items():
        if name != README and not name.startswith(f"{kind.selftest.project}/"):
            files[name] = _own(path, values)
    return dict(sorted(files.items()))


def _require_fitting(kind: PackageKind, source: PackageSource) -> None:
    name = source.model.name
    require_version(source.version)
    require_model_name(name)
    if name.lower() in kind.taken:
        raise ModelError(
            f'Model name "{name}" is taken in packages for {kind.name}: '
            f"{name.lower()}.h is a header there; expected another name.",
            "build it with another model.name",
        )


def _shared(kind: PackageKind, source: PackageSource) -> dict[str, bytes]:
    """Return the model's C, the licence, and the C that the firmware of all kinds shares."""
    templates, place = data_folder("firmware_templates"), kind.device.sources
    files = {f"{kind.sources}/{name}": code for name, code in source.code.items()}
    files["LICENSE"] = _read(templates / "LICENSE")
    shared = (*LINK, *SAMPLES) if source.hears else LINK
    for file in (*(templates / name for name in shared), *(templates / ECOSYSTEMS).iterdir()):
        files[f"{place}/{file.name}"] = _read(file)
    settings = "".join(f"#define {name} {value}\n" for name, value in kind.settings.items())
    for name, text in source.headers.items():
        is_config = name == CONFIG and settings
        files[f"{place}/{name}"] = (_with_settings(text, settings) if is_config else text).encode()
    return files


def _with_settings(text: str, settings: str) -> str:
    """Return a header with macros behind its guard."""
    guard = re.search(r"^#ifndef (\w+)\n#define \1\n", text, re.MULTILINE)
    assert guard is not None
    return text[: guard.end()] + settings + text[guard.end() :]


def _own(path: Path, values: Mapping[str, str]) -> bytes:
    content = _read(path)
    return content if path.suffix in _CODE else filled(content, values, path)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise EnvironmentFailureError(
            f"Template {path} cannot be read: {error.strerror}.", "install rnn-edge again"
        ) from error


def filled(content: bytes, values: Mapping[str, str], path: Path) -> bytes:
    """Return a text with its placeholders filled in.

    Raises:
        EnvironmentFailureError: If one of them has no value.
    """
    text = content.decode()
    unknown = sorted(set(_PLACEHOLDER.findall(text)) - set(values))
    if unknown:
        raise EnvironmentFailureError(
            f"Template {path} has the placeholders {', '.join(unknown)}; expected of "
            f"{', '.join(values)}.",
            "install rnn-edge again",
        )
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text).encode()


def _values(kind: PackageKind, source: PackageSource) -> dict[str, str]:
    model, digest = source.model, source.model.digest()
    shape = shape_text(model)
    compilers = dict.fromkeys(item.compiler for item in kind.compiled)
    processors = ", ".join(item.name for item in kind.compiled)
    return {
        "name": model.name,
        "upper": model.name.upper(),
        "version": source.version,
        "digest": digest,
        "generator": f"rnn-edge {__version__}",
        "shape": shape,
        "frames": str(len(source.x)),
        **_flash_values(2 * _MEGABYTE),
        "about": (
            f"The streaming model `{model.name}` in integers: {shape}. Made by rnn-edge "
            f"{__version__} from model\n`{digest}`.\n\n"
            "One int16 frame in, one int16 result out, the state carried from step to step; plain "
            "C11 that\nallocates nothing. The C is under the Apache License 2.0 (`LICENSE`); under "
            "what licence its trained\nnumbers may be passed on is for whoever trained them to say."
        ),
        "verified": (
            "Verified so far: the tests of rnn-edge compile the C, the example's comparison and "
            f"the\nfirmware of such a package for {processors}\n({', '.join(compilers)}) without a "
            "warning, and run the\ncomparison and the firmware on a host, the latter with "
            "stand-ins of what it calls."
        ),
    }


_MEGABYTE = 1 << 20
_ESPRESSIF_BOOT = 0x10000
"""Bytes of the flash that programs of Espressif's chips never have."""
_ESPRESSIF_PROGRAM = 0x20000
"""Where the partition table of the firmware lets a program begin."""


def _flash_values(flash_bytes: int) -> dict[str, str]:
    """Return the partition of a program in a flash of a size, and the size."""
    return {
        "program_bytes": f"{flash_bytes - _ESPRESSIF_PROGRAM:#x}",
        "flash_megabytes": str(flash_bytes // _MEGABYTE),
    }


def _device_values(device: DeviceSpec) -> dict[str, str]:
    return _flash_values((device.flash_bytes or 0) + _ESPRESSIF_BOOT)


def shape_text(model: QuantizedModel) -> str:
    """Return inputs, layers and outputs of a model in a line."""
    layers = ", ".join(f"{layer.kind.upper()}({layer.hidden})" for layer in model.layers)
    return f"{model.inputs} inputs, {layers}, {model.outputs} outputs"


def _banner(source: PackageSource, what: str) -> str:
    return (
        f"/*\n * {what}\n *\n"
        f" * Generated by rnn-edge {__version__} (command: rnn-edge package) from model\n"
        f" * {source.model.digest()}. Do not edit.\n */\n"
    )


def model_header(source: PackageSource) -> str:
    """Return the header that gives a model the names that the example has for any."""
    name, upper = source.model.name, source.model.name.upper()
    return (
        f"{_banner(source, f'{name} under the names that the example has for any model.')}"
        f"#ifndef RNN_EDGE_EXAMPLE_MODEL_H\n#define RNN_EDGE_EXAMPLE_MODEL_H\n\n"
        f'#include "{name}.h"\n\n'
        f'#define EXAMPLE_NAME "{name}"\n'
        f"#define EXAMPLE_STREAM {name}_stream\n"
        f"#define EXAMPLE_INIT {name}_stream_init\n"
        f"#define EXAMPLE_STEP (void){name}_stream_step\n"
        f"#define EXAMPLE_INPUTS {upper}_INPUTS\n"
        f"#define EXAMPLE_OUTPUTS {upper}_OUTPUTS\n"
        f"#define EXAMPLE_FRAMES {len(source.x)}\n\n"
        f'#ifdef __cplusplus\nextern "C" {{\n#endif\n\n'
        f"extern const int16_t rnn_edge_example_x[EXAMPLE_FRAMES][EXAMPLE_INPUTS];\n"
        f"extern const int16_t rnn_edge_example_y[EXAMPLE_FRAMES][EXAMPLE_OUTPUTS];\n\n"
        f"#ifdef __cplusplus\n}}\n#endif\n\n#endif\n"
    )


def frames_source(source: PackageSource) -> str:
    """Return the C of the example's frames and their outputs."""
    model = source.model
    return (
        f"{_banner(source, f'Frames of {model.name} and their outputs.')}"
        f'#include "rnn_edge_example_model.h"\n\n'
        f"/* [{len(source.x)}][{model.inputs}], int16, scale 2^{model.input_exponent}: the first "
        f"of the replay stream */\n"
        f"const int16_t rnn_edge_example_x[EXAMPLE_FRAMES][EXAMPLE_INPUTS] = {{\n"
        f"{_rows(source.x)}}};\n\n"
        f"/* [{len(source.y)}][{model.outputs}], int16, scale 2^{model.output_exponent}: what the "
        f"integer reference\n * gives on a fresh stream */\n"
        f"const int16_t rnn_edge_example_y[EXAMPLE_FRAMES][EXAMPLE_OUTPUTS] = {{\n"
        f"{_rows(source.y)}}};\n"
    )


def _rows(values: Array) -> str:
    """Return the initialisers of int16 (T, N), a frame each."""
    text = ""
    for row in values.tolist():
        lines, line = [], ""
        for value in row:
            piece = f"{value}, "
            if len(line) + len(piece) > _LINE - 6:
                lines.append(line.rstrip())
                line = ""
            line += piece
        lines.append(line.rstrip(", "))
        text += "    {" + "\n     ".join(lines) + "},\n"
    return text


def manifest(kind: str, source: PackageSource, files: Mapping[str, bytes]) -> bytes:
    """Return what a package says of itself, with the digest of every other file."""
    facts = {
        "format": FORMAT,
        "kind": kind,
        "name": source.model.name,
        "version": source.version,
        "rnn_edge": __version__,
        "model_digest": source.model.digest(),
        "licence": "Apache-2.0",
        "frames": len(source.x),
        "stream": source.stream,
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    return (json.dumps(facts, indent=1, sort_keys=True) + "\n").encode()
