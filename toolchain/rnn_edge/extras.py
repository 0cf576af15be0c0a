"""Optional packages: imported where they are needed, named where they are missing."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable
from types import MappingProxyType
from typing import Any

from rnn_edge.errors import MissingDependencyError

MODULES: MappingProxyType[str, tuple[str, ...]] = MappingProxyType(
    {
        "audio": ("soundfile", "soxr"),
        "train": ("tensorflow",),
        "synth": ("espeakng_loader", "soxr"),
        "export": ("ai_edge_litert", "onnx"),
        "litert": ("ai_edge_litert",),
        "onnx": ("onnx", "onnxruntime"),
        "report": ("matplotlib",),
        "cross": ("ziglang",),
        "fleet": ("distributed",),
        "serial": ("serial",),
        "flash": ("serial", "pyocd"),
    }
)
"""The packages that an extra brings, by import name."""


def require_extras(wanted: Iterable[tuple[str, str]]) -> None:
    """Ask for everything that a long job will need before it begins.

    Args:
        wanted: Extra and purpose, the latter as the end of a sentence; an extra that is not in
            `MODULES` is passed over.

    Raises:
        MissingDependencyError: Naming every package that is not installed, and one command that
            installs them all.
    """
    missing: dict[str, str] = {}
    extras: list[str] = []
    for extra, purpose in wanted:
        gone = [m for m in MODULES.get(extra, ()) if importlib.util.find_spec(m) is None]
        if gone and extra not in extras:
            extras.append(extra)
        for module in gone:
            missing.setdefault(module, purpose)
    if missing:
        several = len(missing) > 1
        listed = ", ".join(f"{module} (for {purpose})" for module, purpose in missing.items())
        raise MissingDependencyError(
            f"Package{'s' if several else ''} {listed} {'are' if several else 'is'} not installed.",
            f"pip install 'rnn-edge[{','.join(extras)}]'",
        )


def require(module: str, extra: str, purpose: str) -> Any:  # noqa: ANN401 - untyped packages
    """Import and return an optional module.

    Args:
        module: Its import name.
        extra: The extra of this distribution that brings it.
        purpose: What it is needed for, as the end of a sentence.

    Raises:
        MissingDependencyError: If it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"Package {error.name or module} is not installed; it is needed for {purpose}.",
            f"pip install 'rnn-edge[{extra}]'",
        ) from error
