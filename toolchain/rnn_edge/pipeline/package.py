"""A bundle as a package of an embedded ecosystem: its folder, and what its example expects."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.drift.resets import IntegerResets
from rnn_edge.errors import BundleError, RnnEdgeError
from rnn_edge.firmware.app_config import APP_CONFIG, app_config_header
from rnn_edge.firmware.linux_package import KIND as LINUX
from rnn_edge.firmware.linux_package import SUMMARY as LINUX_SUMMARY
from rnn_edge.firmware.linux_package import linux_package_files
from rnn_edge.firmware.package_kinds import PackageKind, all_package_kinds
from rnn_edge.firmware.packages import (
    FORMAT,
    MANIFEST,
    PackageSource,
    package_files,
    require_version,
)
from rnn_edge.firmware.program import CONFIG, config_header
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.device_app import app_config
from rnn_edge.pipeline.files import TEMPORARY, explained, read_json
from rnn_edge.pipeline.replay import open_stream
from rnn_edge.quantize import quantize_input
from rnn_edge.reference import IntegerReference
from rnn_edge.registry import known
from rnn_edge.types import Array, QuantizedModel
from rnn_edge.types.resets import ResetPolicy

EXPORTED = "exports/c/"
_CODE = (".c", ".h")
_PROGRAM = b"\x7fELF"
_SHOWN = 3


@dataclass(frozen=True)
class PackageRequest:
    """What to make of a bundle.

    Attributes:
        kind: One of `package_kinds`.
        out: The package's folder.
        frames: How many come with the example.
        version: Of the package, three numbers.
        data: Recordings for the frames; None for those of the build.
    """

    kind: str
    out: Path
    frames: int = 16
    version: str = "0.1.0"
    data: Path | None = None


@dataclass(frozen=True)
class Package:
    """A package that was written.

    Attributes:
        path: Its folder.
        facts: What its manifest says, with the digest of every other file.
    """

    path: Path
    facts: Mapping[str, Any]


def package_kinds() -> dict[str, str]:
    """Return what each kind of package is, in a line, by name."""
    kinds = {kind.name: kind.summary for kind in all_package_kinds().values()}
    return dict(sorted({**kinds, LINUX: LINUX_SUMMARY}.items()))


def package_bundle(bundle: Bundle, request: PackageRequest) -> Package:
    """Write a package; one that is already there, and unchanged since, is replaced.

    Args:
        bundle: A finished bundle with exported C.
        request: What to make.

    Raises:
        RnnEdgeError: If there is no such kind, the folder holds other files, the bundle has no
            C of this version, or there are no frames.
    """
    kind = None if request.kind == LINUX else _kind(request.kind)
    require_version(request.version)
    _refuse_foreign(request.out)
    model = bundle.model()
    code = exported_code(bundle, model)
    stream, _ = open_stream(bundle, request.data, None, request.frames)
    x = quantize_input(stream.frames[: request.frames], model.input_exponent)
    policy = bundle.spec().reset.resolved(model.task)
    y = expected_outputs(model, policy, x)
    name = Path(bundle.spec().replay.stream).stem
    headers = firmware_headers(bundle, request.kind)
    app = app_config(bundle, request.kind)
    hears = app.samples is not None
    source = PackageSource(model, code, headers, x, y, name, request.version, hears)
    files = linux_package_files(source, app) if kind is None else package_files(kind, source)
    _write(request.out, files)
    return Package(request.out, read_json(request.out / MANIFEST))


def _kind(name: str) -> PackageKind:
    if name not in (kinds := package_kinds()):
        raise RnnEdgeError(f"Unknown kind of package: {name!r}; known are {known(list(kinds))}.")
    return all_package_kinds()[name]


def expected_outputs(model: QuantizedModel, policy: ResetPolicy, x: Array) -> Array:
    """Return what a fresh stream under a reset policy gives: int16 (T, C).

    Args:
        model: The model.
        policy: When the stream forgets.
        x: int16 (T, D).
    """
    reference = IntegerReference(model)
    resets = IntegerResets(policy, 1, model.inputs, model.input_exponent)
    outputs = np.empty((len(x), model.outputs), np.int16)
    for t, frame in enumerate(x[:, None]):
        state = {name: value.copy() for name, value in reference.state.items()}
        resets.prepare(state, frame)
        reference.reset(state)
        outputs[t] = reference.step(frame)[0]
    return outputs


def firmware_headers(bundle: Bundle, device: str) -> dict[str, str]:
    """Return what firmware of a bundle is generated of, by file name.

    Args:
        bundle: A finished bundle.
        device: What the firmware says that it runs on.
    """
    return {
        CONFIG: config_header(bundle.model()),
        APP_CONFIG: app_config_header(app_config(bundle, device)),
    }


def exported_code(bundle: Bundle, model: QuantizedModel) -> dict[str, bytes]:
    """Return the exported C of a bundle by file name, after a look at its version."""
    bundle.file(f"{EXPORTED}{model.name}.h")
    listed = [name for name in bundle.manifest["files"] if name.startswith(EXPORTED)]
    if f"{EXPORTED}rnn_edge_reset.h" not in listed:
        raise BundleError(
            f"Bundle {bundle.path}: its C was exported by a version before reset policies; a "
            "package needs the functions of a stream.",
            f"rnn-edge build {bundle.path / 'spec.toml'} --out {bundle.path}",
        )
    with explained(f"Reading bundle {bundle.path}"):
        return {
            name.removeprefix(EXPORTED): (bundle.path / name).read_bytes()
            for name in listed
            if name.endswith(_CODE)
        }


def _refuse_foreign(out: Path) -> None:
    """Refuse a folder that holds anything but an earlier package as it was written.

    Raises:
        BundleError: Naming what is in the way.
    """
    with explained(f"Looking into folder {out}"):
        if not out.exists():
            return
        if not out.is_dir():
            raise BundleError(
                f"Package {out}: a file of this name is there; expected a new folder.",
                "choose a folder of its own with --out",
            )
        paths = [p for p in out.rglob("*") if p.is_symlink() or not p.is_dir()]
        found = {p.relative_to(out).as_posix(): p for p in paths}
        known = _written(out)
        if known:
            del found[MANIFEST]
        other = sorted(name for name, path in found.items() if known.get(name) != _digest(path))
    if other:
        more = f" and {len(other) - _SHOWN} more" if len(other) > _SHOWN else ""
        what = "files that were added or changed" if known else "other files"
        raise BundleError(
            f"Package {out}: the folder holds {what}: {', '.join(other[:_SHOWN])}{more}; expected "
            "no folder, an empty one or a package as it was written.",
            "choose a folder of its own with --out",
        )


def _written(out: Path) -> dict[str, str]:
    """Return the digests of the package that is in a folder, or nothing."""
    try:
        manifest = read_json(out / MANIFEST)
        return dict(manifest["files"]) if manifest["format"] == FORMAT else {}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _write(out: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder beside its place, and move it there."""
    place = out.resolve()
    with explained(f"Writing package {out}"):
        place.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=place.parent))
        try:
            new, old = work / "new", work / "old"
            for name, content in files.items():
                (new / name).parent.mkdir(parents=True, exist_ok=True)
                (new / name).write_bytes(content)
                if content[:4] == _PROGRAM and not name.endswith(".so"):
                    (new / name).chmod(0o755)
            if place.exists():
                place.replace(old)
            try:
                new.replace(place)
            except BaseException:
                # Interrupted too: what was there is not to go with the temporary folder.
                if old.exists() and not place.exists():
                    old.replace(place)
                raise
        finally:
            shutil.rmtree(work, ignore_errors=True)
