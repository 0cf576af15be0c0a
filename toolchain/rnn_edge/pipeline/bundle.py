"""The folder that a build writes, and every other command takes."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from rnn_edge.errors import BundleError
from rnn_edge.evaluation import Detector
from rnn_edge.pipeline.files import (
    TEMPORARY,
    copy_file,
    explained,
    file_digest,
    move_file,
    read_json,
    write_json,
)
from rnn_edge.spec import ModelSpec, load_spec
from rnn_edge.types import FloatModel, QuantizedModel

FORMAT = "rnn-edge bundle 1"
MANIFEST = "manifest.json"
STAGES = ".stages"
WITHDRAWN = "withdrawn.json"
"""Lists the files of a bundle while they are exchanged."""


BASELINES = "baselines.npz"
"""The fitted baselines of a model of anomalies."""


def detector_file(model: str) -> str:
    """Return the name of the detector of the model called "float" or "int8"."""
    return f"detector_{model}.npz"


def bundle_detector(bundle: Bundle, model: str) -> Detector:
    """Return the detector of the model called "float" or "int8".

    Where an alarm ends stood in the spec alone before detectors knew it.

    Raises:
        BundleError: If it is missing.
    """
    detector = Detector.load(bundle.file(detector_file(model)))
    return replace(detector, config=replace(detector.config, release=bundle.spec().release))


@dataclass(frozen=True)
class Bundle:
    """A finished and unchanged bundle.

    Attributes:
        path: Its folder.
        manifest: What `manifest.json` says.
    """

    path: Path
    manifest: Mapping[str, Any]

    @classmethod
    def open(cls, path: Path) -> Bundle:
        """Open a bundle and check every file against the manifest.

        Raises:
            BundleError: If it is missing, unfinished, changed or of another format.
        """
        manifest_path = path / MANIFEST
        try:
            manifest = json.loads(manifest_path.read_text())
            found, files = manifest["format"], manifest["files"]
        except FileNotFoundError as error:
            if (path / STAGES).is_dir():
                raise BundleError(
                    f"Bundle {path} is not finished: it has no {MANIFEST}.",
                    "run the build again; it goes on where it stopped",
                ) from error
            raise BundleError(
                f"Folder {path} is not a bundle: it has no {MANIFEST}.",
                "make one with: rnn-edge build SPEC --out DIR",
            ) from error
        except NotADirectoryError as error:
            raise BundleError(f"{path} is not a folder; expected a bundle.") from error
        except (KeyError, TypeError) as error:
            raise BundleError(
                f"Manifest {manifest_path} is none of a bundle: it is no table with the keys "
                "format and files.",
                "build the bundle again",
            ) from error
        except (OSError, ValueError) as error:
            raise BundleError(
                f"Manifest {manifest_path} cannot be read: {error}.", "build the bundle again"
            ) from error
        if found != FORMAT:
            raise BundleError(f"Bundle {path} has format {found!r}; expected {FORMAT!r}.")
        if not _is_listing(files) or not isinstance(manifest.get("until"), str):
            raise BundleError(
                f"Manifest {manifest_path} does not list files and their digests.",
                "build the bundle again",
            )
        for name, digest in files.items():
            try:
                actual = file_digest(path / name)
            except OSError as error:
                raise BundleError(
                    f"Bundle {path}: file {name} is missing or cannot be read.",
                    "build the bundle again",
                ) from error
            if actual != digest:
                raise BundleError(
                    f"Bundle {path}: file {name} was changed; its digest is {actual[:12]}..., "
                    f"the manifest says {digest[:12]}....",
                    "build the bundle again",
                )
        return cls(path, manifest)

    def file(self, name: str) -> Path:
        """Return the path of a file of the bundle.

        Raises:
            BundleError: If the bundle has no such file.
        """
        if name not in self.manifest["files"]:
            raise BundleError(
                f"Bundle {self.path} has no {name}; it was built until stage "
                f"{self.manifest['until']!r}.",
                f"rnn-edge build {self.path / 'spec.toml'} --out {self.path}",
            )
        return self.path / name

    def spec(self) -> ModelSpec:
        """Return the resolved spec."""
        return load_spec(self.file("spec.toml"), [])

    def float_model(self) -> FloatModel:
        """Return the floating-point model that the quantized one was made of."""
        return FloatModel.load(self.file("float_model.npz"))

    def model(self) -> QuantizedModel:
        """Return the quantized model."""
        return QuantizedModel.load(self.file("model.npz"))

    @property
    def exports(self) -> Path:
        """Folder of the exported files."""
        return self.path / "exports"


def publish(out: Path, files: Mapping[str, Path], facts: Mapping[str, object]) -> Bundle:
    """Make a bundle of finished files; the manifest comes last.

    Args:
        out: The bundle's folder.
        files: Name in the bundle to the file it is copied from.
        facts: What the manifest says besides the files.
    """
    with explained(f"Writing bundle {out}"):
        manifest_path, withdrawn = out / MANIFEST, out / STAGES / WITHDRAWN
        withdrawn.parent.mkdir(exist_ok=True)
        published = _listed(manifest_path) | _listed(withdrawn)
        work = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=out / STAGES))
        try:
            # All is copied before anything is exchanged: a full disk leaves the folder as it was.
            digests = {n: copy_file(source, work / n) for n, source in sorted(files.items())}
            # The list of what may have to go outlives a process that is killed on the way, and
            # from here on the folder is unfinished until the new manifest is in place.
            write_json(withdrawn, {"files": dict.fromkeys(sorted(published | set(files)), "")})
            manifest_path.unlink(missing_ok=True)
            for name in sorted(files):
                move_file(work / name, out / name)
            for name in sorted(published - set(digests)):
                _remove(out, name)
            manifest = {**facts, "format": FORMAT, "files": digests}
            write_json(manifest_path, manifest, work)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        withdrawn.unlink()
    return Bundle(out, manifest)


def _is_listing(files: object) -> bool:
    """Return whether a manifest's "files" has the digest of each by its name in the bundle."""
    return isinstance(files, dict) and all(
        isinstance(digest, str) and _is_inside(name) for name, digest in files.items()
    )


def _is_inside(name: str) -> bool:
    """Return whether a name stays inside the folder that it is relative to."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and path.parts[:1] not in ((), (".",))


def _listed(manifest: Path) -> set[str]:
    """Return the files that a manifest lists, or none if it is not there or damaged."""
    try:
        files = read_json(manifest)["files"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return set()
    return set(files) if _is_listing(files) else set()


def _remove(out: Path, name: str) -> None:
    """Remove a file of a bundle, and the folders that it leaves empty."""
    (out / name).unlink(missing_ok=True)
    for folder in (out / name).parents:
        if folder == out or not folder.is_dir() or any(folder.iterdir()):
            return
        folder.rmdir()
