"""The image of a bundle for a device: built once, kept beside the bundle, taken again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rnn_edge.cache import cache_folder
from rnn_edge.engines.base import EngineSource
from rnn_edge.engines.link_engine import exported_sources
from rnn_edge.errors import DeviceError, ModelError
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.firmware.app_config import AppConfig, app_config_header
from rnn_edge.firmware.device_program import device_plan, device_program
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.device_app import app_config, require_time, with_front_end
from rnn_edge.pipeline.device_gate import refuse_unfit
from rnn_edge.pipeline.device_needs import need_of
from rnn_edge.pipeline.device_project import project_for, write_project
from rnn_edge.pipeline.device_remedies import remedy_of
from rnn_edge.pipeline.files import explained, file_digest, read_json, write_json
from rnn_edge.pipeline.material import FRONT_END
from rnn_edge.spec import DeviceSpec
from rnn_edge.types import QuantizedModel

FOLDER = ".firmware"
"""Beside the files of a bundle; the manifest does not list it."""
_FORMAT = "rnn-edge image 3"


@dataclass(frozen=True)
class DeviceImage:
    """A program for a device.

    Attributes:
        path: The linked file.
        model: Name of its model.
        model_digest: Of the quantized model.
        application: Digest of what it does with the model: limits, log, front end.
        sha256: Of the file.
        flash_bytes: Code, constants and initial values; None under an operating system.
        ram_bytes: Variables and the place of the stack; None under an operating system.
        stack_bytes: The most of the stack that can ever be used; None where that is not known.
        toolchain: The compiler and its version.
        is_new: Whether it was built by this command.
    """

    path: Path
    model: str
    model_digest: str
    application: str
    sha256: str
    flash_bytes: int | None
    ram_bytes: int | None
    stack_bytes: int | None
    toolchain: str
    is_new: bool


def image_folder(bundle: Bundle) -> Path:
    """Return where images of a bundle are kept: beside its files, or in the cache of the user."""
    if os.access(bundle.path, os.W_OK):
        return bundle.path / FOLDER
    return cache_folder() / "firmware" / bundle.model().digest()[:16]


def build_command(bundle: Bundle, device: DeviceSpec) -> tuple[tuple[str, ...], Path, bool]:
    """Return the command that builds an image, where it goes, and whether it is there already.

    Raises:
        RnnEdgeError: If nothing is built for the device, or its compiler is not installed.
    """
    model = bundle.model()
    app = app_config(bundle, device.name)
    exported = exported_sources(_source(bundle, model))
    sources = with_front_end(exported, app, model.name, bundle.exports)
    plan = device_plan(device, model, sources, image_folder(bundle), app)
    return plan.command, plan.output, plan.output.is_file()


def build_device_image(bundle: Bundle, device: DeviceSpec) -> DeviceImage:
    """Compile the image of a bundle for a device, unless that was done before.

    Raises:
        MissingDependencyError: If the compiler is not installed.
        ModelError: If the device's memory is too small, with the numbers and what would fit.
        RnnEdgeError: If nothing is built for the device, or it cannot be written.
    """
    model, folder = bundle.model(), image_folder(bundle)
    exported = exported_sources(_source(bundle, model))
    app = app_config(bundle, device.name)
    sources = with_front_end(exported, app, model.name, bundle.exports)
    require_time(bundle, device)
    output = device_plan(device, model, sources, folder, app).output
    _drop_damaged(bundle, device, output)
    is_new = not output.is_file()
    try:
        made = device_program(device, model, sources, folder, app)
    except ModelError as error:
        raise _with_remedy(error, device, bundle, sources, app) from error
    found = DeviceImage(
        path=made.path,
        model=model.name,
        model_digest=model.digest(),
        application=_digest_of(app),
        sha256=file_digest(made.path),
        flash_bytes=made.flash_bytes,
        ram_bytes=made.ram_bytes,
        stack_bytes=made.stack_bytes,
        toolchain=made.toolchain,
        is_new=is_new,
    )
    record = {**asdict(found), "format": _FORMAT, "path": made.path.name}
    del record["is_new"]
    with explained(f"Writing the image of {model.name} for {device.name}"):
        write_json(_record_of(bundle, device), record)
    return found


def kept_device_image(bundle: Bundle, device: DeviceSpec) -> DeviceImage:
    """Return the image that was built last for a device.

    Raises:
        DeviceError: If there is none, it was changed, or it is of another model or other limits.
    """
    record_path, model = _record_of(bundle, device), bundle.model()
    what = f"Image of {model.name} for {device.name}"
    try:
        record = read_json(record_path)
        if record.pop("format") != _FORMAT:
            raise ValueError(record_path)
        found = DeviceImage(**{**record, "path": record_path.parent / record["path"]}, is_new=False)
        digest = file_digest(found.path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DeviceError(
            f"{what} is not there: {record_path.parent}; expected one that was built before.",
            "leave --no-build out",
        ) from error
    if found.model_digest != model.digest():
        raise DeviceError(
            f"{what} is of model {found.model}, {found.model_digest[:12]}...; expected "
            f"{model.digest()[:12]}....",
            "the bundle was built again since: leave --no-build out",
        )
    if found.application != _digest_of(app_config(bundle, device.name)):
        raise DeviceError(
            f"{what} was built with other limits or settings than the bundle has now.",
            "they were chosen or changed since: leave --no-build out",
        )
    if digest != found.sha256:
        raise DeviceError(
            f"{what} was changed: its digest is {digest[:12]}...; expected {found.sha256[:12]}....",
            f"rm {found.path}, and leave --no-build out",
        )
    return found


def project_folder(bundle: Bundle, device: DeviceSpec, ecosystem: str) -> Path:
    """Return where the project of a bundle for a device lies, which the ecosystem's tools build."""
    return image_folder(bundle) / f"{device.name}-{ecosystem}"


def device_project_image(
    bundle: Bundle, device: DeviceSpec, ecosystem: str, *, builds: bool
) -> DeviceImage:
    """Return the project that an ecosystem's tools build and flash, written where it is not there.

    Raises:
        ModelError: If the model alone is too large for the device, with what would fit.
        DeviceError: If it was not written before, or is of another model, and is not to be built.
        RnnEdgeError: If there is no project for the device, or it cannot be written.
    """
    model, project = bundle.model(), project_for(device, bundle, ecosystem)
    folder = project_folder(bundle, device, ecosystem)
    there = {
        name: (folder / name).read_bytes() for name in project.files if (folder / name).is_file()
    }
    is_new = there != project.files
    if is_new and not builds:
        raise DeviceError(
            f"Project {folder} is not that of {model.name}, {model.digest()[:12]}...; expected one "
            "that was written before.",
            "leave --no-build out",
        )
    front_end = FrontEnd.load(bundle.file(FRONT_END))
    refuse_unfit(bundle.spec(), model, bundle.exports, front_end, device)
    content = b"".join(name.encode() + data for name, data in sorted(project.files.items()))
    return DeviceImage(
        path=write_project(project, folder),
        model=model.name,
        model_digest=model.digest(),
        application=_digest_of(app_config(bundle, device.name)),
        sha256=hashlib.sha256(content).hexdigest(),
        flash_bytes=None,
        ram_bytes=None,
        stack_bytes=None,
        toolchain=ecosystem,
        is_new=is_new,
    )


def _digest_of(app: AppConfig) -> str:
    return hashlib.sha256(app_config_header(app).encode()).hexdigest()


def _drop_damaged(bundle: Bundle, device: DeviceSpec, output: Path) -> None:
    """Remove an image that is not what was built, so that it is built again.

    Raises:
        EnvironmentFailureError: If it cannot be read or removed.
    """
    try:
        record = read_json(_record_of(bundle, device))
        is_known = record["path"] == output.name and output.is_file()
        expected = record["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        # Nothing says what it was: a build that was ended before it wrote its record.
        return
    with explained(f"Building {output.name} again"):
        if is_known and file_digest(output) != expected:
            output.unlink(missing_ok=True)


def _record_of(bundle: Bundle, device: DeviceSpec) -> Path:
    return image_folder(bundle) / f"{device.name}.json"


def _source(bundle: Bundle, model: QuantizedModel) -> EngineSource:
    return EngineSource(
        bundle.float_model(), model, bundle.exports, image_folder(bundle), bundle.path
    )


def _with_remedy(
    error: ModelError,
    device: DeviceSpec,
    bundle: Bundle,
    sources: Sequence[Path],
    app: AppConfig,
) -> ModelError:
    """Return the error of a model that does not fit, with the units that would."""
    model, spec = bundle.model(), bundle.spec()
    is_resetting, choices = spec.reset.policy != "never", spec.c.choices()
    need = need_of(device, model, sources, is_resetting=is_resetting, app=app, choices=choices)
    return ModelError(error.message, remedy_of(device, model, need, choices))
