"""A bundle as firmware of a device whose programs are built by the tools of an ecosystem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnn_edge.errors import DeviceError
from rnn_edge.firmware.package_kinds import PackageKind, all_package_kinds
from rnn_edge.firmware.packages import PackageSource, project_files
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.device_app import app_config
from rnn_edge.pipeline.files import explained, read_json, write_json
from rnn_edge.pipeline.package import exported_code, firmware_headers
from rnn_edge.registry import known
from rnn_edge.spec import DeviceSpec

_LIST = "rnn_edge_project.json"
_FORMAT = "rnn-edge project 1"
_VERSION = "0.1.0"
"""Of the library inside; nobody sees it."""


@dataclass(frozen=True)
class DeviceProject:
    """What the tools of an ecosystem make firmware of.

    Attributes:
        kind: The ecosystem: one of `all_package_kinds`.
        folder: Of the project inside of the files; the library round it is two folders above.
        files: Content by place.
    """

    kind: str
    folder: str
    files: Mapping[str, bytes]


def ecosystem_of(device: DeviceSpec, template: str | None = None) -> PackageKind:
    """Return the ecosystem that builds the programs of a device.

    Args:
        device: The device.
        template: What builds them where it is not what the device's file names, e.g. because the
            user chose a runner that takes projects.

    Raises:
        DeviceError: If it is none.
    """
    kinds, name = all_package_kinds(), template or device.template
    if name not in kinds:
        raise DeviceError(
            f"Device {device.name}: no ecosystem builds its programs, its template is "
            f"{name or 'none'}; expected {known(list(kinds))}.",
            "rnn-edge devices show " + device.name,
        )
    return kinds[name]


def project_for(device: DeviceSpec, bundle: Bundle, template: str | None = None) -> DeviceProject:
    """Return the firmware of a bundle as a project; the same bundle gives the same bytes.

    Args:
        device: The device.
        bundle: A finished bundle with exported C.
        template: As for `ecosystem_of`.

    Raises:
        DeviceError: If no ecosystem builds programs of the device.
        RnnEdgeError: If the bundle has no C of this version, or its model's name is a header of
            the ecosystem.
    """
    kind, model = ecosystem_of(device, template), bundle.model()
    code = exported_code(bundle, model)
    frames = np.zeros((0, model.inputs), np.int16)
    outputs = np.zeros((0, model.outputs), np.int16)
    headers = firmware_headers(bundle, device.name)
    hears = app_config(bundle, device.name).samples is not None
    source = PackageSource(model, code, headers, frames, outputs, "", _VERSION, hears)
    return DeviceProject(kind.name, kind.device.project, project_files(kind, source, device))


def write_project(project: DeviceProject, out: Path) -> Path:
    """Write the files of a project that have changed, so that tools build only what has to be.

    What tools put beside them stays; files of an earlier project that this one does not have go.

    Args:
        project: The project.
        out: A folder for it, which this function alone writes projects to.

    Returns:
        The folder that the tools build.

    Raises:
        EnvironmentFailureError: If it cannot be written.
    """
    with explained(f"Writing project {out}"):
        for name in _written(out) - set(project.files):
            (out / name).unlink(missing_ok=True)
        # Named before they are written: what an interruption leaves behind goes the next time.
        out.mkdir(parents=True, exist_ok=True)
        write_json(out / _LIST, {"format": _FORMAT, "files": sorted(project.files)})
        for name, content in project.files.items():
            path = out / name
            if not path.is_file() or path.read_bytes() != content:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    return out / project.folder


def _written(out: Path) -> set[str]:
    """Return the places of the files that the last project wrote."""
    try:
        listed = read_json(out / _LIST)
        return set(listed["files"]) if listed["format"] == _FORMAT else set()
    except FileNotFoundError:
        return set()
