"""What a stage's output depends on besides its inputs: versions, and the code itself."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import metadata
from pathlib import Path

import rnn_edge
from rnn_edge.resources import data_folder


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that results depend on; missing ones are left out."""
    found = {"rnn-edge": rnn_edge.__version__}
    for name in ("numpy", "tensorflow", "keras", "ai-edge-litert", "onnx", "onnxruntime"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


@cache
def code_digest(packages: tuple[str, ...]) -> str:
    """Return the digest of the sources of some of our packages."""
    root = Path(rnn_edge.__file__).parent
    hasher = hashlib.sha256()
    for package in packages:
        for file in sorted((root / package).rglob("*.py")):
            hasher.update(file.read_bytes())
    return hasher.hexdigest()


@cache
def firmware_digest() -> str:
    """Return the digest of the C sources that are exported."""
    hasher = hashlib.sha256()
    for file in sorted(data_folder("firmware_templates").rglob("*.[ch]")):
        hasher.update(file.read_bytes())
    return hasher.hexdigest()
