"""The folder that a build writes, and every other command takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnn_edge.errors import BundleError
from rnn_edge.pipeline.files import copy_file, explained, file_digest, write_json
from rnn_edge.spec import ModelSpec, load_spec
from rnn_edge.types import FloatModel, QuantizedModel

FORMAT = "rnn-edge bundle 1"
MANIFEST = "manifest.json"
STAGES = ".stages"


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
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BundleError(
                f"Manifest {manifest_path} cannot be read: {error}.", "build the bundle again"
            ) from error
        if found != FORMAT:
            raise BundleError(f"Bundle {path} has format {found!r}; expected {FORMAT!r}.")
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
        manifest_path = out / MANIFEST
        before: dict[str, str] = {}
        if manifest_path.is_file():
            try:
                before = json.loads(manifest_path.read_text()).get("files", {})
            except (ValueError, AttributeError):
                before = {}
            # From here on the folder is unfinished until the new manifest is in place.
            manifest_path.unlink()
        digests: dict[str, str] = {}
        for name, source in sorted(files.items()):
            copy_file(source, out / name)
            digests[name] = file_digest(out / name)
        for name in set(before) - set(digests):
            (out / name).unlink(missing_ok=True)
        manifest = {**facts, "format": FORMAT, "files": digests}
        write_json(manifest_path, manifest)
    return Bundle(out, manifest)
